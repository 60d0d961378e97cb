/**
 * The one table of numerical tolerances, by number format. A tolerance is a share of the largest wanted value of the
 * tensor, unless its line says otherwise. Measured worst cases on lavapipe and SwiftShader are about a quarter of these.
 */
import { expect } from 'vitest';

export const TOLERANCE = {
  f32: {
    /** One to three roundings, no sum, no transcendental function. */
    rounding: 4e-7,
    /** One exp, log, tanh, cos or square root; WGSL allows a few units more than a rounding for these. */
    map: 4e-6,
    /** A cosine: WGSL asks for an absolute error of 2^-11 only, SwiftShader reaches 1.4e-4. */
    cosine: 5e-4,
    /** Sums of up to some thousand terms in a fixed order. */
    sum: 1e-5,
    /** Softmax over a row, then a weighted sum; and its derivative. */
    attention: 2e-5,
    /** A whole network against the same network computed in another order (absolute, activations of size 1). */
    network: 1e-4,
    /** Derivative against central differences of an f32 forward pass (see gradcheck.ts for the measure). */
    gradient: 0.02,
  },
  f16: {
    /** Half a unit in the last place of a normal number (relative to each value). */
    rounding: 2 ** -11,
  },
  u8: {
    /** A latent of -1..1 kept in one byte (absolute). */
    rounding: 1 / 255,
  },
} as const;

/** Every value within `tolerance` times the largest wanted magnitude; NaN fails. */
export function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, tolerance: number): void {
  expect(got.length).toBe(want.length);
  let scale = 0;
  for (let i = 0; i < want.length; i++) scale = Math.max(scale, Math.abs(want[i]));
  let worst = 0;
  let at = 0;
  for (let i = 0; i < want.length; i++) {
    const error = Math.abs(got[i] - want[i]) / Math.max(scale, 1e-30);
    if (!(error <= worst)) {
      worst = error;
      at = i;
    }
    if (Number.isNaN(worst)) break;
  }
  expect(worst, `element ${at}: ${got[at]} instead of ${want[at]}, largest value ${scale}`).toBeLessThanOrEqual(
    tolerance,
  );
}
