// Normal numbers and mask choices on the GPU: right moments, independent of the tensor's size. Values: registry.test.ts.

import { expect, test } from 'vitest';
import { chooseMask } from '../../src/methods/dreamer4/ops.ts';
import { gaussian } from '../../src/tensor/ops/random.ts';
import { gaussianReference } from '../../src/tensor/reference/random.ts';
import { compute, words } from '../support/compute.ts';
import { testGpu } from '../support/gpu.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

async function draw(n: number, seed: number, step: number, stream: number): Promise<Float32Array<ArrayBuffer>> {
  const { gpu } = await testGpu();
  const { y } = await compute(gpu, { seed: words([2], [seed, step]) }, (t) => ({ y: gaussian(t.seed, [n], stream) }));
  return y;
}

test('moments, and no correlation between seeds, steps and streams', async () => {
  const n = 100_000;
  const x = await draw(n, 1, 1, 1);
  const moment = (k: number): number => x.reduce((s, v) => s + v ** k, 0) / n;
  // Standard errors 0.0032, 0.0045, 0.0123 and 0.031: five of each.
  expect(Math.abs(moment(1))).toBeLessThan(0.016);
  expect(Math.abs(moment(2) - 1)).toBeLessThan(0.023);
  expect(Math.abs(moment(3))).toBeLessThan(0.062);
  expect(Math.abs(moment(4) - 3)).toBeLessThan(0.155);
  for (const other of [await draw(n, 2, 1, 1), await draw(n, 1, 2, 1), await draw(n, 1, 1, 2)]) {
    expect(Math.abs(x.reduce((s, v, i) => s + v * other[i], 0) / n)).toBeLessThan(0.016);
  }
  const shifted = x.subarray(1).reduce((s, v, i) => s + v * x[i], 0) / n;
  expect(Math.abs(shifted)).toBeLessThan(0.016);
});

test('a number depends on its index, not on the size of the tensor', async () => {
  const long = await draw(5000, 9, 9, 2);
  expect(await draw(100, 9, 9, 2)).toEqual(long.slice(0, 100));
});

test('numbers beyond the first row of workgroups', async () => {
  const n = 65535 * 64 + 200;
  const x = await draw(n, 5, 6, 1);
  const want = Array.from({ length: 400 }, (_, i) => gaussianReference(5, 6, 1, n - 400 + i));
  expectClose(x.subarray(n - 400), want, TOLERANCE.f32.cosine);
});

test('each frame has its own masking probability, and each token its own draw', async () => {
  const { gpu } = await testGpu();
  const [frames, tokens, pMax] = [200, 48, 0.9];
  const seed = [11, 4];
  const got = await compute(gpu, { seed: words([2], seed) }, (t) => ({
    keep: chooseMask(t.seed, frames, tokens, pMax),
    none: chooseMask(t.seed, 5, 7, 0),
  }));
  expect(Array.from(got.none).every((v) => v === 1)).toBe(true);
  // Mean share of kept tokens 1 - 0.45; the standard error over 200 frames is 0.019.
  const kept = got.keep.reduce((s, v) => s + v, 0) / (frames * tokens);
  expect(Math.abs(kept - 0.55)).toBeLessThan(0.095);
  const shares = Array.from({ length: frames }, (_, f) =>
    got.keep.subarray(f * tokens, (f + 1) * tokens).reduce((s, v) => s + v / tokens, 0),
  );
  expect(Math.max(...shares)).toBeGreaterThan(0.95);
  expect(Math.min(...shares)).toBeLessThan(0.25);
});
