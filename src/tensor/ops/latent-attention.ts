/**
 * Attention of query rows over rows that hold key and value together: the latents of multi-head latent attention (MLA,
 * DeepSeek-V2, 2024) in MQA form, expanded keys and values in MHA form, groups between them. Dense, masked by bits, or over
 * gathered keys; forward and backward. Not the engine's packed attention (attention.ts): there keys and values have one width.
 */

import keyLink from '../../../shaders/attention/latent_backward_key.wgsl?link';
import queryLink from '../../../shaders/attention/latent_backward_query.wgsl?link';
import combineLink from '../../../shaders/attention/latent_combine.wgsl?link';
import forwardLink from '../../../shaders/attention/latent_forward.wgsl?link';
import type { Tensor } from '../graph.ts';
import { type LatentShape, latentWidth, nothing } from './latent-shape.ts';
import { launch } from './launch.ts';
import { productAttention, scoresByProducts } from './product-attention.ts';
import { selectionBits } from './topk.ts';

/** What the rows see: lo..hi-1 of `bounds` [rows, 2]; of these, those with a bit; or the listed keys [rows, k]. */
export interface LatentView {
  bounds: Tensor;
  choice?: { kind: 'masked'; bits: Tensor } | { kind: 'gather'; chosen: Tensor };
  /** Row r of a sequence sees no key after r: saves half of the backward pass. */
  causal?: boolean;
  /** Stretches of the keys that different invocations take (decoding: few rows, many keys). Inference only. */
  splits?: number;
  /** Tensors that must be there first: what writes the cache. */
  after?: readonly Tensor[];
}

/** Multiply-adds x 2 of `pairs` query-key pairs. */
export const latentFlops = (s: LatentShape, pairs: number): number => 2 * pairs * s.heads * (s.key + s.value);

/**
 * q [rows, heads, key], kv [sequences, length, groups, width] -> out [rows, heads, value] and the log-sum-exp of every head
 * [rows, heads]. Rows of a sequence lie together.
 */
export function latentAttention(
  q: Tensor,
  kv: Tensor,
  shape: LatentShape,
  at: { sequences: number; view: LatentView },
): { out: Tensor; lse: Tensor } {
  const { graph } = q;
  const { heads, groups, key, value, offset } = shape;
  const { view, sequences } = at;
  const rows = q.size / (heads * key);
  const length = kv.size / (sequences * groups * latentWidth(shape));
  const per = rows / sequences;
  if (![rows, length, per].every(Number.isInteger) || view.bounds.size !== 2 * rows) {
    throw new Error(`latentAttention: q [${q.shape}], kv [${kv.shape}] and ${sequences} sequences do not fit`);
  }
  if ([key, value, offset].some((n) => n % 4 !== 0) || heads % groups !== 0) {
    throw new Error(`latentAttention: widths ${key}, ${value}, ${offset} and ${heads}/${groups} heads do not fit`);
  }
  const { choice, splits = 1, causal = false } = view;
  const plain = splits === 1 && !view.after && choice?.kind !== 'gather';
  if (plain && scoresByProducts(graph.conditions, { sequences, heads, queries: per, length })) {
    const diagonal = causal && per === length;
    return productAttention(q, kv, shape, { sequences, causal: diagonal, bounds: view.bounds, bits: choice?.bits });
  }
  const list = choice === undefined ? nothing(graph) : choice.kind === 'masked' ? choice.bits : choice.chosen;
  const width = choice === undefined ? 0 : list.size / rows;
  const mode = choice === undefined ? 0 : choice.kind === 'masked' ? 1 : 2;
  const uniforms = (kind: number, slots: number): (number | { f: number })[] => [
    ...[rows, heads, groups, per, length, slots, kind, offset, splits, Number(causal && per === length)],
    { f: shape.scale },
  ];
  // With a key per head the lanes of a GPU are rows of one head; CPU adapters and shared keys want the heads together.
  const rowLanes = Number(!graph.conditions.software && groups > 1 && choice?.kind !== 'gather');
  const common = { constants: { DK4: key / 4, DV4: value / 4, ROW_LANES: rowLanes }, unroll: ['DK4', 'DV4'] };
  const pairs = rows * (mode === 2 ? width : length);
  const [parts, lses] = launch(graph, {
    ...common,
    label: 'latent attention',
    link: forwardLink,
    entryPoint: 'forward',
    inputs: [q, kv, view.bounds, list],
    outputs: [
      [rows, splits, heads, value],
      [rows, splits, heads],
    ],
    uniforms: uniforms(mode, width),
    threads: rows * heads * splits,
    flops: latentFlops(shape, pairs),
    after: view.after,
    backward: ([dout], [, lse]) => {
      if (!dout) return [];
      if (splits > 1) throw new Error('latentAttention: splits are for inference');
      const [dq, delta] = launch(graph, {
        ...common,
        label: 'latent attention backward',
        link: queryLink,
        entryPoint: 'backward_query',
        inputs: [q, kv, view.bounds, list, lse, dout],
        outputs: [q.shape, [rows, heads]],
        uniforms: uniforms(mode, width),
        threads: rows * heads,
        flops: 2 * latentFlops(shape, pairs),
      });
      const bits = choice?.kind === 'gather' ? selectionBits(choice.chosen, length) : list;
      const [dkv] = launch(graph, {
        ...common,
        label: 'latent attention backward',
        link: keyLink,
        entryPoint: 'backward_key',
        inputs: [q, kv, view.bounds, bits, lse, dout, delta],
        outputs: [kv.shape],
        uniforms: uniforms(mode, mode === 0 ? 0 : Math.ceil(length / 32)),
        threads: sequences * length * groups,
        flops: 2 * latentFlops(shape, pairs),
      });
      return [dq, dkv];
    },
  });
  if (splits === 1) {
    return { out: graph.reshape(parts, [rows, heads, value]), lse: graph.reshape(lses, [rows, heads]) };
  }
  const [out] = launch(graph, {
    label: 'latent combine',
    link: combineLink,
    entryPoint: 'combine',
    inputs: [parts, lses],
    outputs: [[rows, heads, value]],
    uniforms: [rows, heads, splits, value / 4],
    threads: (rows * heads * value) / 4,
  });
  return { out, lse: lses };
}
