/**
 * Attention FLOPs of one token by position and layer (dsa.md section 1.10), as a function of a layer's sizes only: what grows
 * with the position. Projections, of the indexer too, are not in it.
 */
import type { DsaShape } from './config.ts';
import { pairFlops } from './dispatch.ts';

export interface TokenFlops {
  dense: number;
  sparse: number;
}

/** Decoding: dense MQA over latents; prefill: dense MHA. Sparse: indexer over everything, MQA over at most k. */
export function tokenFlops(s: DsaShape, position: number, phase: 'decode' | 'prefill', k: number): TokenFlops {
  const { mha, mqa, index } = pairFlops(s);
  return {
    dense: position * (phase === 'decode' ? mqa : mha),
    sparse: position * index + Math.min(k, position) * mqa,
  };
}
