/**
 * Which signal level and step size every training frame gets (dreamer4 6.1), as a pure function of (seed, step): the
 * grid, the bootstrap rows, image rows, finished-context frames and loss weights.
 */
import { mix32, uniform01 } from '../../gpu/rng.ts';
import type { DreamerConfig } from './config.ts';
import { carryWeight, KNOWN } from './model.ts';

export interface NoiseLevels {
  /** (tau, d) per frame, [rows * time, 2]. */
  signal: Float32Array<ArrayBuffer>;
  /** Loss weight per frame: ramp, change weight, 0 for finished context. */
  weight: Float32Array<ArrayBuffer>;
  /** First visible frame per row; 0xffffffff = image row. */
  starts: Uint32Array<ArrayBuffer>;
  /** 1 - the noise of finished frames in rows with finished context, 0 in other rows. */
  context: Float32Array<ArrayBuffer>;
}

export const IMAGE_ROW = 0xffffffff;

/** Weight of a frame by its signal level (6.3): `floor` at pure noise, 1 at a clean frame. */
export const ramp = (tau: number, floor = 0.1): number => (1 - floor) * tau + floor;

/** Every number of bootstrap rows has a program of its own, so the ramp is a stair. */
const RAMP_STAGES = 4;

/**
 * Bootstrap rows among `rows` in optimiser step `t` (from 1): none until `bootstrapStart`, then linearly more until
 * `bootstrapRamp` later (dreamer4 6.1: a half step must work before two can be merged).
 */
export function bootstrapRowsAt(c: DreamerConfig, t: number, rows: number): number {
  const { steps } = c.phases.dynamics;
  const after = t - steps * c.bootstrapStart;
  if (after <= 0) return 0;
  const all = Math.round(rows * c.bootstrapShare);
  const ramp = steps * c.bootstrapRamp;
  return after >= ramp ? all : Math.round((all * Math.ceil((RAMP_STAGES * after) / ramp)) / RAMP_STAGES);
}

/**
 * The last `bootstrapRows` rows take steps d > 1/kMax; `changed` [rows * time] raises the weight of frames that moved, frames in
 * `wanted` are not finished by `solidContextShare`.
 */
export function drawNoiseLevels(
  c: DreamerConfig,
  rows: number,
  time: number,
  bootstrapRows: number,
  changed: Uint8Array,
  seed: number,
  step: number,
  wanted?: Uint8Array,
): NoiseLevels {
  const { kMax } = c.dynamics;
  const levels = Math.log2(kMax);
  const signal = new Float32Array(rows * time * 2);
  const weight = new Float32Array(rows * time);
  const starts = new Uint32Array(rows);
  const context = new Float32Array(rows);
  const draw = (i: number, stream: number): number => uniform01(mix32(seed, step, i, stream));
  for (let row = 0; row < rows; row++) {
    const bootstrap = row >= rows - bootstrapRows;
    const image = draw(row, 101) < c.imageShare;
    const cleanContext = !image && !bootstrap && draw(row, 102) < c.cleanContextShare;
    // The worst context lies between the two bounds; 0 (or anything below the first) leaves one level.
    const span = Math.max(0, c.contextCorruptionMax - c.contextCorruption);
    const corruption = c.contextCorruption + span * draw(row, 107);
    if (image) starts[row] = IMAGE_ROW;
    if (cleanContext) context[row] = 1 - corruption;
    for (let t = 0; t < time; t++) {
      const i = row * time + t;
      const e = bootstrap ? Math.floor(draw(i, 103) * levels) : levels;
      const d = 2 ** -e;
      let tau = Math.floor(draw(i, 104) / d) * d;
      if (!bootstrap && draw(i, 106) < c.noiseShare) tau = 0;
      weight[i] = ramp(tau, c.lossFloor) * (1 + c.frameChangeWeight * changed[i]);
      // Every second frame, so that each prediction has the frame before it whole, as in play; and some of the others, so that
      // some have more than one.
      if (cleanContext && (t % 2 === 0 || (!wanted?.[i] && draw(i, 108) < c.solidContextShare))) {
        tau = 1 - corruption;
        weight[i] = 0;
      }
      signal[2 * i] = tau;
      signal[2 * i + 1] = d;
    }
  }
  return { signal, weight, starts, context };
}

/** Weight of every token [frames, tokens]: of its frame, `1 + handsWeight` times that where hands changed all that it shows. */
export function tokenWeights(c: DreamerConfig, frames: Float32Array, touched: Uint8Array): Float32Array<ArrayBuffer> {
  const { tokens } = c.dynamics;
  return Float32Array.from(touched, (mark, i) => frames[Math.floor(i / tokens)] * (1 + (c.handsWeight * mark) / 255));
}

/**
 * Levels of a pass that makes context out of predictions: in rows with finished context, frames of the given parity are
 * predicted from pure noise in one step of size 1, 1/2 or 1/4, the others are finished. Other rows stay pure noise; nobody
 * reads them. Shape [rows * time, 2].
 */
export function selfContextLevels(
  levels: NoiseLevels,
  time: number,
  kMax: number,
  parity: number,
  seed: number,
  step: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(levels.signal.length);
  for (let i = 0; i < out.length / 2; i++) {
    const finished = (i % time) % 2 !== parity;
    out[2 * i] = finished ? levels.context[Math.floor(i / time)] : 0;
    out[2 * i + 1] = finished ? 1 / kMax : 2 ** -Math.floor(3 * uniform01(mix32(seed, step, i, 110 + parity)));
  }
  return out;
}

/** What is left of the true frame when a pass hands its predictions on: (share of truth, 0) per frame, [rows * time, 2]. */
export function truthLeft(levels: NoiseLevels, time: number, parity: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(levels.signal.length);
  for (let i = 0; i < out.length / 2; i++) {
    const t = i % time;
    // A row's first frame has no past to be predicted from.
    const predicted = t > 0 && t % 2 === parity && levels.context[Math.floor(i / time)] > 0;
    out[2 * i] = predicted ? 0 : 1;
  }
  return out;
}

export interface Past {
  /** What the frame before is worth to each frame (`carryWeight`), 0 where there is none: first column of [frames, 2]. */
  carry: Float32Array<ArrayBuffer>;
  /** 1 where both frames before are known (`KNOWN`): first columns of [frames, 2] and [frames, 4]. */
  moving: Float32Array<ArrayBuffer>;
  known: Float32Array<ArrayBuffer>;
}

/** Of the frames from `from` on, at the signal levels of `signal` [rows * time, 2] plus `later`; image rows have no past. */
export function pastOf(
  { starts }: Pick<NoiseLevels, 'starts'>,
  signal: Float32Array,
  time: number,
  from = 0,
  later = (_: number): number => 0,
): Past {
  const n = signal.length / 2;
  const carry = new Float32Array(2 * (n - from));
  const moving = new Float32Array(2 * (n - from));
  const known = new Float32Array(4 * (n - from));
  const level = (i: number): number => signal[2 * i] + later(i);
  for (let i = from; i < n; i++) {
    const before = starts[Math.floor(i / time)] === IMAGE_ROW ? 0 : i % time;
    if (before > 0) carry[2 * (i - from)] = carryWeight(level(i - 1));
    if (before < 2 || Math.min(level(i - 1), level(i - 2)) < KNOWN) continue;
    moving[2 * (i - from)] = 1;
    known[4 * (i - from)] = 1;
  }
  return { carry, moving, known };
}
