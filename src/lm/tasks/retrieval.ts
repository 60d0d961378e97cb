/**
 * Looking things up: key-value pairs in any order and a question. `<find>k3v7k9v1?k9` to `v1` (associative recall, Arora
 * et al. 2023), and with hops `<hop>k3k9;k9k1;...?2k3` to `k1`: follow the pointer twice. Keys and values are tokens of
 * their own. Level = pairs.
 */
import { type Draws, type Problem, RIGHT, type TaskFamily, type Verdict, wrong } from './task.ts';

export const KEYS = Array.from({ length: 64 }, (_, i) => `k${i}.`);
export const VALUES = Array.from({ length: 16 }, (_, i) => `v${i}.`);

/** `pairs` different keys with random values, and `queries` different ones of them. */
export function associations(
  draws: Draws,
  pairs: number,
  queries: number,
): { pairs: [key: string, value: string][]; queries: [key: string, value: string][] } {
  const all = draws.some(KEYS, pairs).map((key): [string, string] => [key, draws.pick(VALUES)]);
  return { pairs: all, queries: draws.some(all, queries) };
}

const exactly = (wanted: string, text: string): Verdict =>
  text === wanted ? RIGHT : wrong(`'${text.slice(0, 20)}' instead of '${wanted}'`);

export const retrieval: TaskFamily<{ value: string }> = {
  id: 'retrieval',
  title: 'Associative recall',
  tag: '<find>',
  tokens: ['<find>', ...KEYS, ...VALUES, '?'],
  levels: [2, 64],
  generate(draws, level): Problem<{ value: string }> {
    const { pairs, queries } = associations(draws, level, 1);
    const [[key, value]] = queries;
    const text = `${pairs.flat().join('')}?${key}`;
    return { family: 'retrieval', level, prompt: `<find>${text}`, answer: value, key: text, data: { value } };
  },
  verify: ({ data }, text) => exactly(data.value, text),
};

export const hops: TaskFamily<{ value: string }> = {
  id: 'hops',
  title: 'Pointers to follow',
  tag: '<hop>',
  tokens: ['<hop>', ...KEYS, ';', '?', '1', '2', '3'],
  levels: [4, 32],
  generate(draws, level): Problem<{ value: string }> {
    // One cycle through `level` keys: every key points to the next.
    const cycle = draws.some(KEYS, level);
    const links = draws.some(
      cycle.map((key, i) => `${key}${cycle[(i + 1) % level]}`),
      level,
    );
    const [from, times] = [draws.int(0, level - 1), draws.int(1, 3)];
    const value = cycle[(from + times) % level];
    const text = `${links.join(';')}?${times}${cycle[from]}`;
    return { family: 'hops', level, prompt: `<hop>${text}`, answer: value, key: text, data: { value } };
  },
  verify: ({ data }, text) => exactly(data.value, text),
};
