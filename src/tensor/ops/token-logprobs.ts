/**
 * Log-probabilities of given tokens, the quantity that every language-model loss here is made of: supervised training
 * weighs them, GRPO takes their ratios, DPO their differences.
 */

import link from '../../../shaders/ops/token_logprob.wgsl?link';
import backwardLink from '../../../shaders/ops/token_logprob_backward.wgsl?link';
import weightedLink from '../../../shaders/ops/weighted_sum.wgsl?link';
import type { Tensor } from '../graph.ts';
import { cover, pack } from '../kernel.ts';
import { launch } from './launch.ts';
import { scaledSumOf } from './reduce.ts';

/** From this many classes on a GPU gives a whole workgroup to a row. */
const WIDE = 1024;

export interface TokenLogProbs {
  /** [rows], 0 where the id is no class; differentiable. */
  logProbs: Tensor;
  /** [rows], nats; constants to differentiation. */
  entropy: Tensor;
}

/** logits [.., vocab] and ids u32 [rows]; ids >= vocab choose nothing. */
export function tokenLogProbs(logits: Tensor, ids: Tensor): TokenLogProbs {
  const { graph } = logits;
  const vocab = logits.shape[logits.shape.length - 1];
  const rows = logits.size / vocab;
  if (ids.size !== rows) throw new Error(`tokenLogProbs: ids [${ids.shape}] are not one for each of ${rows} rows`);
  const wide = !graph.conditions.software && vocab >= WIDE;
  const [logProbs, , entropy] = graph.add({
    name: 'token logprob',
    inputs: [logits, ids],
    outputs: [[rows], [rows], [rows]],
    dispatch: (outs) => [
      {
        label: 'token logprob',
        code: link(graph.conditions),
        entryPoint: wide ? 'wide' : 'rows',
        bindings: [logits, ids, ...outs],
        uniforms: pack(rows, vocab),
        workgroups: wide ? cover(rows, 1) : cover(rows),
        flops: logits.size * 4,
        bytes: logits.size * 4,
      },
    ],
    backward: ([upstream], [, lse]) => {
      if (!upstream) return [];
      return [
        launch(graph, {
          label: 'token logprob backward',
          link: backwardLink,
          entryPoint: 'backward',
          inputs: [logits, ids, lse, upstream],
          outputs: [logits.shape],
          uniforms: [rows, vocab],
          threads: logits.size,
        })[0],
        null,
      ];
    },
  });
  return { logProbs, entropy };
}

/** scale * sum of x * weight: [1]. `weight` has the shape of x and is a constant. */
export function weightedSum(x: Tensor, weight: Tensor, scale = 1): Tensor {
  if (x.size !== weight.size) throw new Error(`weightedSum: [${x.shape}] and [${weight.shape}] differ`);
  const spec = { link: weightedLink, uniforms: [x.size, { f: scale }], threads: x.size };
  const [products] = launch(x.graph, {
    ...spec,
    label: 'weighted sum',
    entryPoint: 'products',
    inputs: [x, weight],
    outputs: [x.shape],
  });
  return scaledSumOf(products, [x], scale, (upstream) =>
    launch(x.graph, {
      ...spec,
      label: 'weighted sum backward',
      entryPoint: 'spread',
      inputs: [upstream, weight],
      outputs: [x.shape],
    }),
  );
}
