// How far a dreamed picture is from the true one. RGB bytes in, plain numbers out; no GPU.

/** Side of a cell of the disagreement map, pixels: one patch of the tokenizer. */
export const CELL = 8;

export interface Comparison {
  /** 10 log10(255^2 / MSE) in decibels; identical pictures give 99. */
  psnr: number;
  /** Mean absolute difference per cell, 0..1, row by row; partial cells at the edges count. */
  cells: Float32Array;
}

export function compareImages(a: Uint8Array, b: Uint8Array, width: number, height: number): Comparison {
  if (a.length !== width * height * 3 || b.length !== a.length) {
    throw new Error(`pictures of ${a.length} and ${b.length} bytes, expected ${width}x${height}x3`);
  }
  const columns = Math.ceil(width / CELL);
  const rows = Math.ceil(height / CELL);
  const cells = new Float32Array(columns * rows);
  const counts = new Uint32Array(columns * rows);
  let squares = 0;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const cell = Math.floor(y / CELL) * columns + Math.floor(x / CELL);
      for (let c = 0; c < 3; c++, i++) {
        const d = a[i] - b[i];
        squares += d * d;
        cells[cell] += Math.abs(d);
      }
      counts[cell] += 3;
    }
  }
  for (let i = 0; i < cells.length; i++) cells[i] /= counts[i] * 255;
  const mse = squares / a.length;
  return { psnr: mse === 0 ? 99 : Math.min(99, 10 * Math.log10((255 * 255) / mse)), cells };
}

/** Mean and standard deviation over all bytes, both on the scale 0..1. */
export function pixelMoments(rgb: Uint8Array): { mean: number; deviation: number } {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < rgb.length; i++) {
    sum += rgb[i];
    squares += rgb[i] * rgb[i];
  }
  const mean = sum / rgb.length;
  return { mean: mean / 255, deviation: Math.sqrt(Math.max(0, squares / rgb.length - mean * mean)) / 255 };
}

/** RGB bytes to the RGBA bytes of a 2-D canvas; alpha 255. */
export function toRgba(rgb: Uint8Array, out = new Uint8ClampedArray((rgb.length / 3) * 4)): Uint8ClampedArray {
  for (let i = 0, o = 0; i < rgb.length; i += 3, o += 4) {
    out[o] = rgb[i];
    out[o + 1] = rgb[i + 1];
    out[o + 2] = rgb[i + 2];
    out[o + 3] = 255;
  }
  return out;
}
