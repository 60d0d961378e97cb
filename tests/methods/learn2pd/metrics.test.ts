// The figures of the tables on traces written by hand, and analytic work on a case that can be added up on paper.

import { expect, test } from 'vitest';
import { smallConfig } from '../../../src/lm/config.ts';
import type { Problem } from '../../../src/lm/tasks/task.ts';
import { EOT } from '../../../src/lm/tokenizers/closed.ts';
import { decodeFlops, passFlops } from '../../../src/methods/learn2pd/cost.ts';
import type { DecodeResult } from '../../../src/methods/learn2pd/decoder.ts';
import {
  decisionsOf,
  eotWaste,
  passesPerBlock,
  unnecessaryDecodes,
} from '../../../src/methods/learn2pd/diagnostics.ts';
import { agreementOf } from '../../../src/methods/learn2pd/judge.ts';
import { DECODE_DEFAULTS } from '../../../src/methods/learn2pd/policy.ts';
import { accuracyVerdict } from '../../../src/methods/learn2pd/report.ts';
import { type StreamSource, singleStream } from '../../../src/methods/learn2pd/stream.ts';
import type { StepTrace } from '../../../src/methods/learn2pd/trace.ts';

const P = 3;
const MASKED = 4;
const TOP = 2;
const POLICY = 1;

const pass = (block: number, guess: number[], decided: number[], kind: 1 | 2 = 1): StepTrace => ({
  block: P + block,
  end: P + block + guess.length,
  length: P + 6,
  kind,
  guess: Uint32Array.from(guess),
  c: new Float32Array(guess.length),
  decided: Uint8Array.from(decided),
});

/** Two blocks of three: 5 6 7 | EOT EOT EOT, one token a pass. */
const TEXT = [5, 6, 7, EOT, EOT, EOT];
const TRACE = [
  pass(0, [9, 6, 7], [MASKED, MASKED | TOP, MASKED]),
  pass(0, [9, 6, 8], [MASKED, 0, MASKED]),
  pass(0, [5, 6, 7], [MASKED | TOP, 0, MASKED]),
  pass(0, [5, 6, 7], [0, 0, MASKED | TOP]),
  pass(3, [EOT, 4, EOT], [MASKED, MASKED, MASKED | TOP], 2),
  pass(3, [EOT, EOT, EOT], [MASKED | TOP, MASKED, 0], 2),
  pass(3, [EOT, EOT, EOT], [0, MASKED | TOP, 0], 2),
];

test('unnecessary decodes count from the first right guess to the pass that makes it final', () => {
  // In order of finality: 6 at once; 5 at once when first right; 7 was right three passes earlier; then the end tokens.
  expect(unnecessaryDecodes(TRACE, TEXT, P)).toEqual([0, 0, 3, 0, 1, 1]);
  expect(passesPerBlock(TRACE)).toEqual([4, 3]);
});

test('waste is the share of passes on blocks that begin behind the first end token', () => {
  // The first end token opens the second block: that block holds it, so nothing is wasted yet.
  expect(eotWaste(TRACE, TEXT, P)).toBe(0);
  expect(eotWaste(TRACE, [5, EOT, EOT, EOT, EOT, EOT], P)).toBeCloseTo(3 / 7);
  expect(eotWaste(TRACE, [5, 6, 7, 5, 6, 7], P)).toBe(0);
});

test("decisions of the policy count on masked positions, the top rule's do not", () => {
  const trace = [
    // Takes a right and a wrong guess, leaves a right one.
    pass(0, [5, 9, 7], [MASKED | POLICY, MASKED | POLICY, MASKED]),
    // The top rule takes the last; what is final is not asked.
    pass(0, [5, 9, 7], [0, 0, MASKED | TOP]),
  ];
  expect(decisionsOf(trace, TEXT, P)).toEqual({ asked: 4, taken: 2, right: 3, both: 1 });
});

test('agreement counts positions up to the later end token; a cut tail is end tokens', () => {
  expect(agreementOf([5, 6, EOT], [5, 6, EOT, EOT, EOT])).toBe(1);
  expect(agreementOf([5, EOT], [5, 6, EOT, EOT])).toBeCloseTo(2 / 3);
  expect(agreementOf([EOT], [5, 6, EOT, EOT])).toBeCloseTo(1 / 3);
  expect(agreementOf([5, 6, 7], [5, 9, 7])).toBeCloseTo(2 / 3);
});

