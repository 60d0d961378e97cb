/**
 * Expressions over + - * with brackets, worked one reduction per line: `<arith>(3+4)*2=` to `7*2;14`. Level = number of
 * operators. Numbers in problems are 1..9 and every intermediate result stays within 0..999.
 */
import { DIGITS, type Draws, type Problem, RIGHT, type TaskFamily, type Verdict, wrong } from './task.ts';

type Tree = number | { op: '+' | '-' | '*'; left: Tree; right: Tree };

const LIMIT = 999;

export function evaluate(tree: Tree): number {
  if (typeof tree === 'number') return tree;
  const [a, b] = [evaluate(tree.left), evaluate(tree.right)];
  return tree.op === '+' ? a + b : tree.op === '-' ? a - b : a * b;
}

function within(tree: Tree): boolean {
  const value = evaluate(tree);
  if (value < 0 || value > LIMIT) return false;
  return typeof tree === 'number' || (within(tree.left) && within(tree.right));
}

function grow(draws: Draws, operators: number): Tree {
  if (operators === 0) return draws.int(1, 9);
  const left = draws.int(0, operators - 1);
  const op = draws.pick(['+', '-', '*'] as const);
  return { op, left: grow(draws, left), right: grow(draws, operators - 1 - left) };
}

/** With the fewest brackets that keep the tree's meaning. */
export function write(tree: Tree): string {
  if (typeof tree === 'number') return String(tree);
  const inner = (child: Tree, right: boolean): string => {
    const loose =
      typeof child !== 'number' &&
      ((tree.op === '*' && child.op !== '*') || (right && (tree.op !== '+' || child.op === '-')));
    return loose ? `(${write(child)})` : write(child);
  };
  return `${inner(tree.left, false)}${tree.op}${inner(tree.right, true)}`;
}

/** The tree with its leftmost innermost operation carried out. */
function reduce(tree: Tree): Tree {
  if (typeof tree === 'number') return tree;
  if (typeof tree.left !== 'number') return { ...tree, left: reduce(tree.left) };
  if (typeof tree.right !== 'number') return { ...tree, right: reduce(tree.right) };
  return evaluate(tree);
}

/** Every expression from the given one to its value, without the given one. */
function worked(tree: Tree): string[] {
  const lines: string[] = [];
  for (let t = tree; typeof t !== 'number'; ) {
    t = reduce(t);
    lines.push(write(t));
  }
  return lines;
}

export const arithmetic: TaskFamily<{ value: number }> = {
  id: 'arithmetic',
  title: 'Arithmetic',
  tag: '<arith>',
  tokens: ['<arith>', ...DIGITS, '+', '-', '*', '(', ')', '=', ';'],
  levels: [1, 6],
  generate(draws, level): Problem<{ value: number }> {
    let tree = grow(draws, level);
    while (!within(tree)) tree = grow(draws, level);
    const text = write(tree);
    return {
      family: 'arithmetic',
      level,
      prompt: `<arith>${text}=`,
      answer: worked(tree).join(';'),
      key: text,
      data: { value: evaluate(tree) },
    };
  },
  verify({ data }, text): Verdict {
    const last = text.slice(text.lastIndexOf(';') + 1);
    if (!/^\d{1,6}$/.test(last)) return wrong(`the last line '${last}' is not a number`);
    return Number(last) === data.value ? RIGHT : wrong(`${last} instead of ${data.value}`);
  },
};
