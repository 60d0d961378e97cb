/**
 * Any n digits that sum to S: `<sum>4:23>` to `7,2,9,5`. Everything depends on everything: digits that are chosen one by one
 * can be right, digits that are chosen at once hardly ever. Level = n.
 */
import { DIGITS, type Problem, RIGHT, type TaskFamily, type Verdict, wrong } from './task.ts';

export const sums: TaskFamily<{ count: number; sum: number }> = {
  id: 'sums',
  title: 'Digits with a given sum',
  tag: '<sum>',
  tokens: ['<sum>', ...DIGITS, ':', '>', ','],
  levels: [2, 15],
  generate(draws, level): Problem<{ count: number; sum: number }> {
    const items = Array.from({ length: level }, () => draws.int(0, 9));
    const sum = items.reduce((a, b) => a + b, 0);
    const key = `${level}:${sum}`;
    const data = { count: level, sum };
    return { family: 'sums', level, prompt: `<sum>${key}>`, answer: items.join(','), key, data };
  },
  verify({ data }, text): Verdict {
    const items = text.split(',');
    if (!items.every((t) => /^\d$/.test(t))) return wrong('not a list of digits');
    if (items.length !== data.count) return wrong(`${items.length} digits instead of ${data.count}`);
    const sum = items.reduce((a, t) => a + Number(t), 0);
    return sum === data.sum ? RIGHT : wrong(`the sum is ${sum} instead of ${data.sum}`);
  },
};
