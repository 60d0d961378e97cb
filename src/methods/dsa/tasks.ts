/**
 * Rows of every task and the batches that training sees (dsa.md section 4.1): a function of (split, seed, index) only. What
 * the rows of a task look like stands in tasks/.
 */
import { mix32 } from '../../gpu/rng.ts';
import { NO_TOKEN, type TokenBatch } from '../../lm/train/batch.ts';
import type { DsaConfig } from './config.ts';
import { drawsOf, type Row, TAGS } from './tasks/alphabet.ts';
import { controlRow } from './tasks/control.ts';
import { copyRow, hopsRow, needleRow, retrievalRow } from './tasks/lookup.ts';
import { type Corpus, corpusRow, corpusWindow, storyRow } from './tasks/text.ts';

export { keyCount, type Row, tokenName } from './tasks/alphabet.ts';
export type { Corpus } from './tasks/text.ts';

/** Lookup tasks in the order of the tables, the negative control behind them. */
export const TOKEN_TASKS = ['retrieval', 'needle', 'copy', 'hops', 'control'] as const;
export type TokenTask = (typeof TOKEN_TASKS)[number];
export type Task = TokenTask | 'text';
export type Split = 'train' | 'eval';

const STREAM: Record<Split, number> = { train: 0x74726169, eval: 0x6576616c };
const TEXT_TAG = 6;

/** Rows of text and no others: generated chronicles, or a file. */
export const isText = (c: DsaConfig): boolean => c.corpus !== '';
export const STORY = 'story';

/** Rows of a batch that each task has; retrieval takes what the others leave. */
export function rowsOfBatch(c: DsaConfig): { task: Task; rows: number }[] {
  if (isText(c)) return [{ task: 'text', rows: c.batch }];
  const { needle, copy, hops } = c.mix;
  const retrieval = c.batch - c.controlRows - needle - copy - hops;
  return [
    { task: 'control' as const, rows: c.controlRows },
    { task: 'retrieval' as const, rows: retrieval },
    { task: 'needle' as const, rows: needle },
    { task: 'copy' as const, rows: copy },
    { task: 'hops' as const, rows: hops },
  ].filter(({ rows }) => rows > 0);
}

/** Tasks that a model of this configuration was trained on, the negative control last. */
export const tasksOf = (c: DsaConfig): Task[] => {
  const trained = new Set(rowsOfBatch(c).map(({ task }) => task));
  return isText(c) ? ['text'] : TOKEN_TASKS.filter((task) => trained.has(task));
};

/** `depth`: where the fact of a needle row lies, 0..1; `time` shorter rows, filled up behind. */
export function rowOf(
  c: DsaConfig,
  task: Task,
  split: Split,
  seed: number,
  index: number,
  options: { corpus?: Corpus; depth?: number; time?: number; pairs?: number; queries?: number } = {},
): Row {
  const tag = task === 'text' ? TEXT_TAG : TAGS[task];
  const stream = mix32(STREAM[split], tag, seed, index);
  const draw = drawsOf(stream, index);
  const { time = c.time, pairs = c.pairs, queries = c.queries, depth, corpus } = options;
  const sizes = { vocab: c.vocab, time, pairs, queries };
  const row = ((): Row => {
    switch (task) {
      case 'retrieval':
        return retrievalRow(sizes, draw);
      case 'needle':
        return needleRow(sizes, draw, depth);
      case 'copy':
        return copyRow(sizes, draw);
      case 'hops':
        return hopsRow(sizes, draw);
      case 'control':
        return controlRow(time, draw);
      case 'text':
        if (c.corpus === STORY) return storyRow(time, stream, index);
        if (!corpus) throw new Error(`The text of ${c.corpus} is not here: rows of it cannot be made.`);
        return split === 'train' ? corpusRow(corpus, time, draw) : corpusWindow(corpus, time, index);
    }
  })();
  while (row.ids.length < c.time) row.ids.push(0);
  // The value behind the last question is asked for and need not be there.
  row.ids.length = c.time;
  return row;
}

/** Rows as inputs of a step: every token sees its whole past; answers share the loss evenly within a row. */
export function batchOf(c: DsaConfig, rows: readonly Row[]): TokenBatch {
  const n = rows.length * c.time;
  const out: TokenBatch = {
    ids: new Uint32Array(n),
    positions: new Uint32Array(n),
    previous: new Uint32Array(n).fill(NO_TOKEN),
    bounds: new Uint32Array(2 * n),
    targets: new Uint32Array(n).fill(NO_TOKEN),
    weights: new Float32Array(n),
  };
  rows.forEach(({ ids, wanted }, r) => {
    ids.forEach((id, t) => {
      const at = r * c.time + t;
      out.ids[at] = id;
      out.positions[at] = t;
      if (t > 0) out.previous[at] = ids[t - 1];
      out.bounds[2 * at + 1] = t + 1;
    });
    for (const [t, id] of wanted) {
      out.targets[r * c.time + t] = id;
      out.weights[r * c.time + t] = 1 / (wanted.size * rows.length);
    }
  });
  // The shift embedding has a row for "none" right behind the vocabulary.
  out.previous.forEach((id, i) => {
    if (id === NO_TOKEN) out.previous[i] = c.vocab;
  });
  return out;
}

/** Pairs and questions at this share of a stage: a quarter at first, all from a third on. Rows keep their length. */
export function curriculum(c: DsaConfig, progress: number): { pairs: number; queries: number } {
  const share = c.curriculum ? Math.min(1, 0.25 + 2.25 * progress) : 1;
  return { pairs: Math.max(3, Math.round(share * c.pairs)), queries: c.queries };
}

/** Batch of a training step; `progress`: share of the base stage that is done, 1 in all later stages. */
export function trainingBatch(c: DsaConfig, seed: number, step: number, progress = 1, corpus?: Corpus): TokenBatch {
  const sizes = curriculum(c, progress);
  const first = step * c.batch;
  const rows: Row[] = [];
  for (const { task, rows: count } of rowsOfBatch(c)) {
    for (let i = 0; i < count; i++) rows.push(rowOf(c, task, 'train', seed, first + rows.length, { ...sizes, corpus }));
  }
  return batchOf(c, rows);
}
