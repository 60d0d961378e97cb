/**
 * Word problems of 1 to 8 steps from templates, answered with one line per step and the result: `12+5=17;17*2=34;#34`.
 * Level = steps. The verifier reads the number behind the last `#` only, as in GSM8K.
 */
import { DIGITS, type Draws, type Problem, RIGHT, type TaskFamily, type Verdict, wrong } from './task.ts';

const NAMES = [' Mia', ' Tom', ' Ana', ' Leo', ' Kim', ' Sam'];
const THINGS = [' apples', ' coins', ' books', ' cards', ' shells', ' stamps'];
const WORDS = [
  ' has',
  ' gets',
  ' more',
  ' gives',
  ' to',
  ' loses',
  ' doubles',
  ' triples',
  ' them',
  ' keeps',
  ' one',
  ' in',
];
const MOST = 200;

interface Step {
  sentence: string;
  line: string;
  value: number;
}

function step(draws: Draws, name: string, other: string, value: number): Step {
  const kinds = ['gets', 'gives', 'loses', 'doubles', 'triples', 'keeps'].filter(
    (k) =>
      (k !== 'doubles' || value * 2 <= MOST) &&
      (k !== 'triples' || value * 3 <= MOST) &&
      (k !== 'keeps' || [2, 3, 4, 5].some((n) => value % n === 0 && value > n)) &&
      (k !== 'gives' || value > 1) &&
      (k !== 'loses' || value > 1),
  );
  const kind = draws.pick(kinds);
  if (kind === 'gets') {
    const n = draws.int(1, 20);
    return { sentence: `${name} gets ${n} more.`, line: `${value}+${n}=${value + n}`, value: value + n };
  }
  if (kind === 'gives' || kind === 'loses') {
    const n = draws.int(1, Math.min(20, value - 1));
    const sentence = kind === 'gives' ? `${name} gives ${n} to${other}.` : `${name} loses ${n}.`;
    return { sentence, line: `${value}-${n}=${value - n}`, value: value - n };
  }
  if (kind === 'keeps') {
    const n = draws.pick([2, 3, 4, 5].filter((d) => value % d === 0 && value > d));
    return { sentence: `${name} keeps one in ${n}.`, line: `${value}/${n}=${value / n}`, value: value / n };
  }
  const n = kind === 'doubles' ? 2 : 3;
  return { sentence: `${name} ${kind} them.`, line: `${value}*${n}=${value * n}`, value: value * n };
}

export const wordProblems: TaskFamily<{ value: number }> = {
  id: 'words',
  title: 'Word problems',
  tag: '<word>',
  tokens: ['<word>', ...DIGITS, ...NAMES, ...THINGS, ...WORDS, ' ', '.', '?', '+', '-', '*', '/', '=', ';', '#'],
  levels: [1, 8],
  generate(draws, level): Problem<{ value: number }> {
    const [name, other] = draws.some(NAMES, 2);
    const thing = draws.pick(THINGS);
    let value = draws.int(2, 30);
    const sentences = [`${name} has ${value}${thing}.`];
    const lines: string[] = [];
    for (let i = 0; i < level; i++) {
      const s = step(draws, name, other, value);
      sentences.push(s.sentence);
      lines.push(s.line);
      value = s.value;
    }
    return {
      family: 'words',
      level,
      prompt: `<word>${sentences.join('')}?`,
      answer: `${lines.join(';')};#${value}`,
      // Names and things are decoration: the same numbers are the same problem.
      key: lines.join(';'),
      data: { value },
    };
  },
  verify({ data }, text): Verdict {
    const last = /#(\d{1,9})$/.exec(text)?.[1];
    if (last === undefined) return wrong('no number behind # at the end');
    return Number(last) === data.value ? RIGHT : wrong(`${last} instead of ${data.value}`);
  },
};
