/** Token ids of the generated tasks and what people call them. Rows of text are bytes instead (text.ts). */
import { mix32 } from '../../../gpu/rng.ts';

/** Every token sees its whole past; `wanted`: place -> the token that is wanted after it. */
export interface Row {
  ids: number[];
  wanted: Map<number, number>;
  /** Text only: places whose next token can be known from a fact told long before. */
  callbacks?: Set<number>;
}

/** Whole numbers below n, one after the other. */
export type Draw = (n: number) => number;

export const TAGS = { needle: 1, copy: 2, hops: 3, retrieval: 4, control: 5 } as const;
const FIRST = 6;
/** The two symbols of the control. */
export const SYMBOLS = [FIRST, FIRST + 1] as const;
export const VALUES = 16;
export const FILLERS = 8;
export const VALUE = FIRST + 2;
export const FILLER = VALUE + VALUES;
export const KEY = FILLER + FILLERS;

/** Different keys that a vocabulary of this size has. */
export const keyCount = (c: { vocab: number }): number => c.vocab - KEY;

const NAMES: Record<number, string> = {
  [TAGS.needle]: '<needle>',
  [TAGS.copy]: '<copy>',
  [TAGS.hops]: '<hop>',
  [TAGS.retrieval]: '<find>',
  [TAGS.control]: '<count>',
};

/** Names of the tokens, for people; `text`: ids are bytes. */
export function tokenName(id: number, text = false): string {
  if (text) return id === 10 ? '⏎' : id >= 32 && id < 127 ? String.fromCharCode(id) : `\\x${id.toString(16)}`;
  if (NAMES[id]) return NAMES[id];
  if (id >= KEY) return `k${id - KEY}`;
  if (id >= FILLER) return '·';
  if (id >= VALUE) return `v${id - VALUE}`;
  return id >= FIRST ? 'ab'[id - FIRST] : '<eot>';
}

/** Draws that depend on (stream, index) only. */
export function drawsOf(stream: number, index: number): Draw {
  let at = 0;
  return (n) => Math.floor((mix32(stream, at++, index, 0x647361) / 2 ** 32) * n);
}

/** `count` different whole numbers below n. */
export function different(draw: Draw, n: number, count: number): number[] {
  const all = Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const j = i + draw(n - i);
    [all[i], all[j]] = [all[j], all[i]];
  }
  return all.slice(0, count);
}
