// Small models for the decoding loop: a random transformer with sharp logits, and a rule model whose logits are written by
// hand for every position and depend on nothing else.

import type { Gpu } from '../../../src/gpu/device.ts';
import type { LmConfig } from '../../../src/lm/config.ts';
import type { CachedModel } from '../../../src/lm/decoder.ts';
import { type CachedLm, newStore, storeModel } from '../../../src/lm/language-model.ts';
import { EOT } from '../../../src/lm/tokenizers/closed.ts';
import type { CacheKind } from '../../../src/methods/learn2pd/policy.ts';
import type { PassPlace } from '../../../src/methods/learn2pd/reference.ts';
import type { ParamStore } from '../../../src/nn/params.ts';
import { embedding } from '../../../src/tensor/ops/embedding.ts';
import { type LmMemory, lmReference } from '../../support/lm-reference.ts';

export const PROMPT = 6;
export const CANVAS = 16;
export const BLOCK = 4;

export const CONFIG: LmConfig = {
  vocab: 12,
  d: 32,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 8,
  hidden: 48,
  tied: false,
  ropeBase: 10000,
  context: 32,
  positions: true,
  shift: false,
};

/** Weights of a model whose confidences are spread over 0..1. */
export async function sharpStore(gpu: Gpu, seed: number): Promise<ParamStore> {
  const store = newStore(gpu, CONFIG, seed, false);
  const head = (await store.read('value')).get('head.w');
  if (!head) throw new Error('no head');
  store.write(
    'value',
    'head.w',
    // The end token is guessed often enough to cut texts.
    head.map((v, i) => (i % CONFIG.vocab === EOT ? 5 : 2.5) * v),
  );
  return store;
}

export const modelOf = (gpu: Gpu, store: ParamStore, sequences: number): CachedLm =>
  storeModel(gpu, CONFIG, store, { sequences, capacity: PROMPT + CANVAS });

/**
 * Float64 logits of a left-padded canvas: padding is not seen, positions count from the canvas's own beginning. With a cache the
 * first pass of a block computes everything, later ones the block alone (dual) or the block and what follows it (prefix).
 */
export function forwardOf(weights: ReadonlyMap<string, ArrayLike<number>>, first: number, cache: CacheKind) {
  const memory: LmMemory = { layers: [], fresh: () => true };
  return (tokens: readonly number[], { start, end, step }: PassPlace): number[][] => {
    const seen = Array.from({ length: tokens.length - first }, (_, k) => first + k);
    const full = cache === 'none' || step === 0;
    memory.fresh = (i) => full || (i >= start && (cache === 'prefix' || i < end));
    return lmReference(weights, CONFIG, tokens, (i) => (i < first ? [i] : seen), memory).logits;
  };
}

/** Logits [position][token] for every index of prompt and canvas. */
export function ruleModel(logits: readonly (readonly number[])[], sequences: number): CachedModel {
  const vocab = logits[0].length;
  return {
    vocab,
    sequences,
    capacity: logits.length,
    trace: (graph) => ({
      hidden: (rows) =>
        embedding(
          rows.positions,
          graph.table('rules', [logits.length, vocab], () => Float32Array.from(logits.flat())),
        ),
      logits: (hidden) => hidden,
    }),
    dispose: () => {},
  };
}
