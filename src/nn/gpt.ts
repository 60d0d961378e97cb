/**
 * A causal transformer over tokens: embedding, pre-norm layers with rotary attention and SwiGLU, final norm, untied head.
 * The reference shape is the one that the engine's budgets are stated for; language models proper build on the same layers.
 */
import type { Tensor } from '../tensor/graph.ts';
import { causalLayout, ropeTable } from '../tensor/ops/attention.ts';
import { embedding } from '../tensor/ops/embedding.ts';
import { softmaxCrossEntropy } from '../tensor/ops/loss.ts';
import { dense, norm, normal, type Scope, transformerLayer, type View } from './layers.ts';

export interface GptShape {
  vocab: number;
  layers: number;
  d: number;
  heads: number;
  kvHeads: number;
  hidden: number;
  /** Soft cap of attention logits; 0 = none. */
  cap: number;
}

export const REFERENCE_GPT: GptShape = { vocab: 64, layers: 2, d: 64, heads: 4, kvHeads: 4, hidden: 176, cap: 0 };
export const REFERENCE_BATCH = { batch: 16, time: 64 };

/** ids u32 [batch, time] -> logits [batch, time, vocab]. `starts` u32 [batch]: first visible token of each row. */
export function gptLogits(scope: Scope, shape: GptShape, ids: Tensor, starts: Tensor): Tensor {
  const { vocab, layers, d, heads, kvHeads, hidden, cap } = shape;
  const [batch, time] = ids.shape;
  const dim = d / heads;
  const view: View = {
    kind: 'sequence',
    layout: causalLayout(batch, time, time, cap),
    mask: starts,
    table: scope.graph.table(`rotation ${time} ${dim}`, [time, dim], () => ropeTable(time, dim)),
    position: { every: 1, period: time },
  };
  let x = embedding(ids, scope.get('embed', [vocab, d], normal(1)));
  for (let i = 0; i < layers; i++) {
    x = transformerLayer(scope, `layer.${i}`, x, { d, heads, kvHeads, dim, hidden, depth: layers }, view);
  }
  return dense(scope, 'head', norm(scope, 'norm', x), vocab);
}

/** Mean cross-entropy of the next token; `targets` u32 [batch, time], a value >= vocab is left out. */
export function gptLoss(scope: Scope, shape: GptShape, ids: Tensor, targets: Tensor, starts: Tensor): Tensor {
  return softmaxCrossEntropy(gptLogits(scope, shape, ids, starts), targets);
}
