// Task families as properties: worked answers verify, changed ones do not, nothing throws, splits never meet.

import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { evaluate, write } from '../../src/lm/tasks/arithmetic.ts';
import { countdownStep } from '../../src/lm/tasks/countdown.ts';
import { FAMILIES, familyOf, taskTokenizer } from '../../src/lm/tasks/families.ts';
import { runStack } from '../../src/lm/tasks/stack-programs.ts';
import { Draws, type ProgramRunner, problemAt, splitOf } from '../../src/lm/tasks/task.ts';
import { lineHolds, plainValue } from '../../src/lm/tasks/working.ts';
import { EOT } from '../../src/lm/tokenizers/closed.ts';
import { openSandbox } from '../../src/lm/verify/sandbox.ts';

let runner: ProgramRunner;
beforeAll(async () => {
  runner = await openSandbox();
});

const anyProblem = (family: (typeof FAMILIES)[number]) =>
  fc
    .tuple(fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: family.levels[0], max: family.levels[1] }))
    .map(([seed, level]) => family.generate(new Draws(seed, 1), level));

describe.each(FAMILIES.map((f) => [f.id, f] as const))('%s', (_, family) => {
  const runs = { numRuns: family.programs ? 40 : 120 };

  test('worked answers verify and survive the tokenizer', () => {
    const tokenizer = taskTokenizer([family]);
    fc.assert(
      fc.property(anyProblem(family), (p) => {
        expect(family.verify(p, p.answer, runner)).toEqual({ score: 1, reasons: [] });
        expect(p.prompt.startsWith(family.tag)).toBe(true);
        for (const text of [p.prompt, p.answer]) {
          const ids = tokenizer.encode(text);
          expect(tokenizer.decode(ids)).toBe(text);
          expect(ids).not.toContain(EOT);
        }
      }),
      runs,
    );
  });

  test('any text gets a verdict with reasons, and cut or foreign answers are wrong', () => {
    const text = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(...family.tokens), { maxLength: 12 }).map((t) => t.join('')),
    );
    fc.assert(
      fc.property(anyProblem(family), text, (p, t) => {
        const verdict = family.verify(p, t, runner);
        expect(verdict.score === 1).toBe(verdict.reasons.length === 0);
        expect(family.verify(p, '', runner).score).toBe(0);
        expect(family.verify(p, `${p.answer}?`, runner).score).toBe(0);
      }),
      runs,
    );
  });

  test('problems are functions of seed and index; no key is in two splits', () => {
    const seen = new Map<string, string>();
    for (const split of ['train', 'validation', 'test'] as const) {
      for (let i = 0; i < 40; i++) {
        const p = problemAt(family, split, 3, i, [family.levels[0] + 1]);
        expect(p).toEqual(problemAt(family, split, 3, i, [family.levels[0] + 1]));
        expect(splitOf(p)).toBe(split);
        expect(seen.get(p.key) ?? split).toBe(split);
        seen.set(p.key, split);
      }
    }
    expect(problemAt(family, 'train', 4, 0).prompt).not.toBe(problemAt(family, 'train', 3, 0).prompt);
  });
});

test('splits have the shares 80, 10, 10', () => {
  const counts = { train: 0, validation: 0, test: 0 };
  for (let i = 0; i < 5000; i++) counts[splitOf({ family: 'f', key: `p${i}` })] += 1;
  // Three standard deviations of a binomial share of 5000.
  expect(Math.abs(counts.train / 5000 - 0.8)).toBeLessThan(0.017);
  expect(Math.abs(counts.test / 5000 - 0.1)).toBeLessThan(0.013);
});

test('expressions are written with the brackets they need', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: 1, max: 6 }), (seed, level) => {
      const p = familyOf('arithmetic').generate(new Draws(seed, 2), level);
      const text = p.prompt.slice('<arith>'.length, -1);
      // The language's own evaluator is the reference here; the text is digits and operators only.
      expect(new Function(`return ${text}`)()).toBe(p.data.value);
      for (const line of p.answer.split(';')) expect(new Function(`return ${line}`)()).toBe(p.data.value);
    }),
  );
  expect(write({ op: '-', left: 7, right: { op: '-', left: 3, right: 2 } })).toBe('7-(3-2)');
  expect(write({ op: '+', left: 7, right: { op: '+', left: 3, right: 2 } })).toBe('7+3+2');
  expect(evaluate({ op: '*', left: { op: '+', left: 1, right: 2 }, right: 3 })).toBe(9);
});

test('working is arithmetic, not pattern matching', () => {
  expect(plainValue('4*6+4')).toBe(28);
  expect(plainValue('20-4/2')).toBe(18);
  expect(plainValue('2+')).toBeNull();
  expect(plainValue('(1)')).toBeNull();
  expect(lineHolds('4*6+4=28')).toBe(true);
  expect(lineHolds('4*6+4=29')).toBe(false);
  expect(lineHolds('28')).toBe(false);
});

test('countdown steps: what is not legal is named', () => {
  expect(countdownStep([3, 7, 8, 2], '8*2=16|3 7 16')).toEqual([3, 7, 16]);
  expect(countdownStep([3, 7], '7*7=49|3')).toContain('not among');
  expect(countdownStep([3, 7], '3-7=4|4')).toContain('is not 4');
  expect(countdownStep([3, 7], '7/3=2|2')).toContain('is not 2');
  expect(countdownStep([3, 7, 1], '3+7=10|10')).toContain('what is left');
});

test('a countdown that uses a number twice, or not at all, is wrong', () => {
  const family = familyOf('countdown');
  const p = {
    family: 'countdown',
    level: 3,
    prompt: '',
    answer: '',
    key: '',
    data: { numbers: [2, 3, 5], target: 10 },
  };
  expect(family.verify(p, '2*5=10|3 10;=10').reasons[0]).toContain('2 numbers are left');
  expect(family.verify(p, '2+3=5|5 5;5+5=10|10;=10').score).toBe(1);
});

test('stack programs: limits and faults', () => {
  expect(runStack('xy+2*', 2, 3)).toBe(10);
  expect(runStack('xys-', 2, 3)).toBe(1);
  expect(runStack('xd*', 7, 0)).toBe(49);
  expect(runStack('+', 1, 1)).toContain('empty');
  expect(runStack('xy', 1, 1)).toContain('2 values');
  expect(runStack('x'.repeat(40), 1, 1)).toContain('full');
  expect(runStack('x'.repeat(65), 1, 1)).toContain('64 steps');
  expect(runStack(`9${'d*'.repeat(8)}`, 1, 1)).toContain('too large');
  expect(runStack('x!', 1, 1)).toContain('no operation');
});
