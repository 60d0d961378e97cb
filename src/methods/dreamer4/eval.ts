/**
 * Evaluation on worlds that no training episode used (dreamer4 section 14.1; figures as the issue names them). Windows
 * start at fixed places of fresh episodes; the dream gets true frames as context and the true actions afterwards.
 *   psnrN / copyN   PSNR of the mean squared error over the first N dreamed frames of all windows / of repeating the
 *                   last context frame instead. Errors are averaged, not decibels: a window in which nothing moves would
 *                   give the copy an infinite PSNR. Intervals: 95 %, bootstrap over worlds; gainN = psnrN - copyN, paired.
 *   shuffleRatio16  error with the actions of another window / error with the true ones, 16 frames
 *   motionRatio     mean |x_{t+1} - x_t| of the dream / of the truth, 16 frames
 *   drift200        largest relative difference of pixel mean and standard deviation, dream against truth, frames
 *                   181-200, one dream in every fresh world
 *   touchEffect, touchShare, touchFalse   breaking and placing: touch.ts; also of minedX, placedX and slotX alone
 *   walkMotion, wallMotion, pushMotion, trueWallMotion, wallShare   walls: walk.ts
 *   idleStd200      standard deviation of dreams in which no key is pressed, frames 181-200 / frames 1-20: below 1 fades
 */

import type { Storage } from '../../data/storage.ts';
import type { Gpu } from '../../gpu/device.ts';
import { mix32 } from '../../gpu/rng.ts';
import { fusedStack } from '../../nn/fused-layers.ts';
import type { DreamerConfig } from './config.ts';
import { buildFrames, evaluationSpecs } from './dataset.ts';
import type { FrameSet } from './frames.ts';
import { type DreamModel, LatentDream } from './play.ts';
import { NO_ACTION } from './play-contract.ts';
import { measureTouch } from './touch.ts';
import { measureWalk } from './walk.ts';

export interface EvalOptions {
  windows: number;
  streams: number;
  context: number;
  k: number;
  /** Noise fraction of finished frames. */
  corruption: number;
  seed: number;
  /** Also dream 200 frames for the drift and 2000 for the cost (minutes on a CPU adapter). */
  long: boolean;
  /** Events of breaking and placing (touch.ts), half as many of the hotbar; 0 = none. */
  touch: number;
  /** Walks against walls and on open ground (walk.ts); 0 = none. */
  walk: number;
  /** Keeps the rendered episodes across evaluations. */
  cache?: Storage;
  progress: (text: string) => void;
}

export interface Interval {
  mean: number;
  low: number;
  high: number;
}

export interface EvalResult {
  metrics: Record<string, number>;
  intervals: Record<string, Interval>;
  tables: { name: string; columns: string[]; rows: (number | string)[][] }[];
}

const HORIZONS = [1, 4, 16] as const;
const HORIZON = 16;
/** Frames of a long dream, and of a stretch of it. */
const LONG = 200;
const STRETCH = 20;
const psnr = (mse: number): number => -10 * Math.log10(Math.max(mse, 1e-10));

const RESAMPLES = 2000;

/**
 * 95 % bootstrap interval of a figure that depends on the windows' mean errors; `worldOf` names the world of every window.
 * A world is drawn with all its windows: they share player, kit and terrain, so they are not independent.
 */
export function bootstrap(
  worldOf: readonly number[],
  seed: number,
  figure: (chosen: readonly number[]) => number,
): Interval {
  const everyone = worldOf.map((_, i) => i);
  const worlds = [...new Set(worldOf)].map((world) => everyone.filter((i) => worldOf[i] === world));
  const values: number[] = [];
  for (let r = 0; r < RESAMPLES; r++) {
    values.push(figure(worlds.flatMap((_, i) => worlds[mix32(seed, r, i, 31) % worlds.length])));
  }
  values.sort((x, y) => x - y);
  return {
    mean: figure(everyone),
    low: values[Math.floor(RESAMPLES * 0.025)],
    high: values[Math.ceil(RESAMPLES * 0.975) - 1],
  };
}

const meanOver = (values: number[], chosen: readonly number[]): number => {
  let sum = 0;
  for (const i of chosen) sum += values[i];
  return sum / chosen.length;
};

/** Mean squared error of two pictures in 0..1. */
export function pictureError(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum / a.length / 65025;
}

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
  return sum / a.length / 255;
}

/** Mean and standard deviation of all bytes of pictures. */
class Moments {
  private n = 0;
  private sum = 0;
  private squares = 0;

  add(picture: Uint8Array): void {
    for (const v of picture) {
      this.sum += v;
      this.squares += v * v;
    }
    this.n += picture.length;
  }

  get mean(): number {
    return this.sum / this.n;
  }

