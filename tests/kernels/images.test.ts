// Pixels: the way there and back, rounding, the order of patches, refusals. Values of all image kernels: registry.test.ts.

import { describe, expect, test } from 'vitest';
import { Graph } from '../../src/tensor/graph.ts';
import { type FrameShape, patchCell, patchifyBytes, pyramidDown, toPixels } from '../../src/tensor/ops/images.ts';
import { compute, given } from '../support/compute.ts';
import { testGpu } from '../support/gpu.ts';

const FRAMES: FrameShape[] = [
  { width: 8, height: 8, patch: 4 },
  { width: 24, height: 16, patch: 4 },
  { width: 64, height: 48, patch: 8 },
];

describe.each(FRAMES)('$width x $height in patches of $patch', (f) => {
  const n = 3;
  const size = n * f.width * f.height * 3;
  const rgb = Uint8Array.from({ length: size }, (_, i) => (i * 37 + (i >> 5) * 11) & 255);

  test('bytes to patches to pixels are the same bytes', async () => {
    const { gpu } = await testGpu();
    const { pixels } = await compute(gpu, { words: { shape: [size / 4], data: rgb } }, (t) => ({
      pixels: toPixels(patchifyBytes(t.words, n, f), f),
    }));
    const rgba = new Uint8Array(pixels.buffer);
    expect(rgba.filter((_, i) => i % 4 !== 3)).toEqual(rgb);
    expect(rgba.filter((_, i) => i % 4 === 3).every((a) => a === 255)).toBe(true);
  });
});

test('pixels round to nearest and clamp', async () => {
  const { gpu } = await testGpu();
  const f = { width: 2, height: 2, patch: 1 };
  const values = [-1, 0, 0.499 / 255, 0.501 / 255, 1.499 / 255, 1.501 / 255, 254.4 / 255, 254.6 / 255, 1, 1.1, 9, 0.5];
  const { y } = await compute(gpu, { x: given([1, 4, 3], values) }, (t) => ({ y: toPixels(t.x, f) }));
  const got = Array.from(new Uint8Array(y.buffer)).filter((_, i) => i % 4 !== 3);
  expect(got).toEqual([0, 0, 0, 1, 1, 2, 254, 255, 255, 255, 255, 128]);
});

test('four neighbours in the list of patches are four neighbours in the picture', () => {
  expect([0, 1, 2, 3, 4, 5, 8].map((i) => patchCell(i, 4))).toEqual([
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
    [2, 0],
    [3, 0],
    [0, 2],
  ]);
});

test('an odd side is refused', async () => {
  const graph = new Graph((await testGpu()).gpu.conditions);
  expect(() => pyramidDown(graph.input('x', [1, 5, 4, 3]))).toThrow('[1,5,4,3] has an odd side');
});
