/** What happens inside the filter for one recorded pass, and what another tau would have decided there. */
import { type FilterWeights, layersOf } from '../filter.ts';
import { logit } from '../policy.ts';
import type { StepTrace } from '../trace.ts';

export interface Inside {
  /** Confidences of the block, hidden units of every layer but the last, logits. */
  c: Float64Array;
  hidden: Float64Array[];
  z: Float64Array;
}

export function insideOf(filter: FilterWeights, step: StepTrace): Inside {
  const layers = layersOf(filter, step.c);
  return { c: layers[0], hidden: layers.slice(1, -1), z: layers[layers.length - 1] };
}

/** Positions of the block that were masked, and of those the ones that this tau finalises. */
export function takenAt(inside: Inside, step: StepTrace, tau: number): { masked: number[]; taken: number[] } {
  const masked = [...step.decided.keys()].filter((i) => step.decided[i] & 4);
  const bound = logit(tau);
  return { masked, taken: masked.filter((i) => inside.z[i] > bound) };
}
