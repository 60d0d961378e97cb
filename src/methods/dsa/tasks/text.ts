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

/** Throws ConfigError unless both parts of the file hold some rows of this length. */
export function checkCorpus({ name, bytes }: Corpus, time: number): void {
  const least = 20 * time;
  const lines = bytes.reduce((n, b) => n + Number(b === 10), 0) + Number(bytes.length > 0 && bytes.at(-1) !== 10);
  if (bytes.length >= least) return;
  throw new ConfigError(
    `corpus ${name}: ${bytes.length} bytes in ${lines} ${lines === 1 ? 'line' : 'lines'} are too few; rows of ${time} and a tenth ` +
      `for evaluation need at least ${least} bytes.`,
  );
}

export function corpusRow(corpus: Corpus, time: number, part: 'train' | 'eval', draw: Draw): Row {
  const cut = trained(corpus);
  const [from, to] = part === 'train' ? [0, cut] : [cut, corpus.bytes.length];
  const at = from + draw(to - from - time + 1);
  return everyByte(Array.from(corpus.bytes.subarray(at, at + time)));
}
