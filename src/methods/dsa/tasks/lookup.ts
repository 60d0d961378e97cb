/**
 * Rows whose answers stand in one or two earlier places (dsa.md section 4.1): associative recall (MQAR, Arora et al. 2023),
 * needle (few facts in much filler, at a depth that can be fixed), copy (induction) and hops (follow two pointers). Layout
 * only: which rows a training step holds is the business of tasks.ts.
 */
import { type Draw, different, FILLER, FILLERS, KEY, keyCount, type Row, TAGS, VALUE, VALUES } from './alphabet.ts';

export interface LookupSizes {
  vocab: number;
  time: number;
  /** Pairs of a row and how often one is asked for. */
  pairs: number;
  queries: number;
}

/** Facts of a needle row at most. */
export const FACTS = 4;

const filler = (draw: Draw): number => FILLER + draw(FILLERS);

/** `[tag] pairs among filler, questions`: every pair and question is two tokens; the questions end at `time`. */
function asked(
  s: LookupSizes,
  tag: number,
  draw: Draw,
  pairs: readonly [number, number][],
  questions: readonly [key: number, answer: number][],
): Row {
  const space = s.time - 1 - 2 * questions.length - 2 * pairs.length;
  // Where filler goes: before any of the pairs, or behind the last.
  const gaps = new Array(pairs.length + 1).fill(0);
  for (let i = 0; i < space; i++) gaps[draw(pairs.length + 1)] += 1;
  const ids = [tag];
  const fill = (n: number): void => {
    for (let i = 0; i < n; i++) ids.push(filler(draw));
  };
  pairs.forEach((pair, i) => {
    fill(gaps[i]);
    ids.push(...pair);
  });
  fill(gaps[pairs.length]);
  const wanted = new Map<number, number>();
  for (const [key, answer] of questions) {
    wanted.set(ids.length, answer);
    ids.push(key, answer);
  }
  return { ids, wanted };
}

export function retrievalRow(s: LookupSizes, draw: Draw): Row {
  const keys = different(draw, keyCount(s), s.pairs);
  const values = keys.map(() => draw(VALUES));
  const pairs = keys.map((key, i): [number, number] => [KEY + key, VALUE + values[i]]);
  const questions: [number, number][] = [];
  for (let q = 0; q < s.queries; q++) questions.push(pairs[draw(s.pairs)]);
  return asked(s, TAGS.retrieval, draw, pairs, questions);
}

/**
 * One to four facts in filler and lone values, one question per fact at the end, in another order. `depth` 0..1 puts a
 * single fact there, for maps of depth and length; `time` is then the length.
 */
export function needleRow(s: LookupSizes, draw: Draw, depth?: number): Row {
  const count = depth === undefined ? 1 + draw(FACTS) : 1;
  const keys = different(draw, keyCount(s), count);
  const facts = keys.map((key): [number, number] => [KEY + key, VALUE + draw(VALUES)]);
  const body = s.time - 1 - 2 * count;
  const ids = [TAGS.needle as number];
  // Slots of two tokens, so that facts do not overlap.
  const slots = different(draw, body >> 1, count);
  if (depth !== undefined) slots[0] = Math.min((body >> 1) - 1, Math.floor(depth * (body >> 1)));
  const at = new Map(slots.map((slot, i) => [2 * slot, facts[i]]));
  for (let t = 0; t < body; t++) {
    const fact = at.get(t);
    if (fact) ids.push(...fact);
    else ids.push(draw(4) === 0 ? VALUE + draw(VALUES) : filler(draw));
    if (fact) t += 1;
  }
  const wanted = new Map<number, number>();
  for (const i of different(draw, count, count)) {
    wanted.set(ids.length, facts[i][1]);
    ids.push(...facts[i]);
  }
  return { ids, wanted };
}

/** Different keys in random order, then the same again: from the second token on, all of the repetition is known. */
export function copyRow(s: LookupSizes, draw: Draw): Row {
  const count = Math.min(keyCount(s), (s.time - 1) >> 1);
  const keys = different(draw, keyCount(s), count).map((key) => KEY + key);
  const ids: number[] = [TAGS.copy];
  const wanted = new Map<number, number>();
  while (ids.length < s.time) {
    const next = keys[(ids.length - 1) % count];
    if (ids.length > count + 1) wanted.set(ids.length - 1, next);
    ids.push(next);
  }
  return { ids, wanted };
}

/** Pointers from key to key in shuffled order, one cycle; asked is where two of them lead. */
export function hopsRow(s: LookupSizes, draw: Draw): Row {
  const cycle = different(draw, keyCount(s), s.pairs).map((key) => KEY + key);
  const after = (i: number): number => cycle[i % cycle.length];
  const links = different(draw, s.pairs, s.pairs).map((i): [number, number] => [cycle[i], after(i + 1)]);
  const questions: [number, number][] = [];
  for (let q = 0; q < s.queries; q++) {
    const i = draw(s.pairs);
    questions.push([cycle[i], after(i + 2)]);
  }
  return asked(s, TAGS.hops, draw, links, questions);
}
