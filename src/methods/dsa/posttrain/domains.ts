/**
 * The seven domains (dsa.md section 5.1) at the size of a model that a browser trains: arithmetic and equations, stack programs,
 * order puzzles, programs with a run in between, pointers behind a tool, sentences under rules, questions on facts.
 */
import { runStack, stackPrograms } from '../../../lm/tasks/stack-programs.ts';
import { DIGITS, type Draws, RIGHT, type Verdict } from '../../../lm/tasks/task.ts';
import { CALL, type Domain, environment, exactly, model, OBSERVE, OBSERVED } from './domain.ts';

const LETTERS = [...'abcdefgh'];
export const KEYS = Array.from({ length: 24 }, (_, i) => `K${i}.`);
export const FACTS = Array.from({ length: 12 }, (_, i) => `F${i}.`);
const NOUNS = ['river.', 'lamp.', 'stone.', 'bird.', 'road.', 'tree.', 'boat.', 'song.', 'wall.', 'star.'];

const other = (draws: Draws, from: readonly string[], not: string): string => {
  for (;;) {
    const pick = draws.pick(from);
    if (pick !== not) return pick;
  }
};

const mathematics: Domain = {
  id: 'math',
  title: 'Mathematics',
  tag: '<math>',
  tokens: [...DIGITS, '+', '-', 'x', '=', ';'],
  calls: 0,
  generate(draws) {
    const [a, b, c] = [draws.int(1, 9), draws.int(1, 9), draws.int(1, 9)];
    if (draws.uniform() < 0.5) {
      const answer = String(a);
      return {
        prompt: `x+${b}=${a + b}`,
        thought: (say) => [model(`${say('take')}${a + b}-${b}${say('gives')}${a}`)],
        answer,
        slip: other(draws, DIGITS.slice(1), answer),
        judge: (got) => exactly(answer, got),
      };
    }
    const answer = String(a + b + c);
    return {
      prompt: `${a}+${b}+${c}`,
      thought: (say) => [
        model(`${say('take')}${a}+${b}${say('gives')}${a + b}${say('then')}${a + b}+${c}${say('gives')}${a + b + c}`),
      ],
      answer,
      slip: String(a + b + c + draws.pick([-2, -1, 1, 2])),
      judge: (got) => exactly(answer, got),
    };
  },
};

/** A stack program with one operation, from three examples; more examples are hidden. */
function program(draws: Draws): { shown: string; answer: string; slip: string; tests: [number, number, number][] } {
  const { answer, prompt, data } = stackPrograms.generate(draws, 1);
  const operations = ['+', '-', '*', 'm'];
  const slip = answer.slice(0, -1) + other(draws, operations, answer[answer.length - 1]);
  return { shown: prompt.slice('<stack>'.length, -1), answer, slip, tests: data.tests };
}

function passes(tests: readonly [number, number, number][], text: string): Verdict {
  for (const [x, y, out] of tests) {
    const got = runStack(text, x, y);
    if (got !== out)
      return { score: 0, reasons: [typeof got === 'string' ? got : `${x},${y} gives ${got}, not ${out}`] };
  }
  return RIGHT;
}

const programming: Domain = {
  id: 'program',
  title: 'Competitive programming',
  tag: '<prog>',
  tokens: stackPrograms.tokens.filter((t) => t !== '<stack>'),
  calls: 0,
  generate(draws) {
    const { shown, answer, slip, tests } = program(draws);
    const [x, y, out] = tests[0];
    return {
      prompt: shown,
      thought: (say) => [model(`${say('look')}${x},${y}${say('gives')}${out}${say('so')}`)],
      answer,
      slip,
      judge: (got) => passes(tests, got),
    };
  },
};

const logic: Domain = {
  id: 'logic',
  title: 'Logical reasoning',
  tag: '<logic>',
  tokens: [...LETTERS, '>', ';', '?'],
  calls: 0,
  generate(draws) {
    const order = draws.some(LETTERS, 4);
    const premises = draws.some([0, 1, 2], 3).map((i) => `${order[i]}>${order[i + 1]}`);
    const largest = draws.uniform() < 0.5;
    const answer = largest ? order[0] : order[3];
    return {
      prompt: `${premises.join(';')}?${largest ? '>' : ';'}`,
      thought: (say) => [model(`${say('look')}${order.join('>')}${say('so')}`)],
      answer,
      slip: other(draws, order, answer),
      judge: (got) => exactly(answer, got),
    };
  },
};

