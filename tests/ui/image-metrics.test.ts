// PSNR, disagreement per cell and moments against their definitions.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareImages, pixelMoments, toRgba } from '../../src/ui/playground/image-metrics.ts';

const picture = (width: number, height: number, value: (x: number, y: number, c: number) => number) =>
  Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return value(pixel % width, Math.floor(pixel / width), i % 3);
  });

describe('compareImages', () => {
  test('equal pictures agree completely', () => {
    const a = picture(64, 48, (x, y) => (x * y) & 255);
    const { psnr, cells } = compareImages(a, a, 64, 48);
    expect(psnr).toBe(99);
    expect(cells).toHaveLength(48);
    expect(Math.max(...cells)).toBe(0);
  });

  test('one level of difference everywhere is 48.13 dB', () => {
    const a = picture(64, 48, () => 100);
    const b = picture(64, 48, () => 101);
    expect(compareImages(a, b, 64, 48).psnr).toBeCloseTo(10 * Math.log10(255 ** 2), 6);
  });

  test('black against white is 0 dB and every cell is 1', () => {
    const { psnr, cells } = compareImages(
      picture(16, 16, () => 0),
      picture(16, 16, () => 255),
      16,
      16,
    );
    expect(psnr).toBeCloseTo(0, 10);
    expect([...cells]).toEqual([1, 1, 1, 1]);
  });

  test('a changed patch shows in its own cell only', () => {
    const a = picture(64, 48, () => 0);
    const b = picture(64, 48, (x, y) => (x >= 8 && x < 16 && y >= 16 && y < 24 ? 51 : 0));
    const { cells } = compareImages(a, b, 64, 48);
    expect(cells[2 * 8 + 1]).toBeCloseTo(0.2, 6);
    expect([...cells].filter((value) => value > 0)).toHaveLength(1);
  });

  test('cells average to the mean absolute difference, ragged sizes included', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), fc.integer(), (w, h, salt) => {
        const a = picture(w, h, (x, y, c) => (x * 31 + y * 17 + c * 7 + salt) & 255);
        const b = picture(w, h, (x, y, c) => (x * 5 + y * 41 + c + salt) & 255);
        const { cells } = compareImages(a, b, w, h);
        const columns = Math.ceil(w / 8);
        const total = cells.reduce((sum, value, i) => {
          const cw = Math.min(8, w - (i % columns) * 8);
          const ch = Math.min(8, h - Math.floor(i / columns) * 8);
          return sum + value * cw * ch;
        }, 0);
        const direct = a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / (3 * 255);
        expect(total).toBeCloseTo(direct, 3);
      }),
    );
  });

  test('a wrong size is a programmer error', () => {
    expect(() => compareImages(new Uint8Array(12), new Uint8Array(9), 2, 2)).toThrow(/12 and 9 bytes/);
  });
});

test('moments of a known picture', () => {
  const { mean, deviation } = pixelMoments(Uint8Array.from([0, 255, 0, 255, 0, 255]));
  expect(mean).toBeCloseTo(0.5, 10);
  expect(deviation).toBeCloseTo(0.5, 10);
  expect(pixelMoments(new Uint8Array(9).fill(51))).toEqual({ mean: 0.2, deviation: 0 });
});

test('RGB becomes opaque RGBA', () => {
  expect([...toRgba(Uint8Array.from([1, 2, 3, 4, 5, 6]))]).toEqual([1, 2, 3, 255, 4, 5, 6, 255]);
});
