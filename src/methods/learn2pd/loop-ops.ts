/** The kernels of the decoding loop: rows to feed, confidences, the decision. Words of a sequence's state as in state.wgsl. */
import rowsLink from '../../../shaders/methods/learn2pd/choose_rows.wgsl?link';
import confidenceLink from '../../../shaders/methods/learn2pd/confidence.wgsl?link';
import finalizeLink from '../../../shaders/methods/learn2pd/finalize_filter.wgsl?link';
import type { Tensor } from '../../tensor/graph.ts';
import { cover, pack } from '../../tensor/kernel.ts';
import { launch } from '../../tensor/ops/launch.ts';

export const STATE_WORDS = 16;

/** Places of a sequence's words. */
export const AT = {
  first: 0,
  length: 1,
  block: 2,
  end: 3,
  step: 4,
  masked: 5,
  passes: 6,
  full: 7,
  next: 8,
  eotAt: 9,
  byPolicy: 10,
  byTop: 11,
  cut: 12,
  guarded: 13,
  seed: 14,
} as const;

/** What a pass feeds: everything from index 0 on, or what lies from the block on (the rest is in the cache). */
export type PassKind = 1 | 2;

/** The decision kernel has one lane per position. */
export const LARGEST_BLOCK = 64;
/** Up to this vocabulary the decision kernel computes confidences itself. */
const FUSED_VOCAB = 256;

/** Words of a pass in the trace. */
export const recordWords = (block: number): number => 4 + 2 * block;

export interface PassRows {
  ids: Tensor;
  positions: Tensor;
  bounds: Tensor;
  /** u32 [sequences * block]: rows of the block among those that are fed. */
  pick: Tensor;
}

/** tokens u32 [sequences, capacity], state u32 [sequences, 16]; `queries` rows of each sequence, at least `block`. */
export function chooseRows(tokens: Tensor, state: Tensor, queries: number, kind: PassKind, block: number): PassRows {
  const [sequences, capacity] = tokens.shape;
  const rows = sequences * queries;
  const [ids, positions, bounds, pick] = launch(tokens.graph, {
    label: 'choose rows',
    link: rowsLink,
    entryPoint: 'choose',
    inputs: [tokens, state],
    outputs: [[rows], [rows], [rows, 2], [sequences * block]],
    uniforms: [rows, queries, capacity, kind, block],
    threads: rows,
    flopsEach: 0,
  });
  return { ids, positions, bounds, pick };
}

/** logits [rows, vocab] to u32 [rows, 3]: token, bits of its probability, bits of its lead over the second. */
export function guessTokens(logits: Tensor, settings: Tensor): Tensor {
  const { graph } = logits;
  const vocab = logits.shape[logits.shape.length - 1];
  const rows = logits.size / vocab;
  const [guesses] = graph.add({
    name: 'confidence',
    inputs: [logits, settings],
    outputs: [[rows, 3]],
    dispatch: ([out]) => [
      {
        label: 'confidence',
        code: confidenceLink(graph.conditions),
        entryPoint: 'guess',
        bindings: [logits, settings, out],
        uniforms: pack(rows, vocab),
        workgroups: cover(rows, 1),
        flops: 4 * logits.size,
        bytes: 4 * logits.size,
      },
    ],
  });
  return guesses;
}

export interface LoopBuffers {
  settings: Tensor;
  /** [depth * (block * block + block)], as filterColumns lays it out. */
  filter: Tensor;
  /** u32 [sequences, capacity]: the text that the oracle compares with. */
  reference: Tensor;
  tokens: Tensor;
  state: Tensor;
  /** u32 [sequences, records, 4 + 2 * block] */
  trace: Tensor;
}

export interface PassShape {
  kind: PassKind;
  block: number;
  depth: number;
  /** Logits are of all rows that were fed, not of the block alone. */
  allRows: boolean;
  /** Confidences by their own kernel; by default where the vocabulary is large. */
  split?: boolean;
}

/** Ends a pass: logits [sequences * queries, vocab] decide tokens, state and trace. */
export function finalize(logits: Tensor, buffers: LoopBuffers, shape: PassShape): void {
  const { graph } = logits;
  const { settings, filter, reference, tokens, state, trace } = buffers;
  const vocab = logits.shape[logits.shape.length - 1];
  const [sequences, capacity] = tokens.shape;
  const queries = logits.size / vocab / sequences;
  const { kind, block, depth, allRows } = shape;
  if (block > LARGEST_BLOCK) throw new Error(`finalize: blocks have at most ${LARGEST_BLOCK} tokens, not ${block}`);
  if (filter.size !== depth * (block * block + block)) {
    throw new Error(`finalize: the filter [${filter.shape}] is not one of ${depth} layers of ${block}`);
  }
  const split = shape.split ?? vocab > FUSED_VOCAB;
  const source = split ? guessTokens(logits, settings) : logits;
  const bindings = [source, settings, filter, reference, tokens, state, trace];
  graph.add({
    name: 'finalize filter',
    inputs: bindings,
    outputs: [],
    effect: true,
    dispatch: () => [
      {
        label: 'finalize filter',
        code: finalizeLink(graph.conditions),
        entryPoint: split ? 'decide' : 'fused',
        bindings,
        uniforms: pack(
          sequences,
          queries,
          vocab,
          capacity,
          kind,
          Number(allRows && kind === 1),
          trace.size / sequences / recordWords(block),
          block,
          depth,
        ),
        workgroups: [sequences, 1, 1],
        flops: (split ? 0 : 4 * sequences * block * vocab) + 2 * sequences * filter.size,
        bytes: 4 * source.size + 4 * filter.size,
      },
    ],
  });
}
