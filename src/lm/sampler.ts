/**
 * How a token is drawn from logits: settings, their layout for the kernel, and the plain TypeScript rule that
 * shaders/lm/sample.wgsl follows. Temperature 0 is greedy. Top-k and top-p keep everything that ties with the last kept.
 * Nucleus sampling: Holtzman et al. 2020. Noise depends on (seed of the row, index, token id) only.
 */
import { mix32 } from '../gpu/rng.ts';

export interface Sampling {
  /** 0 = greedy. */
  temperature: number;
  /** Keep the k largest logits; 0 = all. */
  topK: number;
  /** Keep the smallest set with at least this share of what top-k left; 1 = all. */
  topP: number;
}

export const GREEDY: Sampling = { temperature: 0, topK: 0, topP: 1 };
export const MAX_STOPS = 8;
export const SETTINGS_WORDS = 4 + MAX_STOPS;
const STREAM = 0x73616d70;

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** u32 whose order is the order of the floats (rounded to f32). */
export function orderKey(x: number): number {
  f32[0] = x + 0;
  return (u32[0] >>> 31 === 1 ? ~u32[0] : u32[0] | 0x80000000) >>> 0;
}

/** Standard Gumbel number of a hash, as gumbel() of shaders/lib/sampling.wgsl. */
export function gumbel(h: number): number {
  return -Math.log(-Math.log1p(-((h >>> 9) + 0.5) * 2 ** -23));
}

/** The `settings` words of the kernel. Throws on settings that mean nothing. */
export function packSampling(s: Sampling, stops: readonly number[]): Uint32Array<ArrayBuffer> {
  if (!(s.temperature >= 0) || !Number.isFinite(s.temperature))
    throw new Error(`temperature ${s.temperature} is not >= 0`);
  if (!(s.topP > 0 && s.topP <= 1)) throw new Error(`top-p ${s.topP} is not in (0, 1]`);
  if (!Number.isInteger(s.topK) || s.topK < 0) throw new Error(`top-k ${s.topK} is not a count`);
  if (stops.length > MAX_STOPS) throw new Error(`${stops.length} stop tokens, at most ${MAX_STOPS} are possible`);
  const words = new Uint32Array(SETTINGS_WORDS);
  new Float32Array(words.buffer).set([s.temperature, s.topP]);
  words.set([s.topK, stops.length, ...stops], 2);
  return words;
}

/** Indices that top-k and top-p leave, ascending. */
export function keptTokens(logits: ArrayLike<number>, s: Sampling): number[] {
  const keys = Uint32Array.from(logits, orderKey);
  const order = Array.from(keys.keys()).sort((a, b) => keys[b] - keys[a]);
  const threshold = s.topK > 0 && s.topK < logits.length ? keys[order[s.topK - 1]] : 0;
  let kept = order.filter((i) => keys[i] >= threshold);
  if (s.topP < 1) {
    const top = logits[order[0]];
    const weights = kept.map((i) => Math.exp((logits[i] - top) / s.temperature));
    const whole = weights.reduce((a, b) => a + b, 0);
    let mass = 0;
    const last = kept.find((_, n) => {
      mass += weights[n];
      return mass >= s.topP * whole;
    });
    const least = keys[last ?? kept[kept.length - 1]];
    kept = kept.filter((i) => keys[i] >= least);
  }
  return kept.sort((a, b) => a - b);
}

/** The token at `index` of the row with this seed, and its log-probability under softmax(logits / temperature). */
export function sampleToken(
  logits: ArrayLike<number>,
  s: Sampling,
  seed: number,
  index: number,
): { id: number; logProb: number } {
  const inverse = s.temperature === 0 ? 1 : 1 / s.temperature;
  let id = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[id]) id = i;
  const top = logits[id];
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp((logits[i] - top) * inverse);
  if (s.temperature > 0) {
    let best = Number.NEGATIVE_INFINITY;
    for (const i of keptTokens(logits, s)) {
      const score = (logits[i] - top) * inverse + gumbel(mix32(seed, index, i, STREAM));
      if (score > best) {
        best = score;
        id = i;
      }
    }
  }
  return { id, logProb: (logits[id] - top) * inverse - Math.log(sum) };
}
