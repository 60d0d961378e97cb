// A row of numbers as someone types it, and numbers to begin with.

import { normals } from '../../../nn/params.ts';

/** Channels of an indexer head of preset nano. */
export const CHANNELS = 16;
/** Channel that the slider of the bench makes an outlier. */
export const OUTLIER = 5;

export type Typed = { ok: true; values: number[] } | { ok: false; reason: string };

/** Numbers between commas, semicolons or spaces. */
export function parseRow(text: string): Typed {
  const words = text.split(/[\s,;]+/).filter(Boolean);
  const wrong = words.find((word) => !Number.isFinite(Number(word)));
  if (wrong !== undefined) return { ok: false, reason: `“${wrong}” is no number.` };
  if (words.length !== CHANNELS) {
    return { ok: false, reason: `${words.length} numbers: a row has ${CHANNELS} channels.` };
  }
  return { ok: true, values: words.map(Number) };
}

/** Sixteen normal numbers of a seed. */
export const normalRow = (seed: number): string =>
  [...normals(seed, 0x666c6f61, CHANNELS)].map((v) => v.toFixed(3)).join(' ');

export const withOutlier = (values: readonly number[], factor: number): number[] =>
  values.map((v, i) => (i === OUTLIER ? v * factor : v));
