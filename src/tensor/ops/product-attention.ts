/**
 * Attention of many queries as matrix products with the softmax between them, for CPU adapters: there a key that every query
 * loads again costs more than the matrix of all scores, and matrix products run near the adapter's peak. Sequences, masks and
 * result are those of latent-attention.ts, which chooses between the two.
 */

import weightsLink from '../../../shaders/attention/weights.wgsl?link';
import backwardLink from '../../../shaders/attention/weights_backward.wgsl?link';
import type { Conditions } from '../../gpu/device.ts';
import type { Tensor } from '../graph.ts';
import { type LatentShape, latentWidth, nothing } from './latent-shape.ts';
import { launch } from './launch.ts';
import { product } from './matmul.ts';
import { swapAxes } from './swap.ts';

/** A storage binding that every adapter has. */
const BINDING = 128 * 2 ** 20;

/** Queries of every sequence that are worth the matrices. */
const FEW = 16;

/** Whether scores [sequences, heads, queries, length] are made by matrix products. */
export const scoresByProducts = (
  c: Conditions,
  { sequences, heads, queries, length }: { sequences: number; heads: number; queries: number; length: number },
): boolean => c.software && queries >= FEW && length % 4 === 0 && 4 * sequences * heads * queries * length <= BINDING;

/** Products of stacks [outer, groups, ..] of matrices, differentiable in both; f32 as all attention, whatever is asked for. */
function stacked(form: 'nn' | 'nt', a: Tensor, b: Tensor, causal: number | undefined): Tensor {
  const [outer, groups, m, k] = a.shape;
  const n = form === 'nt' ? b.shape[2] : b.shape[3];
  const batch = outer * groups;
  const of = (f: 'nn' | 'nt' | 'tn', x: Tensor, y: Tensor, size: [number, number, number], shape: readonly number[]) =>
    product(f, x, y, size, shape, { batch, gradient: true, causal });
  return product(form, a, b, [m, n, k], [outer, groups, m, n], { batch, causal, gradient: true }, (dy) =>
    form === 'nt'
      ? [of('nn', dy, b, [m, k, n], a.shape), of('tn', dy, a, [n, k, m], b.shape)]
      : [of('nt', dy, b, [m, k, n], a.shape), of('tn', a, dy, [k, n, m], b.shape)],
  );
}

const shareOf = (s: LatentShape): number => s.heads / s.groups;

/**
 * Scores without their factor: q [sequences * per, heads, key] and kv [sequences, length, groups, width] to [sequences,
 * groups, per * share, length]. `causal`: per is length, no row sees a later key, and what such pairs get is left open.
 */
export function productScores(q: Tensor, kv: Tensor, s: LatentShape, sequences: number, causal: boolean): Tensor {
  const { graph } = q;
  const length = kv.size / (sequences * s.groups * latentWidth(s));
  const share = shareOf(s);
  const per = q.size / (sequences * s.heads * s.key);
  const queries = swapAxes(graph.reshape(q, [sequences, per, s.groups, share * s.key]));
  const keys = swapAxes(graph.reshape(kv, [sequences, length, s.groups, latentWidth(s)]), 0, s.key);
  return stacked(
    'nt',
    graph.reshape(queries, [sequences, s.groups, per * share, s.key]),
    keys,
    causal ? share : undefined,
  );
}

/** As latentAttention; `bits`: those that a row sees of its bounds. */
export function productAttention(
  q: Tensor,
  kv: Tensor,
  s: LatentShape,
  at: { sequences: number; causal: boolean; bounds: Tensor; bits?: Tensor },
): { out: Tensor; lse: Tensor } {
  const { graph } = q;
  const { sequences, causal, bounds, bits } = at;
  const { heads, groups, value, offset, scale } = s;
  const length = kv.size / (sequences * groups * latentWidth(s));
  const scores = productScores(q, kv, s, sequences, causal);
  const rows = q.size / (heads * s.key);
  const per = rows / sequences;
  const [p, lse] = launch(graph, {
    label: 'attention weights',
    link: weightsLink,
    entryPoint: 'forward',
    inputs: [scores, bounds, bits ?? nothing(graph)],
    outputs: [scores.shape, [rows, heads]],
    uniforms: [rows, per, length, heads, groups, Number(bits !== undefined), { f: scale }],
    threads: rows * heads,
    flops: 8 * scores.size,
    backward: ([dp], [weights]) => [
      dp &&
        launch(graph, {
          label: 'attention weights backward',
          link: backwardLink,
          entryPoint: 'backward',
          inputs: [weights, dp, bounds],
          outputs: [scores.shape],
          uniforms: [rows, per, length, heads, groups, { f: scale }],
          threads: rows * heads,
          flops: 5 * scores.size,
        })[0],
    ],
  });
  const values = swapAxes(graph.reshape(kv, [sequences, length, groups, latentWidth(s)]), offset, value);
  const mixed = stacked('nn', p, values, causal ? shareOf(s) : undefined);
  const back = swapAxes(graph.reshape(mixed, [sequences, groups, per, shareOf(s) * value]));
  return { out: graph.reshape(back, [rows, heads, value]), lse };
}