  get std(): number {
    return Math.sqrt(this.squares / this.n - this.mean ** 2);
  }
}

/** One batch of windows dreamed side by side: `[horizon][stream]` pictures. */
async function dreamWindows(
  dream: LatentDream,
  set: FrameSet,
  starts: readonly Start[],
  actionsOf: (stream: number, i: number) => number,
  options: EvalOptions,
  horizon: number,
): Promise<Uint8Array[][]> {
  const size = set.width * set.height * 3;
  const { context } = options;
  const n = dream.streams;
  dream.reset();
  const frames = new Uint8Array(context * n * size);
  const actions = new Uint32Array(context * n);
  for (let i = 0; i < context; i++) {
    starts.forEach(({ episode, at }, s) => {
      const from = at - context + i;
      const e = set.episodes[episode];
      frames.set(e.frames.subarray(from * size, (from + 1) * size), (i * n + s) * size);
      actions[i * n + s] = e.actions[from];
    });
  }
  await dream.observe(frames, actions);
  const out: Uint8Array[][] = [];
  const settings = { k: options.k, contextCorruption: options.corruption, seed: options.seed };
  for (let i = 0; i < horizon; i++) {
    const row = Uint32Array.from(starts, (_, s) => actionsOf(s, i));
    const { rgb } = await dream.step(row, settings, { rgb: true });
    out.push(starts.map((_, s) => rgb.slice(s * size, (s + 1) * size)));
  }
  return out;
}

interface Start {
  episode: number;
  /** The first frame that is dreamed. */
  at: number;
}

/** Pictures `[frame][window]` that follow the starts under the actions. */
export type Dreamer = (
  batch: readonly Start[],
  actionsOf: (window: number, frame: number) => number,
) => Promise<Uint8Array[][]>;

/** Dreams 16 frames from every start, `streams` at a time, with the true actions and with another window's, beside the truth. */
export async function scoreWindows(
  set: FrameSet,
  starts: readonly Start[],
  streams: number,
  seed: number,
  dream: Dreamer,
  progress: (done: number) => void = () => undefined,
): Promise<{ metrics: Record<string, number>; intervals: Record<string, Interval> }> {
  const size = set.width * set.height * 3;
  const truth = (w: Start, i: number): Uint8Array =>
    set.episodes[w.episode].frames.subarray((w.at + i) * size, (w.at + i + 1) * size);
  const actionOf = (w: Start, i: number): number => set.episodes[w.episode].actions[w.at + i];
  const errors = new Map<number, { dream: number[]; copy: number[] }>(
    HORIZONS.map((h) => [h, { dream: [], copy: [] }]),
  );
  let shuffled = 0;
  let straight = 0;
  let motion = 0;
  let trueMotion = 0;
  for (let first = 0; first + streams <= starts.length; first += streams) {
    const batch = starts.slice(first, first + streams);
    const dreamed = await dream(batch, (s, i) => actionOf(batch[s], i));
    const wrong = await dream(batch, (s, i) => actionOf(batch[(s + Math.floor(streams / 2)) % streams], i));
    batch.forEach((w, s) => {
      const last = truth(w, -1);
      for (const h of HORIZONS) {
        let error = 0;
        let copy = 0;
        for (let i = 0; i < h; i++) {
          error += pictureError(dreamed[i][s], truth(w, i)) / h;
          copy += pictureError(last, truth(w, i)) / h;
        }
        errors.get(h)?.dream.push(error);
        errors.get(h)?.copy.push(copy);
      }
      for (let i = 0; i < HORIZON; i++) {
        straight += pictureError(dreamed[i][s], truth(w, i));
        shuffled += pictureError(wrong[i][s], truth(w, i));
        if (i === 0) continue;
        motion += meanDifference(dreamed[i][s], dreamed[i - 1][s]);
        trueMotion += meanDifference(truth(w, i), truth(w, i - 1));
      }
    });
    progress(first + streams);
  }
  const metrics: Record<string, number> = {};
  const intervals: Record<string, Interval> = {};
  for (const [h, { dream: d, copy }] of errors) {
    // Windows that fill no batch were not dreamed.
    const worldOf = starts.slice(0, d.length).map(({ episode }) => episode);
    intervals[`psnr${h}`] = bootstrap(worldOf, seed, (w) => psnr(meanOver(d, w)));
    intervals[`copy${h}`] = bootstrap(worldOf, seed, (w) => psnr(meanOver(copy, w)));
    intervals[`gain${h}`] = bootstrap(worldOf, seed, (w) => psnr(meanOver(d, w)) - psnr(meanOver(copy, w)));
  }
  for (const name of Object.keys(intervals)) {
    metrics[name] = intervals[name].mean;
    metrics[`${name}Low`] = intervals[name].low;
    metrics[`${name}High`] = intervals[name].high;
  }
  metrics.shuffleRatio16 = shuffled / straight;
  metrics.motionRatio = motion / trueMotion;
  return { metrics, intervals };
}

