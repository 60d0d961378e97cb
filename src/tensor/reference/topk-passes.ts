/**
 * Radix selection pass by pass, as topk_radix.wgsl (digits of 8 bits) and topk_split.wgsl (11, 11 and 10 bits) do it: what
 * every histogram holds, which bin the k-th largest value falls into, how many places are left for it. For tests and views.
 */

/** Bits of the digits of the two kernels, first pass first. */
export const DIGITS = { radix: [8, 8, 8, 8], split: [11, 11, 10] } as const;

export interface RadixPass {
  /** The digit is (u >> shift) & (2^bits - 1) of a value u in unsigned order. */
  shift: number;
  bits: number;
  /** Values whose earlier digits are those of the threshold. */
  candidates: number;
  /** Count of every digit that occurs, ascending by digit. */
  bins: { digit: number; count: number }[];
  /** Digit of the threshold; places to fill before this pass and within that bin after it. */
  digit: number;
  before: number;
  left: number;
}

export interface RadixTrace {
  passes: RadixPass[];
  /** The k-th largest value, as an ordered integer and as a number. */
  key: number;
  threshold: number;
  /** Values above the threshold; values equal to it, and how many of those are taken (the most recent). */
  above: number;
  equal: number;
  taken: number;
}

const words = new Uint32Array(1);
const floats = new Float32Array(words.buffer);

/** A float32 as an unsigned integer of the same order (topk_order.wgsl). */
export function orderOf(x: number): number {
  floats[0] = x;
  const b = words[0];
  return (b ^ (b >>> 31 ? 0xffffffff : 0x80000000)) >>> 0;
}

/** The float32 of an ordered integer. */
export function numberOf(u: number): number {
  words[0] = (u ^ (u >>> 31 ? 0x80000000 : 0xffffffff)) >>> 0;
  return floats[0];
}

/** Selection of the k largest of scores[lo..hi-1]; `hi` > `lo`. */
export function radixTrace(
  scores: ArrayLike<number>,
  lo: number,
  hi: number,
  k: number,
  digits: readonly number[] = DIGITS.radix,
): RadixTrace {
  const values = Array.from({ length: hi - lo }, (_, i) => orderOf(scores[lo + i]));
  let candidates = values;
  let left = Math.min(k, values.length);
  let shift = 32;
  let key = 0;
  const passes = digits.map((bits): RadixPass => {
    shift -= bits;
    const at = shift;
    const digitOf = (u: number): number => (u >>> at) & (2 ** bits - 1);
    const counts = new Map<number, number>();
    for (const u of candidates) counts.set(digitOf(u), (counts.get(digitOf(u)) ?? 0) + 1);
    const bins = [...counts].map(([digit, count]) => ({ digit, count })).sort((a, b) => a.digit - b.digit);
    const before = left;
    let n = bins.length - 1;
    while (n > 0 && bins[n].count < left) left -= bins[n--].count;
    const { digit } = bins[n];
    const pass = { shift: at, bits, candidates: candidates.length, bins, digit, before, left };
    candidates = candidates.filter((u) => digitOf(u) === digit);
    key = (key | (digit << at)) >>> 0;
    return pass;
  });
  const above = values.filter((u) => u > key).length;
  return { passes, key, threshold: numberOf(key), above, equal: candidates.length, taken: left };
}
