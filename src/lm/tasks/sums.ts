/** Any n numbers 0..99 that sum to S: `<sum>4:60>` to `7,21,30,2`. Everything depends on everything. Level = n. */
import { DIGITS, type Problem, RIGHT, type TaskFamily, type Verdict, wrong } from './task.ts';

export const sums: TaskFamily<{ count: number; sum: number }> = {
  id: 'sums',
  title: 'Numbers with a given sum',
  tag: '<sum>',
  tokens: ['<sum>', ...DIGITS, ':', '>', ','],
  levels: [2, 10],
  generate(draws, level): Problem<{ count: number; sum: number }> {
    const items = Array.from({ length: level }, () => draws.int(0, 99));
    const sum = items.reduce((a, b) => a + b, 0);
    const key = `${level}:${sum}`;
    const data = { count: level, sum };
    return { family: 'sums', level, prompt: `<sum>${key}>`, answer: items.join(','), key, data };
  },
  verify({ data }, text): Verdict {
    const items = text.split(',');
    if (!items.every((t) => /^\d{1,2}$/.test(t))) return wrong('not a list of numbers 0..99');
    if (items.length !== data.count) return wrong(`${items.length} numbers instead of ${data.count}`);
    const sum = items.reduce((a, t) => a + Number(t), 0);
    return sum === data.sum ? RIGHT : wrong(`the sum is ${sum} instead of ${data.sum}`);
  },
};
