/**
 * Configuration of the one transformer that all language methods use. With `positions` and `shift` off it is exactly the
 * architecture of Qwen3 (RMSNorm before every block, grouped queries, RMSNorm of queries and keys, rotary positions,
 * SwiGLU, tied or untied head), so that a Qwen3 checkpoint loads into it (qwen/).
 */
import type { LayerShape } from '../nn/layers.ts';

export interface LmConfig {
  vocab: number;
  /** Width of the residual stream; a multiple of 4. */
  d: number;
  layers: number;
  heads: number;
  /** Key and value heads; divides `heads`. */
  kvHeads: number;
  /** Channels of a head; a multiple of 4, free of d. */
  headDim: number;
  hidden: number;
  /** Output head = embedding. */
  tied: boolean;
  ropeBase: number;
  /** Most positions of a sequence. */
  context: number;
  /** A learned table of absolute positions in addition to the rotation (small bidirectional models need it). */
  positions: boolean;
  /** A second embedding of the previous token (dsa 2.2): small models learn to look things up much sooner with it. */
  shift: boolean;
}

/** Vocabulary and width as given, the rest in fixed proportions: the starting point of small configurations. */
export function smallConfig(vocab: number, d: number, layers: number, context: number): LmConfig {
  const headDim = Math.min(32, Math.max(16, d / 4));
  const heads = d / headDim;
  return {
    vocab,
    d,
    layers,
    heads,
    kvHeads: heads % 2 === 0 ? heads / 2 : heads,
    headDim,
    hidden: Math.ceil((d * 8) / 3 / 16) * 16,
    tied: false,
    ropeBase: 10000,
    context,
    positions: false,
    shift: false,
  };
}

export class LmConfigError extends Error {}

/** Throws LmConfigError with one sentence if the configuration makes no sense. */
export function checkLmConfig(c: LmConfig): void {
  const wrong = (text: string): never => {
    throw new LmConfigError(`Language model: ${text}`);
  };
  for (const name of ['vocab', 'd', 'layers', 'heads', 'kvHeads', 'headDim', 'hidden', 'context'] as const) {
    if (!Number.isInteger(c[name]) || c[name] < 1) wrong(`${name} = ${c[name]} is not a positive integer.`);
  }
  for (const name of ['d', 'headDim', 'hidden'] as const) {
    if (c[name] % 4 !== 0) wrong(`${name} = ${c[name]} is not a multiple of 4.`);
  }
  if (c.heads % c.kvHeads !== 0) wrong(`${c.heads} heads cannot share ${c.kvHeads} key heads.`);
  if (!(c.ropeBase > 1)) wrong(`ropeBase = ${c.ropeBase} is not above 1.`);
}

export function layerShape(c: LmConfig): LayerShape {
  return { d: c.d, hidden: c.hidden, depth: c.layers, heads: c.heads, kvHeads: c.kvHeads, dim: c.headDim };
}
