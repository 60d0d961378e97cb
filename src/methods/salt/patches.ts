/** Pixels of clips as rows of tubelet patches, on the host: a step uploads them once. */
import { gridOf, patchWidth, type SaltConfig, TUBELET, tokensOf } from './config.ts';

const EPS = 1e-4;

/**
 * RGB bytes [frames, size, size, 3] of a clip as rows [tokens, 2 * patch * patch * 3] in -1..1, written into `out` from row `at` on.
 */
export function patchify(c: SaltConfig, pixels: Uint8Array, out: Float32Array, at: number): void {
  const { size, patch } = c;
  const { time, height, width } = gridOf(c);
  let to = at * patchWidth(c);
  for (let t = 0; t < time; t++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let f = 0; f < TUBELET; f++) {
          for (let row = 0; row < patch; row++) {
            const from = (((t * TUBELET + f) * size + y * patch + row) * size + x * patch) * 3;
            for (let i = 0; i < patch * 3; i++) out[to++] = pixels[from + i] / 127.5 - 1;
          }
        }
      }
    }
  }
}

/** Every row less its mean, over its deviation: what stage 1 regresses. Deviations below 0.01 count as more, so that flat patches stay flat. */
export function normalisePatches(rows: Float32Array, width: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(rows.length);
  for (let at = 0; at < rows.length; at += width) {
    let [sum, squares] = [0, 0];
    for (let i = at; i < at + width; i++) {
      sum += rows[i];
      squares += rows[i] * rows[i];
    }
    const mean = sum / width;
    const scale = 1 / Math.sqrt(Math.max(0, squares / width - mean * mean) + EPS);
    for (let i = at; i < at + width; i++) out[i] = (rows[i] - mean) * scale;
  }
  return out;
}

/** Patches of a batch of clips: [clips * tokens, width]. */
export function patchBatch(c: SaltConfig, clips: readonly Uint8Array[]): Float32Array<ArrayBuffer> {
  const tokens = tokensOf(gridOf(c));
  const out = new Float32Array(clips.length * tokens * patchWidth(c));
  for (const [b, pixels] of clips.entries()) patchify(c, pixels, out, b * tokens);
  return out;
}
