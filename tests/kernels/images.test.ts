// Patches in blocks of 2x2, pixels, and the linear filters of the perceptual term, against plain loops.

import { describe, expect, test } from 'vitest';
import { Graph } from '../../src/tensor/graph.ts';
import {
  type FrameShape,
  patchCell,
  patchify,
  patchifyBytes,
  pyramidDown,
  pyramidUp,
  sobel,
  toPixels,
  unpatchify,
} from '../../src/tensor/ops/images.ts';
import { compute, given, random, sameBits } from '../support/compute.ts';
import { testGpu } from '../support/gpu.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

const FRAMES: FrameShape[] = [
  { width: 8, height: 8, patch: 4 },
  { width: 24, height: 16, patch: 4 },
  { width: 64, height: 48, patch: 8 },
];

/** Place of a pixel in the patch rows: patches in blocks of 2x2, blocks row by row; pixels of a patch row by row. */
function patchPlace(f: FrameShape, x: number, y: number): number {
  const px = Math.floor(x / f.patch);
  const py = Math.floor(y / f.patch);
  const block = Math.floor(py / 2) * (f.width / f.patch / 2) + Math.floor(px / 2);
  const index = block * 4 + (py % 2) * 2 + (px % 2);
  return (index * f.patch * f.patch + (y % f.patch) * f.patch + (x % f.patch)) * 3;
}

function toPatches(images: ArrayLike<number>, n: number, f: FrameShape): number[] {
  const out = new Array<number>(n * f.width * f.height * 3);
  for (let i = 0; i < n; i++) {
    const base = i * f.width * f.height * 3;
    for (let y = 0; y < f.height; y++) {
      for (let x = 0; x < f.width; x++) {
        for (let c = 0; c < 3; c++) {
          out[base + patchPlace(f, x, y) + c] = images[base + (y * f.width + x) * 3 + c];
        }
      }
    }
  }
  return out;
}

describe.each(FRAMES)('$width x $height in patches of $patch', (f) => {
  const n = 3;
  const size = n * f.width * f.height * 3;
  const rgb = Uint8Array.from({ length: size }, (_, i) => (i * 37 + (i >> 5) * 11) & 255);

  test('bytes to patches', async () => {
    const { gpu } = await testGpu();
    const { y } = await compute(gpu, { words: { shape: [size / 4], data: rgb } }, (t) => ({
      y: patchifyBytes(t.words, n, f),
    }));
    expectClose(
      y,
      toPatches(
        Array.from(rgb, (v) => v / 255),
        n,
        f,
      ),
      TOLERANCE.f32.rounding,
    );
  });

  test('images to patches and back', async () => {
    const { gpu } = await testGpu();
    const images = random([n, f.height, f.width, 3], 1);
    const got = await compute(gpu, { images }, (t) => {
      const patches = patchify(t.images, f);
      return { patches, back: unpatchify(patches, f) };
    });
    expect(Array.from(got.patches)).toEqual(toPatches(images.data, n, f));
    expect(sameBits(got.back, images.data)).toBe(true);
  });

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

const KERNEL = [1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16];

/** Weight of large pixel (y, x) in small pixel (sy, sx); zero outside of the 5x5 window. */
function blur(sy: number, sx: number, y: number, x: number): number {
  return (KERNEL[y - 2 * sy + 2] ?? 0) * (KERNEL[x - 2 * sx + 2] ?? 0);
}

describe.each([
  [1, 2, 2],
  [2, 8, 12],
  [1, 6, 4],
])('pyramid of %i images of %i x %i', (n, h, w) => {
  const each = (visit: (i: number, sy: number, sx: number, y: number, x: number, c: number) => void): void => {
    for (let i = 0; i < n; i++)
      for (let sy = 0; sy < h / 2; sy++)
        for (let sx = 0; sx < w / 2; sx++)
          for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) for (let c = 0; c < 3; c++) visit(i, sy, sx, y, x, c);
  };
  const large = (i: number, y: number, x: number, c: number): number => ((i * h + y) * w + x) * 3 + c;
  const small = (i: number, y: number, x: number, c: number): number => ((i * (h / 2) + y) * (w / 2) + x) * 3 + c;

  test('down blurs and halves, up is four times its transpose', async () => {
    const { gpu } = await testGpu();
    const x = random([n, h, w, 3], 1);
    const s = random([n, h / 2, w / 2, 3], 2);
    const down = new Float64Array(s.data.length);
    const up = new Float64Array(x.data.length);
    each((i, sy, sx, y, px, c) => {
      const weight = blur(sy, sx, y, px);
      down[small(i, sy, sx, c)] += weight * x.data[large(i, y, px, c)];
      up[large(i, y, px, c)] += 4 * weight * s.data[small(i, sy, sx, c)];
    });
    const got = await compute(gpu, { x, s }, (t) => ({ down: pyramidDown(t.x), up: pyramidUp(t.s) }));
    expectClose(got.down, down, TOLERANCE.f32.sum);
    expectClose(got.up, up, TOLERANCE.f32.sum);
  });
});

test('an odd side is refused', async () => {
  const graph = new Graph((await testGpu()).gpu.conditions);
  expect(() => pyramidDown(graph.input('x', [1, 5, 4, 3]))).toThrow('[1,5,4,3] has an odd side');
});

test.each([
  [1, 1, 1],
  [2, 5, 6],
  [1, 3, 1],
])('Sobel of %i images of %i x %i', async (n, h, w) => {
  const { gpu } = await testGpu();
  const x = random([n, h, w, 3], 1);
  const at = (i: number, y: number, px: number, c: number): number =>
    y < 0 || px < 0 || y >= h || px >= w ? 0 : x.data[((i * h + y) * w + px) * 3 + c];
  const want: number[] = [];
  for (let i = 0; i < n; i++) {
    for (let y = 0; y < h; y++) {
      for (let px = 0; px < w; px++) {
        const d = (f: (k: number, c: number) => number) => [0, 1, 2].map((c) => (f(-1, c) + 2 * f(0, c) + f(1, c)) / 8);
        want.push(...d((k, c) => at(i, y + k, px + 1, c) - at(i, y + k, px - 1, c)));
        want.push(...d((k, c) => at(i, y + 1, px + k, c) - at(i, y - 1, px + k, c)));
      }
    }
  }
  const { y } = await compute(gpu, { x }, (t) => ({ y: sobel(t.x) }));
  expectClose(y, want, TOLERANCE.f32.sum);
});