test('work of a decode: what is fed, times what it sees', () => {
  const c = smallConfig(12, 32, 2, 32);
  const linear = 2 * (32 * 16 * (2 * c.heads + 2 * c.kvHeads) + 3 * 32 * c.hidden);
  const one = (rows: number, keys: number): number => 2 * linear * rows + 4 * 2 * rows * keys * 32 + 2 * 32 * 12 * 3;
  expect(passFlops(c, 7, 9, 3)).toBe(one(7, 9));
  const at = { P, prompt: 2, block: 3, filter: 10 };
  // Length 9, one padding token: 8 keys. Four full passes, then three of the block or of the block and what follows.
  expect(decodeFlops(c, TRACE, 'dual', at)).toBe(4 * one(8, 8) + 3 * one(3, 8) + 7 * 20);
  const early = TRACE.map((t) => ({ ...t, kind: 2 as const }));
  expect(decodeFlops(c, early, 'prefix', at)).toBe(4 * one(6, 8) + 3 * one(3, 8) + 7 * 20);
});

test('accuracy is called kept only if the interval says so', () => {
  const right = Array<number>(200).fill(1);
  expect(accuracyVerdict(right, right, 1)).toBe('kept: 0.0 points [0.0, 0.0]');
  const worse = right.map((_, i) => Number(i % 20 !== 0));
  expect(accuracyVerdict(worse, right, 1)).toMatch(/^changed: -5\.0 points/);
  // Equal means on few problems prove nothing.
  const [a, b] = [right.slice(0, 8), right.slice(0, 8)];
  a[0] = 0;
  b[1] = 0;
  expect(accuracyVerdict(a, b, 1)).toMatch(/^changed: 0\.0 points/);
});

test('tokens per second: useful tokens of all timed decodes over their time, warm-up left out, entrants in turns', async () => {
  const asked: string[] = [];
  // Milliseconds, useful tokens and passes of every decode in the order in which they come; the warm-up would spoil all sums.
  const measured = [
    ...[
      [9999, 99, 99],
      [9999, 99, 99],
    ],
    ...[
      [400, 10, 16],
      [100, 10, 4],
    ],
    ...[
      [600, 30, 16],
      [150, 20, 6],
    ],
  ];
  const source: StreamSource = {
    prompts: (problems) => problems.map((p) => [Number(p.prompt)]),
    decoder: (canvas, sequences) => ({
      decode: async ([prompt], spec, options) => {
        const [wallMs, answerLength, nfe] = measured[asked.length];
        asked.push(
          `${spec.policy.kind} ${Array.from(prompt)} of ${sequences} on ${canvas}, y ${options?.references?.[0]}`,
        );
        const result = { tokens: Uint32Array.of(asked.length), answerLength, nfe };
        return { results: [result as DecodeResult], stats: { wallMs, submissions: nfe / 2, perSubmission: 8 } };
      },
    }),
  };
  const problems = ['5', '6'].map((prompt) => ({ prompt }) as Problem);
  const entrants = (['static', 'egp'] as const).map((kind) => {
    const policy = kind === 'static' ? ({ kind, perStep: 1 } as const) : ({ kind } as const);
    return [kind, { ...DECODE_DEFAULTS, policy }] as const;
  });
  const timing = await singleStream(source, problems, entrants, { canvas: 64, warmUp: 1 });
  expect(asked).toEqual([
    ...['static 5 of 1 on 64, y ', 'egp 5 of 1 on 64, y 1'],
    ...['static 5 of 1 on 64, y ', 'egp 5 of 1 on 64, y 3'],
    ...['static 6 of 1 on 64, y ', 'egp 6 of 1 on 64, y 5'],
  ]);
  expect(timing.of('static')).toEqual({
    tokensPerSecond: 40,
    msPerSequence: 500,
    nfe: 16,
    msPerPass: 31.25,
    passesPerSubmission: 2,
    sequences: 2,
  });
  // Not the mean of 100 and 133 tokens a second: 30 tokens in a quarter of a second.
  expect(timing.of('egp')).toMatchObject({ tokensPerSecond: 120, msPerSequence: 125, nfe: 5, msPerPass: 25 });
  expect(() => timing.of('nobody')).toThrow('nobody named nobody');
});