/** Windows of a fresh world, far apart. */
const PER_EPISODE = 2;

const startOf = (i: number, context: number): Start => ({
  episode: Math.floor(i / PER_EPISODE),
  at: context + HORIZON + (i % PER_EPISODE) * (context + HORIZON),
});

/** Steps of a fresh episode: all its windows and, when long, its long dream fit into it. */
export function episodeSteps(context: number, long: boolean): number {
  if (!long) return context * 2 + HORIZON * 4;
  return Math.max(320, context + LONG + STRETCH, startOf(PER_EPISODE - 1, context).at + HORIZON);
}

export async function evaluate(gpu: Gpu, model: DreamModel, options: EvalOptions): Promise<EvalResult> {
  const c: DreamerConfig = model.config;
  const { windows, streams, context, seed, progress } = options;
  const steps = episodeSteps(context, options.long);
  const specs = evaluationSpecs(c, seed, Math.ceil(windows / PER_EPISODE), steps);
  const set = await buildFrames(c, specs, options.cache ?? null, (done, total) => {
    if (done % 8 === 0) progress(`episodes ${done} of ${total}`);
  });
  const starts = Array.from({ length: windows }, (_, i) => startOf(i, context));
  const dream = new LatentDream(gpu, model, streams, { k: options.k, fused: fusedStack });
  const dreamer: Dreamer = (batch, actionsOf) => dreamWindows(dream, set, batch, actionsOf, options, HORIZON);
  const { metrics, intervals } = await scoreWindows(set, starts, streams, seed, dreamer, (done) =>
    progress(`windows ${done} of ${windows}`),
  );
  const tables: EvalResult['tables'] = [];
  metrics.windows = Math.floor(windows / streams) * streams;
  metrics.contextSeconds = dream.info.contextSeconds;
  Object.assign(metrics, await reconstruction(gpu, model, set, streams, progress));

  if (options.long) {
    const { figures, table } = await longDreams(dream, set, options, context);
    Object.assign(metrics, figures);
    tables.push(table);
  }
  dream.dispose();
  if (options.touch > 0) {
    const touched = await measureTouch(gpu, model, { ...options, events: options.touch });
    Object.assign(metrics, touched.metrics);
    tables.push(touched.table);
    progress(`${touched.events.length} events of breaking and placing dreamed`);
  }
  if (options.walk > 0) {
    const walked = await measureWalk(gpu, model, { ...options, events: options.walk });
    Object.assign(metrics, walked.metrics);
    tables.push(walked.table);
    progress(`${walked.events.length} walks dreamed`);
  }
  Object.assign(metrics, await cost(gpu, model, set, options));
  tables.unshift({
    name: 'horizon',
    columns: ['frames', 'psnr', 'low', 'high', 'copy', 'gain'],
    rows: HORIZONS.map((h) => [
      h,
      metrics[`psnr${h}`],
      metrics[`psnr${h}Low`],
      metrics[`psnr${h}High`],
      metrics[`copy${h}`],
      metrics[`gain${h}`],
    ]),
  });
  return { metrics, intervals, tables };
}

/** Two hundred frames in every world with its own actions, and a batch of worlds in which nobody presses a key. */
async function longDreams(
  dream: LatentDream,
  set: FrameSet,
  options: EvalOptions,
  at: number,
): Promise<{ figures: Record<string, number>; table: EvalResult['tables'][number] }> {
  const size = set.width * set.height * 3;
  const { streams } = options;
  // Pictures are pooled over worlds in stretches of 20 frames.
  const dreamed = Array.from({ length: LONG / STRETCH }, () => new Moments());
  const truth = dreamed.map(() => new Moments());
  const idle = dreamed.map(() => new Moments());
  const batches = Math.max(1, Math.floor(set.episodes.length / streams));
  for (let first = 0; first < batches * streams; first += streams) {
    const batch = Array.from({ length: streams }, (_, s) => ({ episode: (first + s) % set.episodes.length, at }));
    const episodes = batch.map(({ episode }) => set.episodes[episode]);
    const frames = await dreamWindows(dream, set, batch, (s, i) => episodes[s].actions[at + i], options, LONG);
    frames.forEach((row, i) => {
      for (const picture of row) dreamed[Math.floor(i / STRETCH)].add(picture);
      for (const e of episodes)
        truth[Math.floor(i / STRETCH)].add(e.frames.subarray((at + i) * size, (at + i + 1) * size));
    });
    options.progress(`${LONG} frames dreamed in ${first + streams} worlds`);
    if (first > 0) continue;
    const alone = await dreamWindows(dream, set, batch, () => NO_ACTION, options, LONG);
    alone.forEach((row, i) => {
      for (const picture of row) idle[Math.floor(i / STRETCH)].add(picture);
    });
  }
  const last = dreamed.length - 1;
  const driftMean200 = Math.abs(dreamed[last].mean / truth[last].mean - 1);
  const driftStd200 = Math.abs(dreamed[last].std / truth[last].std - 1);
  return {
    figures: {
      driftMean200,
      driftStd200,
      drift200: Math.max(driftMean200, driftStd200),
      idleStd200: idle[last].std / idle[0].std,
    },
    table: {
      name: 'drift',
      columns: ['frames', 'mean', 'true mean', 'std', 'true std', 'idle mean', 'idle std'],
      rows: dreamed.map((d, i) => [
        (i + 1) * STRETCH,
        d.mean,
        truth[i].mean,
        d.std,
        truth[i].std,
        idle[i].mean,
        idle[i].std,
      ]),
    },
  };
}

