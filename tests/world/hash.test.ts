/** Hashes and noise: known values, distribution, continuity. */
import { describe, expect, it } from 'vitest';
import { crc32, digest64, hex64, mix32 } from '../../src/world/hash.ts';
import { noise2, noise3 } from '../../src/world/noise.ts';

describe('hashes', () => {
  it('crc32 has its published check value', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
  });

  it('mix32 is fixed for ever, flips half of its bits for a changed input bit, and fills its range evenly', () => {
    expect([mix32(0, 0, 0, 0), mix32(1, 2, 3, 4)]).toEqual([0, 2226550290]);
    let flips = 0;
    for (let i = 0; i < 1000; i++) {
      let d = mix32(i, 7, 9, 11) ^ mix32(i ^ 16, 7, 9, 11);
      for (; d !== 0; d &= d - 1) flips++;
    }
    expect(Math.abs(flips / 1000 - 16)).toBeLessThan(0.5);
    const bins = new Array(16).fill(0);
    for (let i = 0; i < 16000; i++) bins[mix32(i, 0, 0, 5) >>> 28]++;
    for (const n of bins) expect(Math.abs(n - 1000)).toBeLessThan(130);
  });

  it('digest64 depends on order, length and every word', () => {
    const words = Uint32Array.from({ length: 64 }, (_, i) => i * 2654435761);
    const base = hex64(digest64(words, 0, 64));
    expect(base).toMatch(/^[0-9a-f]{16}$/);
    expect(hex64(digest64(words, 0, 63))).not.toBe(base);
    for (let i = 0; i < 64; i++) {
      const other = words.slice();
      other[i] ^= 1 << (i & 31);
      expect(hex64(digest64(other, 0, 64))).not.toBe(base);
    }
    const swapped = words.slice();
    [swapped[3], swapped[4]] = [swapped[4], swapped[3]];
    expect(hex64(digest64(swapped, 0, 64))).not.toBe(base);
  });
});

describe('noise', () => {
  it('stays in 0..4095, meets its lattice, and changes little from block to block', () => {
    const f = noise2(77, 128, 128, 4);
    let least = 4096;
    let most = -1;
    let jump = 0;
    for (let z = 0; z < 128; z++)
      for (let x = 0; x < 128; x++) {
        const v = f[z * 128 + x];
        least = Math.min(least, v);
        most = Math.max(most, v);
        if (x > 0) jump = Math.max(jump, Math.abs(v - f[z * 128 + x - 1]));
        if (x % 16 === 0 && z % 16 === 0) expect(v).toBe(mix32(x >> 4, 0, z >> 4, 77) & 4095);
      }
    expect(least).toBeGreaterThanOrEqual(0);
    expect(most).toBeLessThanOrEqual(4095);
    expect(most - least).toBeGreaterThan(3000);
    // The steepest smoothstep climbs 1.5 / 16 of the range per block.
    expect(jump).toBeLessThan(400);
  });

  it('in three dimensions agrees with its lattice too', () => {
    for (let i = 0; i < 50; i++) expect(noise3(5, i * 16, 32, 48, 4)).toBe(mix32(i, 2, 3, 5) & 4095);
  });
});
