/** Intervals for shares and for differences measured on the same problems. Random choices come from the lab's generator. */
import { mix32, uniform01 } from '../gpu/rng.ts';

export interface Interval {
  value: number;
  lower: number;
  upper: number;
}

const Z95 = 1.959963984540054;

/** 95 % Wilson score interval (Wilson 1927) of `hits` in `n` trials. */
export function wilson(hits: number, n: number): Interval {
  if (n <= 0) return { value: Number.NaN, lower: 0, upper: 1 };
  const p = hits / n;
  const z2 = Z95 * Z95;
  const centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z95 / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  // At 0 and n hits the bounds are 0 and 1 up to rounding.
  return { value: p, lower: Math.min(p, Math.max(0, centre - half)), upper: Math.max(p, Math.min(1, centre + half)) };
}

/**
 * Mean of a[i] - b[i] with a 95 % percentile interval over resampled problems (Efron 1979): for two policies judged on the
 * same problems, whose difficulty then cancels.
 */
export function pairedBootstrap(a: readonly number[], b: readonly number[], seed: number, samples = 2000): Interval {
  const n = a.length;
  if (n === 0 || n !== b.length) throw new Error(`pairedBootstrap: ${n} and ${b.length} scores are not pairs`);
  const differences = a.map((v, i) => v - b[i]);
  const means = new Float64Array(samples);
  for (let s = 0; s < samples; s++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += differences[Math.floor(uniform01(mix32(seed, s, i, 0x626f6f74)) * n)];
    means[s] = sum / n;
  }
  means.sort();
  const at = (share: number): number => means[Math.min(samples - 1, Math.floor(share * samples))];
  return { value: differences.reduce((x, y) => x + y, 0) / n, lower: at(0.025), upper: at(0.975) };
}
