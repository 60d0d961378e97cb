/**
 * The language model as graph builders. One trunk serves training on packed rows, decoding over a cache, and diffusion
 * passes: what differs is the mixer (which keys a row sees and where they come from) and the rows that are fed.
 * Rows are tokens: R of them, sequences one after the other.
 */
import { attentionMixer, fanIn, type Mixer, norm, normal, residualLayer, type Scope } from '../nn/layers.ts';
import type { Tensor } from '../tensor/graph.ts';
import { boundedLayout, ropeTable } from '../tensor/ops/attention.ts';
import { type CacheRows, cacheAttention } from '../tensor/ops/cache-attention.ts';
import { embedding } from '../tensor/ops/embedding.ts';
import { add } from '../tensor/ops/pointwise.ts';
import { type LmConfig, layerShape } from './config.ts';

export interface TokenRows {
  /** u32 [R] */
  ids: Tensor;
  /** u32 [R]: place of each token in its sequence, below config.context. */
  positions: Tensor;
  /** u32 [R]: id of the token before; anything >= vocab where there is none. Read only if config.shift. */
  previous: Tensor;
}

/** Rotation of every row, [R, headDim]: all layers share it. */
export function rotations(scope: Scope, c: LmConfig, positions: Tensor): Tensor {
  const { graph } = scope;
  const table = graph.table(`rotation ${c.context} ${c.headDim} ${c.ropeBase}`, [c.context, c.headDim], () =>
    ropeTable(c.context, c.headDim, c.ropeBase),
  );
  return embedding(positions, table);
}

/**
 * Attention within whole rows [batch, time], differentiable. `bounds` u32 [batch * time, 2]: the keys lo..hi-1 of its own
 * row that each token sees (causalBounds, packed documents, all that lies in a length). `causal`: none sees a later one.
 */
export function rowMixer(
  scope: Scope,
  c: LmConfig,
  rows: TokenRows,
  at: { batch: number; time: number; bounds: Tensor; causal: boolean },
): Mixer {
  return attentionMixer(layerShape(c), {
    kind: 'sequence',
    layout: boundedLayout(at.batch, at.time, at.causal),
    mask: at.bounds,
    table: rotations(scope, c, rows.positions),
    position: { every: 1, period: at.batch * at.time },
  });
}

/** Attention over a cache that the rows themselves enter first; not differentiable. */
export function cacheMixer(scope: Scope, c: LmConfig, rows: TokenRows, layer: (name: string) => CacheRows): Mixer {
  const shape = layerShape(c);
  const attend = (name: string, turned: Tensor): Tensor => cacheAttention(turned, layer(name), shape);
  return attentionMixer(shape, { kind: 'own', attend, table: rotations(scope, c, rows.positions) });
}

/** Token rows to normed hidden rows [R, d]. */
export function lmHidden(scope: Scope, c: LmConfig, rows: TokenRows, mixer: Mixer): Tensor {
  let x = scope.embed('embed', rows.ids, [c.vocab, c.d], c.tied ? fanIn(c.d) : normal(1));
  // Row `vocab` of the second table stands for "no token before".
  if (c.shift) x = add(x, scope.embed('shift', rows.previous, [c.vocab + 1, c.d], c.tied ? fanIn(c.d) : normal(1)));
  if (c.positions) x = add(x, scope.embed('position', rows.positions, [c.context, c.d], normal(0.3)));
  for (let i = 0; i < c.layers; i++) {
    x = residualLayer(scope, `layer.${i}`, x, { d: c.d, hidden: c.hidden, depth: c.layers }, mixer);
  }
  return norm(scope, 'norm', x);
}

/** Hidden rows [R, d] to logits [R, vocab]. */
export function lmLogits(scope: Scope, c: LmConfig, hidden: Tensor): Tensor {
  if (!c.tied) return scope.project('head', hidden, c.vocab);
  return scope.unembed('embed', hidden, [c.vocab, c.d], fanIn(c.d));
}
