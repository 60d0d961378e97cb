/**
 * Which path a layer takes, in one place for the indexer and the attention alike: skipping the scoring is only right if the
 * attention really is dense then (dsa.md sections 1.6, 2.6).
 */
import type { DsaShape } from './config.ts';

export type Path = 'dense' | 'maskedMHA' | 'gather';

/** FLOPs per query-key pair of the three parts. */
export function pairFlops(c: DsaShape): { mha: number; mqa: number; index: number } {
  return {
    mha: 2 * c.heads * (c.dN + c.dR + c.dV),
    mqa: 2 * c.heads * (2 * c.dC + c.dR),
    index: 2 * c.indexHeads * c.indexDim,
  };
}

/** Length at which gathering k latents costs as much as dense MHA minus the indexer, by FLOPs. */
export function breakEven(c: DsaShape, k: number): number {
  const { mha, mqa, index } = pairFlops(c);
  return mha > index ? (k * mqa) / (mha - index) : Number.POSITIVE_INFINITY;
}

/**
 * `length`: keys that the last query sees. Decoding has one query; everything else many. `products`: these rows' scores are
 * made by matrix products (scoresByProducts), which CPU adapters compute ten times as fast as lists of keys: masked to any length.
 */
export function choosePath(
  c: DsaShape,
  length: number,
  k: number,
  phase: 'decode' | 'prefill' | 'train',
  products = false,
): Path {
  if (length <= k) return 'dense';
  if (phase !== 'decode' && (products || length <= breakEven(c, k))) return 'maskedMHA';
  return 'gather';
}
