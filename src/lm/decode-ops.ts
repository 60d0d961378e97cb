/** The kernels of resident decoding: choose the rows to feed, draw tokens, note how far the prefill has come. */
import rowsLink from '../../shaders/lm/decode_rows.wgsl?link';
import filledLink from '../../shaders/lm/prefill_mark.wgsl?link';
import sampleLink from '../../shaders/lm/sample.wgsl?link';
import type { Tensor } from '../tensor/graph.ts';
import { cover, pack } from '../tensor/kernel.ts';
import { launch } from '../tensor/ops/launch.ts';

/** Words of one sequence's state (shaders/lm/state.wgsl): cursor, limit, done, seed, filled. */
export const STATE_WORDS = 8;

export interface ChosenRows {
  ids: Tensor;
  previous: Tensor;
  positions: Tensor;
  bounds: Tensor;
}

/** Rows of the next pass: the token at each cursor, or with `prefill` the next `queries` tokens of each prompt. */
export function decodeRows(tokens: Tensor, state: Tensor, queries: number, prefill: boolean): ChosenRows {
  const [sequences, capacity] = tokens.shape;
  const rows = sequences * queries;
  const [ids, previous, positions, bounds] = launch(tokens.graph, {
    label: 'decode rows',
    link: rowsLink,
    entryPoint: 'choose',
    inputs: [tokens, state],
    outputs: [[rows], [rows], [rows], [rows, 2]],
    uniforms: [rows, queries, capacity, prefill ? 1 : 0],
    threads: rows,
    flopsEach: 0,
  });
  return { ids, previous, positions, bounds };
}

/** One token for every running sequence; writes token, log-probability and state. */
export function sampleTokens(
  logits: Tensor,
  settings: Tensor,
  { tokens, logProbs, state }: { tokens: Tensor; logProbs: Tensor; state: Tensor },
): void {
  const { graph } = logits;
  const [sequences, capacity] = tokens.shape;
  const vocab = logits.size / sequences;
  const { software } = graph.conditions;
  const bindings = [logits, settings, state, tokens, logProbs];
  graph.add({
    name: 'sample',
    inputs: bindings,
    outputs: [],
    effect: true,
    dispatch: () => [
      {
        label: 'sample',
        code: sampleLink(graph.conditions),
        entryPoint: software ? 'serial' : 'spread',
        bindings,
        uniforms: pack(sequences, vocab, capacity),
        workgroups: software ? cover(sequences, 8) : [sequences, 1, 1],
        flops: logits.size * 8,
        bytes: logits.size * 4,
      },
    ],
  });
}

export function markFilled(state: Tensor, sequences: number, queries: number): void {
  launch(state.graph, {
    label: 'filled',
    link: filledLink,
    entryPoint: 'filled',
    inputs: [state],
    outputs: [[4]],
    uniforms: [sequences, queries],
    threads: sequences,
    effect: true,
  });
}