const codeAgent: Domain = {
  id: 'code-agent',
  title: 'Agentic coding',
  tag: '<code>',
  tokens: [...programming.tokens, 'ok', 'no', CALL, OBSERVE, OBSERVED],
  calls: 2,
  generate(draws) {
    const { shown, answer, slip, tests } = program(draws);
    const [x, y] = tests[0];
    /** The interpreter on the first example: what came out, and whether that was right. */
    const reply = (call: string): string => {
      const text = call.slice(call.lastIndexOf(CALL) + CALL.length);
      const got = runStack(text, x, y);
      const good = passes(tests.slice(0, 3), text).score === 1;
      const shownResult = typeof got === 'number' && Math.abs(got) <= 9999 ? String(got) : '';
      return `${shownResult}${good ? 'ok' : 'no'}${OBSERVED}`;
    };
    const attempts = draws.uniform() < 0.5 ? [slip, answer] : [answer];
    return {
      prompt: shown,
      thought: (say) =>
        attempts.flatMap((text, i) => [
          model(`${i === 0 ? say('look') : say('then')}${CALL}${text}${OBSERVE}`),
          environment(reply(`${CALL}${text}`)),
        ]),
      answer,
      slip,
      judge: (got) => passes(tests, got),
      reply,
    };
  },
};

const searchAgent: Domain = {
  id: 'search-agent',
  title: 'Agentic search',
  tag: '<search>',
  tokens: [...KEYS, ...FACTS, '2', '3', '?', CALL, OBSERVE, OBSERVED],
  calls: 4,
  generate(draws) {
    const hops = draws.int(2, 3);
    const chain = draws.some(KEYS, hops);
    const answer = draws.pick(FACTS);
    const next = (key: string): string => {
      const i = chain.indexOf(key);
      return i < 0 ? '?' : i + 1 < hops ? chain[i + 1] : answer;
    };
    const reply = (call: string): string => `${next(call.slice(call.lastIndexOf(CALL) + CALL.length))}${OBSERVED}`;
    return {
      prompt: `${hops}?${chain[0]}`,
      thought: (say) =>
        chain.flatMap((key, i) => [
          model(`${i === 0 ? say('take') : say('then')}${CALL}${key}${OBSERVE}`),
          environment(reply(`${CALL}${key}`)),
        ]),
      answer,
      slip: other(draws, FACTS, answer),
      judge: (got) => exactly(answer, got),
      reply,
    };
  },
};

/** Share of the rules that a text keeps: the wanted words, their number, none twice, the end. */
function rubric(text: string, wanted: readonly string[], least: number, most: number): Verdict {
  const words = text.split('.').filter((w) => w !== '' && w !== '!');
  const has = (w: string): boolean => words.includes(w.slice(0, -1));
  const rules: [weight: number, kept: boolean, reason: string][] = [
    ...wanted.map((w): [number, boolean, string] => [1, has(w), `'${w}' is missing`]),
    [1, words.length >= least && words.length <= most, `${words.length} words, not ${least} to ${most}`],
    [1, words.length > 0 && new Set(words).size === words.length, 'a word is repeated'],
    [1, text.endsWith('!'), 'it does not end with !'],
  ];
  const total = rules.reduce((sum, [weight]) => sum + weight, 0);
  const score = rules.reduce((sum, [weight, kept]) => sum + (kept ? weight : 0), 0) / total;
  return { score, reasons: rules.filter(([, kept]) => !kept).map(([, , reason]) => reason) };
}

const writing: Domain = {
  id: 'writing',
  title: 'Writing',
  tag: '<write>',
  tokens: [...NOUNS, ...DIGITS, '-', '!'],
  calls: 0,
  generate(draws) {
    const length = draws.int(4, 6);
    const all = draws.some(NOUNS, length);
    const wanted = draws.some(all, 2);
    const answer = `${all.join('')}!`;
    return {
      prompt: `${wanted.join('')}${length - 1}-${length + 1}`,
      // Many sentences are right: the one shown does not make another problem of it.
      key: `${[...wanted].sort().join('')}${length}`,
      thought: (say) => [model(`${say('take')}${wanted[0]}${say('then')}${wanted[1]}`)],
      answer,
      slip: `${all[0]}${all.slice(0, -1).join('')}`,
      judge: (got) => rubric(got, wanted, length - 1, length + 1),
    };
  },
};

const answering: Domain = {
  id: 'qa',
  title: 'Question answering',
  tag: '<qa>',
  tokens: [...KEYS, ...FACTS, '?', '!'],
  calls: 0,
  generate(draws) {
    const facts = draws.some(KEYS, 8).map((key): [string, string] => [key, draws.pick(FACTS)]);
    const [key, fact] = draws.pick(facts);
    return {
      prompt: `${facts.flat().join('')}?${key}`,
      thought: (say) => [model(`${say('look')}${key}${say('gives')}${fact}`)],
      answer: `${fact}!`,
      slip: `${other(draws, FACTS, fact)}!`,
      // Half for the fact, half for the form.
      judge: (got) => {
        const reasons = [
          ...(got.startsWith(fact) ? [] : [`not ${fact}`]),
          ...(/^F\d+\.!$/.test(got) ? [] : ['not one fact and !']),
        ];
        return { score: got.startsWith(fact) ? 1 - reasons.length / 2 : 0, reasons };
      },
    };
  },
};

export const DOMAINS: readonly Domain[] = [mathematics, programming, logic, codeAgent, searchAgent, writing, answering];

export function domainOf(id: string): Domain {
  const found = DOMAINS.find((d) => d.id === id);
  if (!found) throw new Error(`There is no domain '${id}'; there are ${DOMAINS.map((d) => d.id).join(', ')}.`);
  return found;
}
