/** Every differentiable operation against finite differences of its own forward pass. */
import { expect, test } from 'vitest';
import { gradientError } from '../../src/bench/gradient-check.ts';
import { GRADIENTS } from '../../src/bench/gradients.ts';
import { testGpu } from '../support/gpu.ts';
import { TOLERANCE } from '../support/tolerance.ts';

for (const [name, check] of Object.entries(GRADIENTS)) {
  test(`gradient of ${name}`, async () => {
    expect(await gradientError((await testGpu()).gpu, check)).toBeLessThan(TOLERANCE.f32.gradient);
  });
}
