/**
 * A problem that a visitor types, in the template of a task: read into the same form that the generators make, with
 * whatever the verifier must know, so that the answer is judged exactly. Not a parser of language: what the template does
 * not hold is refused with an example.
 */
import { Draws, type Problem } from '../../../lm/tasks/task.ts';

interface Template {
  tag: string;
  /** Shown beside the box, and when the text fits nothing. */
  example: string;
  /** Prompt behind the tag, and the verifier's data; null if the text is not of this template. */
  read(text: string): { prompt: string; data: unknown } | null;
}

const lists: Template = {
  tag: '<list>',
  example: 'reverse 3 8 1 2',
  read(text) {
    const match = /^(copy|reverse|sort)[:\s]+((?:\d[\s,]*){1,60})>?$/.exec(text);
    if (!match) return null;
    const items = [...match[2].replace(/\D/g, '')];
    const wanted = { copy: items, reverse: [...items].reverse(), sort: [...items].sort() }[match[1] as 'copy'];
    return { prompt: `${match[1]}:${items.join('')}>`, data: { wanted: wanted.join('') } };
  },
};

const sums: Template = {
  tag: '<sum>',
  example: '4 digits that sum to 23',
  read(text) {
    const match = /^(\d{1,2})(?::| digits that sum to )(\d{1,4})>?$/.exec(text);
    if (!match) return null;
    const [count, sum] = [Number(match[1]), Number(match[2])];
    return count < 1 || sum > 9 * count ? null : { prompt: `${count}:${sum}>`, data: { count, sum } };
  },
};

const calculation: Template = {
  tag: '<calc>',
  example: '345+87, 46*7 or 3x+5=26',
  read(text) {
    const plain = text.replaceAll(' ', '');
    const equation = /^([2-9])x\+(\d{1,9})=(\d{1,9});?$/.exec(plain);
    if (equation) {
      const [a, b, c] = equation.slice(1).map(Number);
      if (c < b || (c - b) % a !== 0) return null;
      const data = { kind: 'equation', result: `x=${(c - b) / a}`, a, rest: c - b };
      return { prompt: `${a}x+${b}=${c};`, data };
    }
    const match = /^(\d{1,8})([+*])(\d{1,8})=?$/.exec(plain);
    if (!match) return null;
    const [a, b] = [Number(match[1]), Number(match[3])];
    if (match[2] === '*' && (b < 2 || b > 9)) return null;
    const kind = match[2] === '+' ? 'add' : 'multiply';
    const result = String(kind === 'add' ? a + b : a * b);
    return { prompt: `${a}${match[2]}${b}=`, data: { kind, result, a: 0, rest: 0 } };
  },
};

const STAGES: [RegExp, (xs: number[], n: number) => number[]][] = [
  [/^keep over (\d)/, (xs, n) => xs.filter((x) => x > n)],
  [/^keep under (\d)/, (xs, n) => xs.filter((x) => x < n)],
  [/^add (\d)/, (xs, n) => xs.map((x) => x + n)],
  [/^times (\d)/, (xs, n) => xs.map((x) => x * n)],
  [/^sort/, (xs) => [...xs].sort((a, b) => a - b)],
  [/^reverse/, (xs) => [...xs].reverse()],
  [/^first (\d)/, (xs, n) => xs.slice(0, n)],
];
const LISTS = 6;

const pipelines: Template = {
  tag: '<pipe>',
  example: 'keep over 3 times 2 sum',
  read(text) {
    let rest = text.replace(/:$/, '').replaceAll(',', ' ').replace(/\s+/g, ' ').trim();
    const words: string[] = [];
    const draws = new Draws(1, 0);
    let lists = Array.from({ length: LISTS }, () => Array.from({ length: draws.int(1, 9) }, () => draws.int(0, 12)));
    const inputs = lists;
    while (rest !== '' && rest !== 'sum') {
      const stage = STAGES.find(([form]) => form.test(rest));
      if (!stage) return null;
      const [found, n] = stage[0].exec(rest) as RegExpExecArray;
      words.push(` ${found}`);
      lists = lists.map((xs) => stage[1](xs, Number(n)));
      rest = rest.slice(found.length).trim();
    }
    if (words.length === 0) return null;
    const summed = rest === 'sum';
    const outputs = lists.map((xs) => JSON.stringify(summed ? xs.reduce((a, b) => a + b, 0) : xs));
    return { prompt: `${words.join('')}${summed ? ' sum' : ''}:`, data: { inputs, outputs } };
  },
};

const stack: Template = {
  tag: '<stack>',
  example: '2,3>10;4,1>10;5,5>20',
  read(text) {
    const plain = text.replaceAll(' ', '').replace(/:$/, '');
    const tests = plain.split(';').map((part) => /^(\d),(\d)>(-?\d{1,4})$/.exec(part)?.slice(1).map(Number));
    // Only the three examples are known: the program is judged on them.
    return tests.length !== 3 || tests.includes(undefined) ? null : { prompt: `${plain}:`, data: { tests } };
  },
};

const NAME = '(?:Mia|Tom|Ana|Leo|Kim|Sam)';
const SENTENCES: [RegExp, (value: number, n: number) => number][] = [
  [new RegExp(`^${NAME} gets (\\d{1,2}) more$`), (v, n) => v + n],
  [new RegExp(`^${NAME} gives (\\d{1,2}) to ${NAME}$`), (v, n) => v - n],
  [new RegExp(`^${NAME} loses (\\d{1,2})$`), (v, n) => v - n],
  [new RegExp(`^${NAME} doubles them$`), (v) => v * 2],
  [new RegExp(`^${NAME} triples them$`), (v) => v * 3],
  [new RegExp(`^${NAME} keeps one in (\\d)$`), (v, n) => v / n],
];

const words: Template = {
  tag: '<word>',
  example: 'Mia has 12 coins. Mia gets 5 more. Mia doubles them.',
  read(text) {
    const sentences = text
      .replace(/\?$/, '')
      .split('.')
      .map((s) => s.trim())
      .filter((s) => s !== '');
    const first = new RegExp(`^${NAME} has (\\d{1,3}) (?:apples|coins|books|cards|shells|stamps)$`).exec(
      sentences[0] ?? '',
    );
    if (!first || sentences.length < 2) return null;
    let value = Number(first[1]);
    for (const sentence of sentences.slice(1)) {
      const known = SENTENCES.find(([form]) => form.test(sentence));
      if (!known) return null;
      value = known[1](value, Number(known[0].exec(sentence)?.[1]));
    }
    if (!Number.isInteger(value) || value < 0) return null;
    return { prompt: `${sentences.map((s) => ` ${s}.`).join('')}?`, data: { value } };
  },
};

const TEMPLATES: Readonly<Record<string, Template>> = { lists, sums, calculation, pipelines, stack, words };

export const exampleOfTask = (task: string): string => TEMPLATES[task]?.example ?? '';

/** The problem, or one sentence about why there is none. */
export function typedProblem(task: string, text: string): Problem | string {
  const template = TEMPLATES[task];
  if (!template) return `There is no template for the task '${task}'.`;
  const read = template.read(text.trim());
  if (!read) return `This task reads problems like: ${template.example}`;
  const prompt = template.tag + read.prompt;
  return { family: task, level: 0, prompt, answer: '', key: read.prompt, data: read.data };
}
