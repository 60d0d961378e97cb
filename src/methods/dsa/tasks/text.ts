/**
 * Rows of text, one byte a token: generated chronicles, or windows of a file of the user's. The last tenth of a file is never
 * trained on. Every byte is asked for.
 */
import { ConfigError } from '../../config-values.ts';
import type { Draw, Row } from './alphabet.ts';
import { story } from './story.ts';

/** A file of the user's as training data. */
export interface Corpus {
  name: string;
  bytes: Uint8Array;
}

const everyByte = (ids: number[]): Row => ({ ids, wanted: new Map(ids.slice(1).map((id, t) => [t, id])) });

export function storyRow(time: number, seed: number, index: number): Row {
  const { text, callbacks } = story(seed, index, time);
  const row = everyByte(Array.from(text, (char) => char.charCodeAt(0)));
  return { ...row, callbacks: new Set(callbacks.flatMap((called, t) => (called ? [t - 1] : []))) };
}

/** Bytes that training may see. */
const trained = (corpus: Corpus): number => Math.floor(corpus.bytes.length * 0.9);

/** Rows of an evaluation that share no byte. */
export const evalWindows = (corpus: Corpus, time: number): number =>
  Math.floor((corpus.bytes.length - trained(corpus)) / time);

/** So many at least: an interval over fewer would say nothing. */
const LEAST_WINDOWS = 10;

/** Throws ConfigError unless the evaluation's part of the file holds LEAST_WINDOWS rows of this length. */
export function checkCorpus({ name, bytes }: Corpus, time: number): void {
  const least = 10 * LEAST_WINDOWS * time;
  const lines = bytes.reduce((n, b) => n + Number(b === 10), 0) + Number(bytes.length > 0 && bytes.at(-1) !== 10);
  if (bytes.length >= least) return;
  throw new ConfigError(
    `corpus ${name}: ${bytes.length} bytes in ${lines} ${lines === 1 ? 'line' : 'lines'} are too few; rows of ${time} and a tenth ` +
      `for evaluation need at least ${least} bytes.`,
  );
}

const rowFrom = (corpus: Corpus, at: number, time: number): Row =>
  everyByte(Array.from(corpus.bytes.subarray(at, at + time)));

/** A row of training: from anywhere. */
export const corpusRow = (corpus: Corpus, time: number, draw: Draw): Row =>
  rowFrom(corpus, draw(trained(corpus) - time + 1), time);

/**
 * Row `index` of an evaluation: windows that share no byte, spread over the part, since intervals take rows for independent.
 * They begin anew behind the last (`evalWindows`).
 */
export function corpusWindow(corpus: Corpus, time: number, index: number): Row {
  const windows = evalWindows(corpus, time);
  // A stride without a common divisor visits every window once.
  let stride = Math.max(1, Math.round(windows * 0.618));
  while (gcd(stride, windows) > 1) stride++;
  return rowFrom(corpus, trained(corpus) + ((index * stride) % windows) * time, time);
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
