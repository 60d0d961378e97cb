/** The clipped policy objective as an operation, and the same per token in plain TypeScript. */
import link from '../../../shaders/lm/policy_loss.wgsl?link';
import weightedLink from '../../../shaders/ops/weighted_sum.wgsl?link';
import type { Tensor } from '../../tensor/graph.ts';
import { launch } from '../../tensor/ops/launch.ts';
import { scaledSumOf, sumAll } from '../../tensor/ops/reduce.ts';

export interface PolicyClip {
  /** A ratio may fall by this much below 1 and rise by that much above it before its gradient stops. */
  low: number;
  high: number;
  /** Weight of the KL divergence to the reference policy. */
  beta: number;
}

/** Everything is [R], one entry per token, and all but `logProbs` is constant to differentiation. Weights sum to 1. */
export interface PolicyTokens {
  logProbs: Tensor;
  /** Log-probabilities under the policy that sampled, and under the reference policy. */
  old: Tensor;
  reference: Tensor;
  advantages: Tensor;
  weights: Tensor;
}

/** Loss [1] with gradient, mean KL divergence [1] and the share of clipped tokens [1]. */
export function policyLoss(t: PolicyTokens, clip: PolicyClip): { loss: Tensor; kl: Tensor; clipped: Tensor } {
  const { logProbs, old, reference, advantages, weights } = t;
  const n = logProbs.size;
  const { graph } = logProbs;
  const [losses, slope, kl, clipped] = launch(graph, {
    label: 'policy loss',
    link,
    entryPoint: 'forward',
    inputs: [logProbs, old, reference, advantages, weights],
    outputs: [[n], [n], [n], [n]],
    uniforms: [n, { f: clip.low }, { f: clip.high }, { f: clip.beta }],
    threads: n,
    flopsEach: 6,
  });
  const loss = scaledSumOf(losses, [logProbs], 1, (upstream) =>
    launch(graph, {
      label: 'weighted sum backward',
      link: weightedLink,
      entryPoint: 'spread',
      inputs: [upstream, slope],
      outputs: [[n]],
      uniforms: [n, { f: 1 }],
      threads: n,
    }),
  );
  return { loss, kl: sumAll(kl), clipped: sumAll(clipped) };
}

/** One token, float64: loss, d loss / d logProb, KL. */
export function policyToken(
  logProb: number,
  old: number,
  reference: number,
  advantage: number,
  { low, high, beta }: PolicyClip,
): { loss: number; slope: number; kl: number; clipped: boolean } {
  const rho = Math.exp(logProb - old);
  const gap = reference - logProb;
  const kl = Math.exp(gap) - gap - 1;
  const clipped = (advantage > 0 && rho > 1 + high) || (advantage < 0 && rho < 1 - low);
  const bounded = Math.min(Math.max(rho, 1 - low), 1 + high);
  return {
    loss: -(Math.min(rho * advantage, bounded * advantage) - beta * kl),
    slope: -((clipped ? 0 : rho * advantage) - beta * (1 - Math.exp(gap))),
    kl,
    clipped,
  };
}