/** Tokenizer PSNR as play sees it: frames encoded and decoded one by one over rings. */
async function reconstruction(
  gpu: Gpu,
  model: DreamModel,
  set: FrameSet,
  streams: number,
  progress: (text: string) => void,
): Promise<Record<string, number>> {
  const { Reconstructor } = await import('./reconstruct.ts');
  const tool = new Reconstructor(gpu, model, streams);
  const size = set.width * set.height * 3;
  const values: number[] = [];
  for (let first = 0; first < set.episodes.length; first += streams) {
    const group = Array.from({ length: streams }, (_, s) => set.episodes[(first + s) % set.episodes.length]);
    tool.reset();
    for (let i = 0; i < 24; i++) {
      const frames = new Uint8Array(streams * size);
      group.forEach((e, s) => {
        frames.set(e.frames.subarray(i * size, (i + 1) * size), s * size);
      });
      const rgb = await tool.frame(frames);
      if (i < 8) continue;
      group.forEach((e, s) => {
        if (first + s >= set.episodes.length) return;
        values[first + s] =
          (values[first + s] ?? 0) +
          pictureError(rgb.subarray(s * size, (s + 1) * size), e.frames.subarray(i * size, (i + 1) * size)) / 16;
      });
    }
  }
  tool.dispose();
  progress('tokenizer measured');
  // One error a world.
  const worldOf = values.map((_, world) => world);
  const result = bootstrap(worldOf, 1, (w) => psnr(meanOver(values, w)));
  return { tokenizerPsnr: result.mean, tokenizerPsnrLow: result.low, tokenizerPsnrHigh: result.high };
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

/**
 * Time of one dreamed frame, one stream; frames per second over the first 200. Long: also at frame 200 and at frame 2000, of
 * two dreams that take turns, since what else a machine does changes faster than 1800 frames pass.
 */
async function cost(gpu: Gpu, model: DreamModel, set: FrameSet, options: EvalOptions): Promise<Record<string, number>> {
  const size = set.width * set.height * 3;
  const e = set.episodes[0];
  const context = Math.min(options.context, e.actions.length);
  const settings = { k: options.k, contextCorruption: options.corruption, seed: options.seed };
  const begin = async (): Promise<{ dream: LatentDream; step: () => Promise<number> }> => {
    const dream = new LatentDream(gpu, model, 1, { k: options.k, fused: fusedStack });
    await dream.observe(e.frames.slice(0, context * size), e.actions.slice(0, context));
    let i = 0;
    const step = async (): Promise<number> => {
      const at = (i++ % (e.actions.length - 1)) + 1;
      return (await dream.step(e.actions.slice(at, at + 1), settings)).timing.total;
    };
    return { dream, step };
  };
  const old = await begin();
  const times: number[] = [];
  for (let i = 0; i < (options.long ? 200 : 60); i++) times.push(await old.step());
  const played = Object.values(old.dream.programStats())[1];
  const out: Record<string, number> = {
    framesPerSecond: 1000 / median(times.slice(10)),
    dispatchesPerFrame: played.dispatches,
    flopsPerFrame: played.flops,
    ringBytes: old.dream.ringBytes,
  };
  if (options.long) {
    for (let i = 200; i < 1900; i++) await old.step();
    const young = await begin();
    for (let i = 0; i < 150; i++) await young.step();
    const at200: number[] = [];
    const at2000: number[] = [];
    for (let i = 0; i < 100; i++) {
      at200.push(await young.step());
      at2000.push(await old.step());
    }
    young.dream.dispose();
    out.msFrame200 = median(at200);
    out.msFrame2000 = median(at2000);
    out.msGrowth = out.msFrame2000 / out.msFrame200;
  }
  old.dream.dispose();
  return out;
}
