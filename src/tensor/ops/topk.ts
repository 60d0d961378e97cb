/**
 * Exact selection of the k largest scores of every row, ties to the most recent column. Four ways with one result: one
 * workgroup per row (radix), few long rows over many workgroups (split), one invocation per row (bisect), and on the host
 * (reference/topk.ts). Radix selection is Alabi et al. 2012; nothing here sorts.
 */
import bitsLink from '../../../shaders/attention/selection_bits.wgsl?link';
import bisectLink from '../../../shaders/attention/topk_bisect.wgsl?link';
import radixLink from '../../../shaders/attention/topk_radix.wgsl?link';
import splitLink from '../../../shaders/attention/topk_split.wgsl?link';
import type { Tensor } from '../graph.ts';
import { cover, type Dispatch, pack } from '../kernel.ts';
import { launch } from './launch.ts';

export type Selector = 'radix' | 'split' | 'bisect';

/** Marks a place of a selection that holds no column. */
export const NONE = 0xffffffff;
/** Columns of one thread of the split selector; as BLOCK in topk_split.wgsl. */
const BLOCK = 64;
/** Bins of a histogram of the split selector. */
const BINS = 2048;
/** On a CPU adapter barriers cost more than counting passes up to about this many columns. */
const SHORT = 2048;

/** What an adapter takes for rows of this length. */
export function selectorFor(software: boolean, rows: number, length: number): Selector {
  if (rows <= 8 && length > 4096) return 'split';
  return software && length <= SHORT ? 'bisect' : 'radix';
}

/**
 * scores [rows, length], bounds u32 [rows, 2] (candidates are the columns lo..hi-1): u32 [rows, k], the chosen columns in
 * ascending order, NONE behind them where a row has fewer candidates. Not differentiable.
 */
export function topK(scores: Tensor, bounds: Tensor, k: number, selector?: Selector): Tensor {
  const { graph } = scores;
  const rows = bounds.size / 2;
  const length = scores.size / rows;
  if (!Number.isInteger(length)) throw new Error(`topK: scores [${scores.shape}] are not ${rows} rows`);
  if (!Number.isInteger(k) || k < 1) throw new Error(`topK: k = ${k} is not a positive integer`);
  const kind = selector ?? selectorFor(graph.conditions.software, rows, length);
  if (kind === 'split') return split(scores, bounds, rows, length, k);
  const [chosen] = graph.add({
    name: 'top-k',
    inputs: [scores, bounds],
    outputs: [[rows, k]],
    dispatch: ([out]) => [
      {
        label: `top-k ${kind}`,
        code: (kind === 'radix' ? radixLink : bisectLink)(graph.conditions),
        entryPoint: kind,
        bindings: [scores, bounds, out],
        uniforms: pack(rows, length, k),
        workgroups: kind === 'radix' ? cover(rows, 1) : cover(rows),
        flops: 0,
        bytes: 4 * (rows * length * (kind === 'radix' ? 6 : 34) + rows * k),
      },
    ],
  });
  return chosen;
}

function split(scores: Tensor, bounds: Tensor, rows: number, length: number, k: number): Tensor {
  const { graph } = scores;
  const blocks = Math.ceil(length / BLOCK);
  const code = splitLink(graph.conditions);
  const [chosen] = graph.add({
    name: 'top-k split',
    inputs: [scores, bounds],
    outputs: [
      [rows, k],
      [rows, 4],
      [rows, 3, BINS],
      [rows, blocks, 2],
    ],
    dispatch: ([out, state, bins, counts]) => {
      const step = (entryPoint: string, threads: number, digit = 0): Dispatch => ({
        label: `top-k ${entryPoint}`,
        code,
        entryPoint,
        bindings: [scores, bounds, state, bins, counts, out],
        uniforms: pack(rows, length, k, digit, blocks),
        workgroups: cover(threads),
        flops: 0,
        bytes: 4 * rows * ({ start: 3 * BINS, pick: BINS, offsets: 2 * blocks }[entryPoint] ?? length),
      });
      const digits = [0, 1, 2].flatMap((digit) => [step('histogram', rows * blocks, digit), step('pick', rows, digit)]);
      const start = step('start', rows * 3 * BINS);
      return [start, ...digits, step('count', rows * blocks), step('offsets', rows), step('emit', rows * blocks)];
    },
  });
  return chosen;
}

/** Chosen columns [rows, k], ascending, as bits: u32 [rows, ceil(length / 32)]. */
export function selectionBits(chosen: Tensor, length: number): Tensor {
  const [rows, k] = chosen.shape;
  const words = Math.ceil(length / 32);
  return launch(chosen.graph, {
    label: 'selection bits',
    link: bitsLink,
    entryPoint: 'selection_bits',
    inputs: [chosen],
    outputs: [[rows, words]],
    uniforms: [rows, k, words],
    threads: rows * words,
    flops: 0,
  })[0];
}
