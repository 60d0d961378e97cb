/**
 * Countdown: make a target from k numbers with + - * /, using each once. A step names the operation and what is left:
 * `<count>3 7 8 2>24:` to `8*2=16|3 7 16;3*16=48|7 48;...;=24` (deepsearch 4, task T1). Level = k. Results stay within
 * 0..999, subtraction does not go below 0, division is exact.
 */
import { DIGITS, type Draws, type Problem, RIGHT, type TaskFamily, type Verdict, wrong } from './task.ts';

export type Operator = '+' | '-' | '*' | '/';

/** Result of a legal operation, or null. */
export function operate(a: number, op: Operator, b: number): number | null {
  if (op === '/') return b !== 0 && a % b === 0 ? a / b : null;
  const value = op === '+' ? a + b : op === '-' ? a - b : a * b;
  return value >= 0 && value <= 999 ? value : null;
}

const list = (numbers: readonly number[]): string => [...numbers].sort((a, b) => a - b).join(' ');

/** The numbers without one a and one b, or null if they are not there. */
function without(numbers: readonly number[], a: number, b: number): number[] | null {
  const rest = [...numbers];
  for (const n of [a, b]) {
    const at = rest.indexOf(n);
    if (at < 0) return null;
    rest.splice(at, 1);
  }
  return rest;
}

/** Numbers after one written step, or why the step is not legal. */
export function countdownStep(numbers: readonly number[], line: string): number[] | string {
  const match = /^(\d{1,3})([+*/-])(\d{1,3})=(\d{1,3})\|([\d ]+)$/.exec(line);
  if (!match) return `'${line}' is not a step`;
  const [a, b, claimed] = [match[1], match[3], match[4]].map(Number);
  const rest = without(numbers, a, b);
  if (!rest) return `${a} and ${b} are not among ${list(numbers)}`;
  const value = operate(a, match[2] as Operator, b);
  if (value !== claimed) return `${a}${match[2]}${b} is not ${claimed}`;
  const next = [...rest, value];
  return list(next) === match[5] ? next : `what is left is ${list(next)}, not ${match[5]}`;
}

function solve(draws: Draws, numbers: readonly number[]): { lines: string[]; value: number } | null {
  const lines: string[] = [];
  let rest = [...numbers];
  while (rest.length > 1) {
    const [a, b] = draws.some(rest, 2);
    const op = draws.pick(['+', '-', '*', '/'] as const);
    const value = operate(a, op, b);
    if (value === null) return null;
    rest = [...(without(rest, a, b) as number[]), value];
    lines.push(`${a}${op}${b}=${value}|${list(rest)}`);
  }
  return { lines, value: rest[0] };
}

export const countdown: TaskFamily<{ numbers: number[]; target: number }> = {
  id: 'countdown',
  title: 'Countdown',
  tag: '<count>',
  tokens: ['<count>', ...DIGITS, ' ', '+', '-', '*', '/', '=', '|', ';', '>', ':'],
  levels: [2, 6],
  generate(draws, level): Problem<{ numbers: number[]; target: number }> {
    for (;;) {
      const numbers = Array.from({ length: level }, () => draws.int(1, 25));
      const solved = solve(draws, numbers);
      if (!solved || solved.value < 10 || solved.value > 199) continue;
      const key = `${list(numbers)}>${solved.value}`;
      return {
        family: 'countdown',
        level,
        prompt: `<count>${key}:`,
        answer: `${solved.lines.join(';')};=${solved.value}`,
        key,
        data: { numbers, target: solved.value },
      };
    }
  },
  verify({ data }, text): Verdict {
    const lines = text.split(';');
    if (lines.pop() !== `=${data.target}`) return wrong(`it does not end with =${data.target}`);
    let numbers: number[] = data.numbers;
    for (const line of lines) {
      const next = countdownStep(numbers, line);
      if (typeof next === 'string') return wrong(next);
      numbers = next;
    }
    if (numbers.length !== 1) return wrong(`${numbers.length} numbers are left`);
    return numbers[0] === data.target ? RIGHT : wrong(`${numbers[0]} instead of ${data.target}`);
  },
};
