/**
 * Rows of the two tasks (dsa.md section 4.1), a function of (split, seed, index) only. Associative recall (MQAR, Arora et al.
 * 2023): pairs of key and value among filler, then keys whose values are asked for. Majority: a row of two symbols, at the
 * last odd places the symbol in the majority so far is asked for and never shown, so that a row cannot be read off an
 * earlier answer: the negative control, whose answer depends on all tokens.
 */
import { mix32 } from '../../gpu/rng.ts';
import { NO_TOKEN, type TokenBatch } from '../../lm/train/batch.ts';
import type { DsaConfig } from './config.ts';

export type Task = 'retrieval' | 'control';
export type Split = 'train' | 'eval';

/** Places of a majority row that are asked about. */
const ASKED = 8;
const TAG: Record<Task, number> = { retrieval: 4, control: 5 };
const FIRST = 6;
/** The two symbols of the control. */
const SYMBOLS = [FIRST, FIRST + 1] as const;
const VALUES = 16;
const FILLERS = 8;
const VALUE = FIRST + 2;
const FILLER = VALUE + VALUES;
const KEY = FILLER + FILLERS;

/** Names of the tokens, for people. */
export function tokenName(id: number): string {
  if (id === TAG.retrieval) return '<find>';
  if (id === TAG.control) return '<count>';
  if (id >= KEY) return `k${id - KEY}`;
  if (id >= FILLER) return '·';
  if (id >= VALUE) return `v${id - VALUE}`;
  return id >= FIRST ? 'ab'[id - FIRST] : '<eot>';
}

const STREAM: Record<Split, number> = { train: 0x74726169, eval: 0x6576616c };

export interface Row {
  ids: number[];
  /** Place -> the token that is wanted after it. */
  wanted: Map<number, number>;
}

/** Whole numbers below n, one after the other. */
function drawsOf(split: Split, task: Task, seed: number, index: number): (n: number) => number {
  const stream = mix32(STREAM[split], TAG[task], seed, index);
  let at = 0;
  return (n) => Math.floor((mix32(stream, at++, index, 0x647361) / 2 ** 32) * n);
}

/** `count` different whole numbers below n. */
function different(draw: (n: number) => number, n: number, count: number): number[] {
  const all = Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < count; i++) {
    const j = i + draw(n - i);
    [all[i], all[j]] = [all[j], all[i]];
  }
  return all.slice(0, count);
}

export const keyCount = (c: DsaConfig): number => c.vocab - KEY;

function retrievalRow(c: DsaConfig, draw: (n: number) => number): Row {
  const keys = different(draw, keyCount(c), c.pairs);
  const values = keys.map(() => draw(VALUES));
  const space = c.time - 1 - 2 * c.queries - 2 * c.pairs;
  // Where filler goes: before any of the pairs, or behind the last.
  const gaps = new Array(c.pairs + 1).fill(0);
  for (let i = 0; i < space; i++) gaps[draw(c.pairs + 1)] += 1;
  const ids = [TAG.retrieval];
  const fill = (n: number): void => {
    for (let i = 0; i < n; i++) ids.push(FILLER + draw(FILLERS));
  };
  keys.forEach((key, i) => {
    fill(gaps[i]);
    ids.push(KEY + key, VALUE + values[i]);
  });
  fill(gaps[c.pairs]);
  const wanted = new Map<number, number>();
  for (let q = 0; q < c.queries && ids.length < c.time; q++) {
    const i = draw(c.pairs);
    wanted.set(ids.length, VALUE + values[i]);
    ids.push(KEY + keys[i], VALUE + values[i]);
  }
  return { ids: ids.slice(0, c.time), wanted };
}

function controlRow(c: DsaConfig, draw: (n: number) => number): Row {
  const ids: number[] = [TAG.control];
  const wanted = new Map<number, number>();
  // Rows lean to one side by chance, so that majorities are not all a matter of one token.
  const lean = 35 + draw(31);
  let balance = 0;
  while (ids.length < c.time) {
    const symbol = draw(100) < lean ? 0 : 1;
    balance += symbol === 0 ? 1 : -1;
    ids.push(SYMBOLS[symbol]);
    const place = ids.length - 1;
    if (place % 2 === 1 && place >= c.time - 2 * ASKED) wanted.set(place, SYMBOLS[balance > 0 ? 0 : 1]);
  }
  return { ids, wanted };
}

export function rowOf(c: DsaConfig, task: Task, split: Split, seed: number, index: number): Row {
  const draw = drawsOf(split, task, seed, index);
  return task === 'retrieval' ? retrievalRow(c, draw) : controlRow(c, draw);
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

/** Batch of a training step. */
export function trainingBatch(c: DsaConfig, seed: number, step: number): TokenBatch {
  const rows = Array.from({ length: c.batch }, (_, r) =>
    rowOf(c, r < c.controlRows ? 'control' : 'retrieval', 'train', seed, step * c.batch + r),
  );
  return batchOf(c, rows);
}
