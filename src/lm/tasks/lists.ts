/** Copy, reverse or sort a list of numbers 0..9: answers of any length that need no calculation. Level = length. */
import { DIGITS, type Problem, RIGHT, type TaskFamily, type Verdict, wrong } from './task.ts';

const OPERATIONS = ['copy', 'reverse', 'sort'] as const;

function apply(operation: (typeof OPERATIONS)[number], items: readonly number[]): number[] {
  if (operation === 'copy') return [...items];
  return operation === 'reverse' ? [...items].reverse() : [...items].sort((a, b) => a - b);
}

export const lists: TaskFamily<{ wanted: string }> = {
  id: 'lists',
  title: 'Copy, reverse, sort',
  tag: '<list>',
  tokens: ['<list>', ...OPERATIONS, ...DIGITS, ':', '>'],
  levels: [4, 60],
  generate(draws, level): Problem<{ wanted: string }> {
    const operation = draws.pick(OPERATIONS);
    const items = Array.from({ length: level }, () => draws.int(0, 9));
    const wanted = apply(operation, items).join('');
    const key = `${operation}:${items.join('')}`;
    return { family: 'lists', level, prompt: `<list>${key}>`, answer: wanted, key, data: { wanted } };
  },
  verify({ data }, text): Verdict {
    if (text === data.wanted) return RIGHT;
    return wrong(
      text.length === data.wanted.length ? 'an item is wrong' : `${text.length} items instead of ${data.wanted.length}`,
    );
  },
};
