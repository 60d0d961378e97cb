/**
 * Which signal level and step size every training frame gets (dreamer4 6.1), as a pure function of (seed, step): the
 * grid, the bootstrap rows, image rows, finished-context frames and loss weights.
 */
import { mix32, uniform01 } from '../../gpu/rng.ts';
import type { DreamerConfig } from './config.ts';

export interface NoiseLevels {
  /** (tau, d) per frame, [rows * time, 2]. */
  signal: Float32Array<ArrayBuffer>;
  /** Loss weight per frame: ramp, change weight, 0 for finished context. */
  weight: Float32Array<ArrayBuffer>;
  /** First visible frame per row; 0xffffffff = image row. */
  starts: Uint32Array<ArrayBuffer>;
}

export const IMAGE_ROW = 0xffffffff;

/** Weight of a frame by its signal level (6.3): `floor` at pure noise, 1 at a clean frame. */
export const ramp = (tau: number, floor = 0.1): number => (1 - floor) * tau + floor;

/** The last `bootstrapRows` rows take steps d > 1/kMax; `changed` [rows * time] raises the weight of frames that moved. */
export function drawNoiseLevels(
  c: DreamerConfig,
  rows: number,
  time: number,
  bootstrapRows: number,
  changed: Uint8Array,
  seed: number,
  step: number,
): NoiseLevels {
  const { kMax } = c.dynamics;
  const levels = Math.log2(kMax);
  const signal = new Float32Array(rows * time * 2);
  const weight = new Float32Array(rows * time);
  const starts = new Uint32Array(rows);
  const draw = (i: number, stream: number): number => uniform01(mix32(seed, step, i, stream));
  for (let row = 0; row < rows; row++) {
    const bootstrap = row >= rows - bootstrapRows;
    const image = draw(row, 101) < c.imageShare;
    const cleanContext = !image && !bootstrap && draw(row, 102) < c.cleanContextShare;
    // The worst context lies between the two bounds; 0 (or anything below the first) leaves one level.
    const span = Math.max(0, c.contextCorruptionMax - c.contextCorruption);
    const corruption = c.contextCorruption + span * draw(row, 107);
    if (image) starts[row] = IMAGE_ROW;
    for (let t = 0; t < time; t++) {
      const i = row * time + t;
      const e = bootstrap ? Math.floor(draw(i, 103) * levels) : levels;
      const d = 2 ** -e;
      let tau = Math.floor(draw(i, 104) / d) * d;
      if (!bootstrap && draw(i, 106) < c.noiseShare) tau = 0;
      weight[i] = ramp(tau, c.lossFloor) * (1 + c.frameChangeWeight * changed[i]);
      // Every second frame, so that each prediction has the frame before it whole, as in play.
      if (cleanContext && t % 2 === 0) {
        tau = 1 - corruption;
        weight[i] = 0;
      }
      signal[2 * i] = tau;
      signal[2 * i + 1] = d;
    }
  }
  return { signal, weight, starts };
}
