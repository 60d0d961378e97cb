/** Patches in blocks of 2x2, the binomial pyramid and Sobel derivatives, as plain loops in float64. */
import type { FrameShape } from '../ops/images.ts';

/** Place of a pixel in the patch rows: patches in blocks of 2x2, blocks row by row; pixels of a patch row by row. */
export function patchPlace(f: FrameShape, x: number, y: number): number {
  const px = Math.floor(x / f.patch);
  const py = Math.floor(y / f.patch);
  const block = Math.floor(py / 2) * (f.width / f.patch / 2) + Math.floor(px / 2);
  const index = block * 4 + (py % 2) * 2 + (px % 2);
  return (index * f.patch * f.patch + (y % f.patch) * f.patch + (x % f.patch)) * 3;
}

/** Patch rows of images [n, H, W, 3]. */
export function patchesOf(images: ArrayLike<number>, n: number, f: FrameShape): number[] {
  const out = new Array<number>(n * f.width * f.height * 3);
  eachPixel(n, f, (image, patch) => {
    out[patch] = images[image];
  });
  return out;
}

/** Images [n, H, W, 3] of patch rows. */
export function imagesOf(patches: ArrayLike<number>, n: number, f: FrameShape): number[] {
  const out = new Array<number>(n * f.width * f.height * 3);
  eachPixel(n, f, (image, patch) => {
    out[image] = patches[patch];
  });
  return out;
}

function eachPixel(n: number, f: FrameShape, visit: (image: number, patch: number) => void): void {
  for (let i = 0; i < n; i++) {
    const base = i * f.width * f.height * 3;
    for (let y = 0; y < f.height; y++) {
      for (let x = 0; x < f.width; x++) {
        const patch = base + patchPlace(f, x, y);
        for (let c = 0; c < 3; c++) visit(base + (y * f.width + x) * 3 + c, patch + c);
      }
    }
  }
}

const KERNEL = [1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16];

/** Weight of large pixel (y, x) in small pixel (sy, sx); zero outside of the 5x5 window. */
const blur = (sy: number, sx: number, y: number, x: number): number =>
  (KERNEL[y - 2 * sy + 2] ?? 0) * (KERNEL[x - 2 * sx + 2] ?? 0);

/** `down` of x [n, h, w, 3] blurs and halves; `up` of s [n, h/2, w/2, 3] is four times its transpose. */
export function pyramidReference(
  kind: 'down' | 'up',
  source: ArrayLike<number>,
  [n, h, w]: readonly [number, number, number],
): Float64Array {
  const out = new Float64Array(kind === 'down' ? (n * h * w * 3) / 4 : n * h * w * 3);
  for (let i = 0; i < n; i++)
    for (let sy = 0; sy < h / 2; sy++)
      for (let sx = 0; sx < w / 2; sx++)
        for (let y = Math.max(0, 2 * sy - 2); y <= Math.min(h - 1, 2 * sy + 2); y++)
          for (let x = Math.max(0, 2 * sx - 2); x <= Math.min(w - 1, 2 * sx + 2); x++)
            for (let c = 0; c < 3; c++) {
              const large = ((i * h + y) * w + x) * 3 + c;
              const small = ((i * (h / 2) + sy) * (w / 2) + sx) * 3 + c;
              if (kind === 'down') out[small] += blur(sy, sx, y, x) * source[large];
              else out[large] += 4 * blur(sy, sx, y, x) * source[small];
            }
  return out;
}

const SMOOTH = [1 / 8, 2 / 8, 1 / 8];

/** Sobel derivatives of [n, h, w, 3] with zero padding: [n, h, w, 6] (x, then y); `transpose` is the way back. */
export function sobelReference(
  source: ArrayLike<number>,
  [n, h, w]: readonly [number, number, number],
  transpose = false,
): Float64Array {
  const out = new Float64Array(n * h * w * (transpose ? 3 : 6));
  for (let i = 0; i < n; i++)
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++)
        for (let dy = -1; dy <= 1; dy++)
          for (let dx = -1; dx <= 1; dx++) {
            if (y + dy < 0 || x + dx < 0 || y + dy >= h || x + dx >= w) continue;
            const near = (i * h + y + dy) * w + x + dx;
            const own = (i * h + y) * w + x;
            const [gx, gy] = [dx * SMOOTH[dy + 1], dy * SMOOTH[dx + 1]];
            for (let c = 0; c < 3; c++) {
              if (transpose) out[near * 3 + c] += gx * source[own * 6 + c] + gy * source[own * 6 + 3 + c];
              else {
                out[own * 6 + c] += gx * source[near * 3 + c];
                out[own * 6 + 3 + c] += gy * source[near * 3 + c];
              }
            }
          }
  return out;
}
