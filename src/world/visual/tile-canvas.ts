/**
 * A 16x16 drawing surface for block tiles: fills, grain, blotches, lines, all in integers, so a tile is the same bytes
 * everywhere. It knows nothing of blocks; the recipes are in tiles.ts.
 */
import { mix32 } from '../../gpu/rng.ts';

export const TILE = 16;

/** Colour as 0xRRGGBB. */
export type Rgb = number;

/** One texel or pixel as the GPU stores it: r | g<<8 | b<<16 | a<<24. */
export function packRgba(rgb: Rgb, alpha = 255): number {
  return (((rgb >> 16) & 255) | (rgb & 0xff00) | ((rgb & 255) << 16) | (alpha << 24)) >>> 0;
}

const clamp = (v: number) => (v < 0 ? 0 : v > 255 ? 255 : v);

/** Adds `d` to each channel, clamped. */
export function shift(rgb: Rgb, d: number): Rgb {
  return (clamp((rgb >> 16) + d) << 16) | (clamp(((rgb >> 8) & 255) + d) << 8) | clamp((rgb & 255) + d);
}

/** a + (b - a) * t / 256 per channel. */
export function blend(a: Rgb, b: Rgb, t: number): Rgb {
  let out = 0;
  for (let k = 0; k < 24; k += 8) {
    const x = (a >> k) & 255;
    const y = (b >> k) & 255;
    out |= (x + (((y - x) * t) >> 8)) << k;
  }
  return out;
}

export class TileCanvas {
  readonly rgb = new Uint32Array(TILE * TILE);
  readonly alpha = new Uint8Array(TILE * TILE).fill(255);
  private readonly seed: number;

  constructor(base: Rgb, seed: number) {
    this.seed = seed;
    this.rgb.fill(base);
  }

  set(x: number, y: number, c: Rgb): this {
    if (x >= 0 && y >= 0 && x < TILE && y < TILE) this.rgb[y * TILE + x] = c;
    return this;
  }

  rect(x: number, y: number, w: number, h: number, c: Rgb): this {
    for (let j = y; j < y + h; j++) for (let i = x; i < x + w; i++) this.set(i, j, c);
    return this;
  }

  frame(x: number, y: number, w: number, h: number, c: Rgb): this {
    return this.rect(x, y, w, 1, c)
      .rect(x, y + h - 1, w, 1, c)
      .rect(x, y, 1, h, c)
      .rect(x + w - 1, y, 1, h, c);
  }

  /** Grain of +-`amount` per 2^`size` texel square: visible close by, averaged away by the mips. */
  grain(amount: number, size = 1): this {
    const span = 2 * amount + 1;
    for (let i = 0; i < 256; i++) {
      const h = mix32((i & 15) >> size, (i >> 4) >> size, size, this.seed);
      this.rgb[i] = shift(this.rgb[i], (h % span) - amount);
    }
    return this;
  }

  /** Rounded spots of a second material, at fixed places so that every block of a kind looks alike. */
  spots(places: readonly (readonly [number, number, number])[], c: Rgb): this {
    for (const [cx, cy, r] of places) {
      for (let j = -r; j <= r; j++)
        for (let i = -r; i <= r; i++) {
          if (Math.abs(i) + Math.abs(j) >= 2 * r || (r === 1 && i !== 0 && j !== 0 && (i ^ j) > 0)) continue;
          this.set((cx + i) & 15, (cy + j) & 15, shift(c, i + j < 0 ? 10 : i + j > r ? -10 : 0));
        }
    }
    return this;
  }

  opacity(alpha: number, keep: (x: number, y: number) => boolean = () => false): this {
    for (let i = 0; i < 256; i++) if (!keep(i & 15, i >> 4)) this.alpha[i] = alpha;
    return this;
  }
}
