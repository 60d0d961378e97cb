/** Normal numbers in float64 from the same counters as shaders/ops/gaussian.wgsl. */
import { mix32, uniform01 } from '../../gpu/rng.ts';

/** Number i of a stream (Box-Muller). */
export function gaussianReference(seed: number, step: number, stream: number, i: number): number {
  const u = uniform01(mix32(seed, step, i, stream * 2 + 1));
  const v = uniform01(mix32(seed, step, i, stream * 2 + 2));
  return Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
}
