/**
 * A small JavaScript program from a description: `<pipe> keep over 3 double sum:` to
 * `xs.filter(x=>x>3).map(x=>x*2).reduce((a,b)=>a+b,0)`. Answers run in the sandbox on hidden lists. Level = stages.
 */
import {
  DIGITS,
  type Draws,
  type Problem,
  type ProgramRunner,
  RIGHT,
  type TaskFamily,
  type Verdict,
  wrong,
} from './task.ts';

interface Stage {
  words: string;
  code: string;
  apply: (xs: number[]) => number[];
}

function stage(draws: Draws): Stage {
  const n = draws.int(2, 9);
  const stages: Stage[] = [
    { words: ` keep over ${n}`, code: `.filter(x=>x>${n})`, apply: (xs) => xs.filter((x) => x > n) },
    { words: ` keep under ${n}`, code: `.filter(x=>x<${n})`, apply: (xs) => xs.filter((x) => x < n) },
    { words: ` add ${n}`, code: `.map(x=>x+${n})`, apply: (xs) => xs.map((x) => x + n) },
    { words: ` times ${n}`, code: `.map(x=>x*${n})`, apply: (xs) => xs.map((x) => x * n) },
    { words: ' sort', code: '.sort((a,b)=>a-b)', apply: (xs) => [...xs].sort((a, b) => a - b) },
    { words: ' reverse', code: '.reverse()', apply: (xs) => [...xs].reverse() },
    { words: ` first ${n}`, code: `.slice(0,${n})`, apply: (xs) => xs.slice(0, n) },
  ];
  return draws.pick(stages);
}

const END = { words: ' sum', code: '.reduce((a,b)=>a+b,0)' };

interface Data {
  inputs: number[][];
  /** JSON of each result. */
  outputs: string[];
}

export const pipelines: TaskFamily<Data> = {
  id: 'pipelines',
  title: 'Programs from a description',
  tag: '<pipe>',
  tokens: [
    '<pipe>',
    ...DIGITS,
    ...[' keep over', ' keep under', ' add', ' times', ' sort', ' reverse', ' first', ' sum', ' ', ':'],
    ...['xs', '.filter(', '.map(', '.slice(0,', '.sort((a,b)=>a-b)', '.reverse()', END.code],
    ...['x=>', 'x', '>', '<', '+', '*', ')'],
  ],
  levels: [1, 10],
  programs: true,
  generate(draws, level): Problem<Data> {
    const stages = Array.from({ length: level }, () => stage(draws));
    const summed = draws.uniform() < 0.4;
    const inputs = Array.from({ length: 6 }, () => Array.from({ length: draws.int(0, 9) }, () => draws.int(0, 12)));
    const outputs = inputs.map((xs) => {
      const out = stages.reduce((v, s) => s.apply(v), xs);
      return JSON.stringify(summed ? out.reduce((a, b) => a + b, 0) : out);
    });
    const words = stages.map((s) => s.words).join('') + (summed ? END.words : '');
    const answer = `xs${stages.map((s) => s.code).join('')}${summed ? END.code : ''}`;
    return { family: 'pipelines', level, prompt: `<pipe>${words}:`, answer, key: words, data: { inputs, outputs } };
  },
  verify({ data }, text, runner?: ProgramRunner): Verdict {
    if (!runner) return wrong('there is no sandbox to run the program in');
    const result = runner.run(`(xs)=>(${text})`, data.inputs);
    if (!result.ok) return wrong(result.reason);
    const bad = result.outputs.findIndex((out, i) => JSON.stringify(out) !== data.outputs[i]);
    if (bad < 0) return RIGHT;
    return wrong(`[${data.inputs[bad]}] gives ${JSON.stringify(result.outputs[bad])} instead of ${data.outputs[bad]}`);
  },
};
