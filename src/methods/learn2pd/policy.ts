/**
 * What decides a decoding pass: the policy, end-of-text prediction, the cache, the schedule (learn2pd 1.2-1.8, 2.5), and the
 * words in which the kernels read it. The decision itself is finalize_filter.wgsl; its TypeScript twin is reference.ts.
 */
import type { FilterWeights } from './filter.ts';

export type Policy =
  /** The `perStep` surest tokens per pass; 1 is the paper's baseline. */
  | { kind: 'static'; perStep: number }
  /** Fast-dLLM: every position whose confidence reaches tau, and the surest. */
  | { kind: 'threshold'; tau: number }
  /** Oracle: every position whose guess equals the reference text. Not usable: it must know the answer. */
  | { kind: 'egp' }
  | { kind: 'learn2pd'; tau: number; filter: FilterWeights }
  /** Every position whose best token leads the second by m. */
  | { kind: 'margin'; m: number }
  /** As many positions as the filter would take, drawn by lot. */
  | { kind: 'random'; tau: number; filter: FilterWeights };

export type Eotp = 'off' | 'strict' | 'released';
export type CacheKind = 'none' | 'prefix' | 'dual';

export interface DecodeSpec {
  policy: Policy;
  /** strict: cut behind a finalised end token. released: that, else behind the surest prediction of one. */
  eotp: Eotp;
  cache: CacheKind;
  /** Passes between full ones within a block; 0 = only the first of a block is full. */
  refreshEvery: number;
  /** Never guess the end token. */
  suppressEot: boolean;
  seed: number;
}

export const DECODE_DEFAULTS: Omit<DecodeSpec, 'policy'> = {
  eotp: 'off',
  cache: 'none',
  refreshEvery: 0,
  suppressEot: false,
  seed: 1,
};

const POLICIES = ['static', 'threshold', 'egp', 'learn2pd', 'margin', 'random'] as const;
const EOTPS = ['off', 'strict', 'released'] as const;

export const SETTINGS_WORDS = 8;

/** Largest magnitude that stands for infinity in shaders, where infinities are not to be relied on. */
const NEVER = 3e38;

/** The logit that sigmoid maps to tau: decisions compare logits. */
export function logit(tau: number): number {
  if (tau >= 1) return NEVER;
  return tau <= 0 ? -NEVER : Math.log(tau / (1 - tau));
}

/** The number that a policy compares with. */
export function thresholdOf(policy: Policy): number {
  if (policy.kind === 'threshold') return policy.tau;
  if (policy.kind === 'margin') return policy.m;
  return policy.kind === 'learn2pd' || policy.kind === 'random' ? logit(policy.tau) : 0;
}

/** Passes that the schedule plans for a block. */
export const stepsPerBlock = (policy: Policy, block: number): number =>
  policy.kind === 'static' ? Math.max(1, Math.ceil(block / policy.perStep)) : block;

/** Tokens that the top-n rule finalises in pass `step` of a block that began with `masked` masks. */
export const scheduled = (masked: number, steps: number, step: number): number =>
  Math.floor(masked / steps) + (step < masked % steps ? 1 : 0);

/** The words of `settings` in shaders/methods/learn2pd/state.wgsl. */
export function packSettings(spec: DecodeSpec, block: number, trace: boolean): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(SETTINGS_WORDS);
  new Float32Array(words.buffer)[1] = thresholdOf(spec.policy);
  words[0] = POLICIES.indexOf(spec.policy.kind);
  words[2] = EOTPS.indexOf(spec.eotp);
  words[3] = spec.cache === 'none' ? 0 : 1;
  words[4] = spec.refreshEvery;
  words[5] = stepsPerBlock(spec.policy, block);
  words[6] = Number(spec.suppressEot);
  words[7] = Number(trace);
  return words;
}
