/** Assertions on the engine's tolerances (src/tensor/registry/tolerance.ts). */
import { expect } from 'vitest';

export { TOLERANCE } from '../../src/tensor/registry/tolerance.ts';

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
