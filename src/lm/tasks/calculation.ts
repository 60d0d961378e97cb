/**
 * Written calculation, every line of which is checked: long addition (`345+87=` to `5+7=12;4+8+1=13;3+0+1=4;432`), long
 * multiplication by one digit, and linear equations (`3x+5=26` to `3x=21;x=7`). Level = digits of the numbers.
 */
import { DIGITS, type Draws, type Problem, RIGHT, type TaskFamily, type Verdict, wrong } from './task.ts';
import { lineHolds } from './working.ts';

interface Data {
  kind: 'add' | 'multiply' | 'equation';
  result: string;
  /** Of an equation `a x + b = c`. */
  a: number;
  rest: number;
}

const size = (draws: Draws, digits: number): number =>
  draws.int(digits === 1 ? 1 : 10 ** (digits - 1), 10 ** digits - 1);
const digit = (n: number, place: number): number => Math.floor(n / 10 ** place) % 10;

function addition(a: number, b: number): string[] {
  const lines: string[] = [];
  let carry = 0;
  for (let place = 0; place < Math.max(String(a).length, String(b).length); place++) {
    const sum = digit(a, place) + digit(b, place) + carry;
    lines.push(`${digit(a, place)}+${digit(b, place)}${carry ? '+1' : ''}=${sum}`);
    carry = sum >= 10 ? 1 : 0;
  }
  return [...lines, String(a + b)];
}

function multiplication(a: number, b: number): string[] {
  const lines: string[] = [];
  let carry = 0;
  for (let place = 0; place < String(a).length; place++) {
    const product = digit(a, place) * b + carry;
    lines.push(`${digit(a, place)}*${b}${carry ? `+${carry}` : ''}=${product}`);
    carry = Math.floor(product / 10);
  }
  return [...lines, String(a * b)];
}

export const calculation: TaskFamily<Data> = {
  id: 'calculation',
  title: 'Written calculation',
  tag: '<calc>',
  tokens: ['<calc>', ...DIGITS, 'x', '+', '*', '=', ';'],
  levels: [1, 8],
  generate(draws, level): Problem<Data> {
    const kind = draws.pick(['add', 'multiply', 'equation'] as const);
    const problem = (text: string, lines: string[], a = 0, rest = 0): Problem<Data> => ({
      family: 'calculation',
      level,
      prompt: `<calc>${text}`,
      answer: lines.join(';'),
      key: text,
      data: { kind, result: lines[lines.length - 1], a, rest },
    });
    if (kind === 'equation') {
      const [a, x, b] = [draws.int(2, 9), size(draws, level), size(draws, level)];
      return problem(`${a}x+${b}=${a * x + b};`, [`${a}x=${a * x}`, `x=${x}`], a, a * x);
    }
    const a = size(draws, level);
    if (kind === 'multiply') {
      const b = draws.int(2, 9);
      return problem(`${a}*${b}=`, multiplication(a, b));
    }
    const b = size(draws, level);
    return problem(`${a}+${b}=`, addition(a, b));
  },
  verify({ data }, text): Verdict {
    const lines = text.split(';');
    const result = lines.pop();
    if (result !== data.result) return wrong(`the result is '${result}' instead of '${data.result}'`);
    const holds = (line: string): boolean =>
      data.kind === 'equation' ? line === `${data.a}x=${data.rest}` : lineHolds(line);
    const bad = lines.find((line) => !holds(line));
    return bad === undefined ? RIGHT : wrong(`the line '${bad}' does not hold`);
  },
};
