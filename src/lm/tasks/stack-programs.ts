/**
 * A stack program from three examples: `<stack>2,3>10;4,1>10;5,5>20:` to `xy+2*`. Any program that agrees with the hidden
 * tests is right, so tokens depend on each other: a problem with several answers. Level = operations.
 */
import { DIGITS, type Draws, type Problem, RIGHT, type TaskFamily, type Verdict, wrong } from './task.ts';

const OPERATIONS = ['+', '-', '*', 'm', 'd', 's'];
const STACK = 16;
const STEPS = 64;
const LIMIT = 1e6;

/**
 * Runs a program on x and y: digits and x, y push; + - * and m (the larger) take two; d doubles the top, s swaps.
 * Gives the only value left, or why there is none.
 */
export function runStack(program: string, x: number, y: number): number | string {
  if (program.length > STEPS) return `more than ${STEPS} steps`;
  const stack: number[] = [];
  for (const token of program) {
    if (/^\d$/.test(token)) stack.push(Number(token));
    else if (token === 'x') stack.push(x);
    else if (token === 'y') stack.push(y);
    else {
      const needs = token === 'd' ? 1 : 2;
      if (!OPERATIONS.includes(token)) return `'${token}' is no operation`;
      if (stack.length < needs) return `the stack is empty at '${token}'`;
      const b = stack.pop() as number;
      if (token === 'd') stack.push(b, b);
      else {
        const a = stack.pop() as number;
        if (token === 's') stack.push(b, a);
        else stack.push(token === '+' ? a + b : token === '-' ? a - b : token === '*' ? a * b : Math.max(a, b));
      }
    }
    if (stack.length > STACK) return 'the stack is full';
    if (Math.abs(stack[stack.length - 1]) > LIMIT) return 'a number is too large';
  }
  return stack.length === 1 ? stack[0] : `${stack.length} values are left`;
}

function write(draws: Draws, operations: number): string {
  const leaf = (): string => draws.pick(['x', 'y', 'x', 'y', String(draws.int(1, 5))]);
  let program = leaf();
  for (let i = 0; i < operations; i++) {
    if (draws.uniform() < 0.2) program += `d${draws.pick(['+', '*'])}`;
    else program += `${leaf()}${draws.pick(['+', '-', '*', 'm'])}`;
  }
  return program;
}

type Test = [x: number, y: number, out: number];

export const stackPrograms: TaskFamily<{ tests: Test[] }> = {
  id: 'stack',
  title: 'Stack programs from examples',
  tag: '<stack>',
  tokens: ['<stack>', ...DIGITS, ...OPERATIONS, 'x', 'y', ',', '>', ';', ':'],
  levels: [1, 20],
  generate(draws, level): Problem<{ tests: Test[] }> {
    for (;;) {
      const answer = write(draws, level);
      const tests: Test[] = [];
      for (let i = 0; i < 8; i++) {
        const [x, y] = [draws.int(0, 9), draws.int(0, 9)];
        const out = runStack(answer, x, y);
        if (typeof out === 'number') tests.push([x, y, out]);
      }
      const shown = tests.slice(0, 3);
      // The result must depend on the input, and numbers must stay short.
      if (tests.length < 8 || new Set(tests.map((t) => t[2])).size < 3) continue;
      if (tests.some(([, , out]) => Math.abs(out) > 9999)) continue;
      const text = shown.map(([x, y, out]) => `${x},${y}>${out}`).join(';');
      return { family: 'stack', level, prompt: `<stack>${text}:`, answer, key: text, data: { tests } };
    }
  },
  verify({ data }, text): Verdict {
    for (const [x, y, out] of data.tests) {
      const got = runStack(text, x, y);
      if (typeof got === 'string') return wrong(got);
      if (got !== out) return wrong(`${x},${y} gives ${got} instead of ${out}`);
    }
    return RIGHT;
  },
};
