// What the dynamics is told about each training frame: noise levels, features of actions and of the shortcut, windows, bytes.

import { describe, expect, test } from 'vitest';
import { type DreamerConfig, presets } from '../../../src/methods/dreamer4/config.ts';
import { parseConfig } from '../../../src/methods/dreamer4/config-file.ts';
import { ACTION_FEATURES, signalFeatures, writeAction, writeSignal } from '../../../src/methods/dreamer4/features.ts';
import { drawWindows, drawWindowsAround, touchedFrames } from '../../../src/methods/dreamer4/frames.ts';
import {
  bootstrapRowsAt,
  drawNoiseLevels,
  IMAGE_ROW,
  pastOf,
  ramp,
} from '../../../src/methods/dreamer4/noise-levels.ts';
import { NO_ACTION } from '../../../src/methods/dreamer4/play-contract.ts';
import { dequantise, latentStats, quantise } from '../../../src/methods/dreamer4/tokens.ts';
import { TOLERANCE } from '../../support/tolerance.ts';

const ROWS = 400;
const TIME = 20;
const BOOTSTRAP = 100;
const still = new Uint8Array(ROWS * TIME);

function draw(change: Partial<DreamerConfig> = {}, changed = still, step = 1) {
  const c = { ...presets.micro, lossFloor: 0.1, noiseShare: 0, ...change };
  const { signal, weight, starts } = drawNoiseLevels(c, ROWS, TIME, BOOTSTRAP, changed, 5, step);
  const frames = Array.from({ length: ROWS * TIME }, (_, i) => ({
    row: Math.floor(i / TIME),
    t: i % TIME,
    tau: signal[2 * i],
    d: signal[2 * i + 1],
    weight: weight[i],
  }));
  return { frames, starts, signal };
}

describe('bootstrap rows', () => {
  /** Of 24 rows, six of them in the end, in a run of 1000 steps. */
  const rowsOf = (change: Partial<DreamerConfig>, rows = 24): number[] => {
    const phases = structuredClone(presets.small.phases);
    phases.dynamics.steps = 1000;
    const c = { ...presets.small, phases, bootstrapShare: 0.25, ...change };
    return Array.from({ length: 1000 }, (_, i) => bootstrapRowsAt(c, i + 1, rows));
  };
  const changesOf = (rows: number[]): [step: number, rows: number][] =>
    rows.flatMap((n, i): [number, number][] => (n === (rows[i - 1] ?? 0) ? [] : [[i + 1, n]]));

  test('rise in four stages over the ramp, each step no more than a stage above the straight line', () => {
    const ramped = rowsOf({ bootstrapStart: 0.2, bootstrapRamp: 0.1 });
    expect(changesOf(ramped)).toEqual([
      [201, 2],
      [226, 3],
      [251, 5],
      [276, 6],
    ]);
    ramped.forEach((n, i) => {
      const line = 6 * Math.min(1, Math.max(0, (i + 1 - 200) / 100));
      expect(n).toBeGreaterThanOrEqual(line - 0.5);
      expect(n).toBeLessThan(line + 2);
    });
    expect(changesOf(rowsOf({ bootstrapStart: 0.2, bootstrapRamp: 0.1 }, 3))).toEqual([[226, 1]]);
  });

  test('without a ramp all are there at once; a start at 0 ramps from the first step on, one at 1 never', () => {
    expect(changesOf(rowsOf({ bootstrapStart: 0.2, bootstrapRamp: 0 }))).toEqual([[201, 6]]);
    expect(changesOf(rowsOf({ bootstrapStart: 0, bootstrapRamp: 0 }))).toEqual([[1, 6]]);
    expect(changesOf(rowsOf({ bootstrapStart: 0, bootstrapRamp: 0.1 })).map(([step]) => step)).toEqual([1, 26, 51, 76]);
    expect(changesOf(rowsOf({ bootstrapStart: 1 }))).toEqual([]);
  });

  test('a configuration from before the ramp has none', () => {
    const { bootstrapRamp: _, ...old } = presets.micro;
    expect(parseConfig(JSON.stringify(old)).bootstrapRamp).toBe(0);
  });
});

describe('noise levels', () => {
  const { kMax } = presets.micro.dynamics;
  const plain = draw({ cleanContextShare: 0 });

  test('lie on the grid: d a power of two, tau a multiple of d below 1', () => {
    for (const { row, tau, d } of plain.frames) {
      expect(Number.isInteger(Math.log2(d))).toBe(true);
      expect(Number.isInteger(tau / d)).toBe(true);
      expect(tau).toBeGreaterThanOrEqual(0);
      expect(tau).toBeLessThanOrEqual(1 - d);
      if (row < ROWS - BOOTSTRAP) expect(d).toBe(1 / kMax);
      // A bootstrap step is at least two of the finest steps, so that its halves are on the grid.
      else expect(d).toBeGreaterThanOrEqual(2 / kMax);
    }
  });

  test('reach the whole grid, evenly', () => {
    const flow = plain.frames.filter((f) => f.row < ROWS - BOOTSTRAP);
    const counts = new Map<number, number>();
    for (const { tau } of flow) counts.set(tau, (counts.get(tau) ?? 0) + 1);
    expect(counts.size).toBe(kMax);
    const mean = flow.length / kMax;
    for (const n of counts.values()) expect(Math.abs(n - mean)).toBeLessThan(6 * Math.sqrt(mean));
    const steps = new Map<number, number>();
    const boot = plain.frames.filter((f) => f.row >= ROWS - BOOTSTRAP);
    for (const { d } of boot) steps.set(d, (steps.get(d) ?? 0) + 1);
    expect([...steps.keys()].sort((a, b) => a - b)).toEqual([1 / 16, 1 / 8, 1 / 4, 1 / 2, 1]);
    const each = boot.length / 5;
    for (const n of steps.values()) expect(Math.abs(n - each)).toBeLessThan(6 * Math.sqrt(each));
  });

  test('are independent from frame to frame', () => {
    let sum = 0;
    let squares = 0;
    const flow = plain.frames.filter((f) => f.row < ROWS - BOOTSTRAP);
    for (let i = 1; i < flow.length; i++) {
      sum += (flow[i].tau - 0.484) * (flow[i - 1].tau - 0.484);
      squares += (flow[i].tau - 0.484) ** 2;
    }
    expect(Math.abs(sum / squares)).toBeLessThan(5 / Math.sqrt(flow.length));
  });

  test('weights follow the ramp and rise for changed frames', () => {
    for (const f of plain.frames) expect(f.weight).toBe(Math.fround(ramp(f.tau)));
    expect([ramp(0), ramp(1)]).toEqual([0.1, 1]);
    const moved = draw({ cleanContextShare: 0, frameChangeWeight: 2 }, new Uint8Array(ROWS * TIME).fill(1));
    for (const f of moved.frames) expect(f.weight).toBe(Math.fround(3 * ramp(f.tau)));
  });

  test('a loss floor of 1 weighs all levels alike, and a share of frames starts from pure noise', () => {
    const { frames } = draw({ cleanContextShare: 0, lossFloor: 1, noiseShare: 0.25 });
    for (const f of frames) expect(f.weight).toBe(1);
    const flow = frames.filter((f) => f.row < ROWS - BOOTSTRAP);
    const pure = flow.filter((f) => f.tau === 0).length / flow.length;
    expect(Math.abs(pure - (0.25 + 0.75 / kMax))).toBeLessThan(6 * Math.sqrt((0.3 * 0.7) / flow.length));
  });

  test('finished context has the signal of play (or down to a lower bound) and no loss; never in bootstrap rows', () => {
    const change = { cleanContextShare: 0.5, solidContextShare: 0, contextCorruption: 0.1, imageShare: 0 };
    const { frames } = draw({ ...change, contextCorruptionMax: 0.1 });
    const worse = draw({ ...change, contextCorruptionMax: 0.4 }).frames.filter((f) => f.weight === 0);
    const levels = worse.map((f) => f.tau);
    expect(Math.min(...levels)).toBeGreaterThanOrEqual(0.6);
    expect(Math.min(...levels)).toBeLessThan(0.65);
    expect(Math.max(...levels)).toBeLessThanOrEqual(0.9001);
    const context = frames.filter((f) => f.weight === 0);
    for (const f of context) {
      expect(f.tau).toBe(Math.fround(0.9));
      expect(f.row).toBeLessThan(ROWS - BOOTSTRAP);
    }
    const rows = new Set(context.map((f) => f.row));
    expect(rows.size / (ROWS - BOOTSTRAP)).toBeGreaterThan(0.35);
    expect(rows.size / (ROWS - BOOTSTRAP)).toBeLessThan(0.65);
    // Each frame that such a row predicts has a finished one before it.
    for (const f of frames) if (rows.has(f.row)) expect(f.weight === 0, `frame ${f.t}`).toBe(f.t % 2 === 0);
  });

  test('a share of the frames between are finished as well: some predictions then see two finished frames before them', () => {
    const change = { cleanContextShare: 1, imageShare: 0 };
    const { frames } = draw({ ...change, solidContextShare: 0.33 });
    const rows = frames.filter((f) => f.row < ROWS - BOOTSTRAP);
    expect(rows.filter((f) => f.t % 2 === 0).every((f) => f.weight === 0)).toBe(true);
    const between = rows.filter((f) => f.t % 2 === 1);
    const finished = between.filter((f) => f.weight === 0);
    expect(Math.abs(finished.length / between.length - 0.33)).toBeLessThan(0.05);
    for (const f of finished) expect(f.tau).toBe(frames[f.row * TIME].tau);
    // Those that are predicted are as before.
    const plain = draw({ ...change, solidContextShare: 0 }).frames;
    for (const f of between) if (f.weight > 0) expect(f).toEqual(plain[f.row * TIME + f.t]);
    for (const f of frames.slice((ROWS - BOOTSTRAP) * TIME)) expect(f).toEqual(plain[f.row * TIME + f.t]);
  });

  test('frames that are wanted are never finished by that share', () => {
    const wanted = new Uint8Array(ROWS * TIME).fill(1);
    const c = { ...presets.micro, cleanContextShare: 1, imageShare: 0, solidContextShare: 0.9 };
    const { weight } = drawNoiseLevels(c, ROWS, TIME, 0, still, 5, 1, wanted);
    expect(weight.every((w, i) => w > 0 === (i % TIME) % 2 > 0)).toBe(true);
  });

  test('what a frame knows of its past: the frame before, and motion where both frames before are known', () => {
    // Two rows of five: signal levels of a sequence, and an image row with the same.
    const taus = [0.9, 0.5, 0.25, 0.75, 0.5];
    const signal = Float32Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? taus[(i / 2) % 5] : 1 / 32));
    const levels = { starts: Uint32Array.of(0, IMAGE_ROW) };
    const first = (x: Float32Array, width: number): number[] => Array.from(x).filter((_, i) => i % width === 0);
    const { carry, moving, known } = pastOf(levels, signal, 5);
    expect(
      first(carry, 2)
        .slice(0, 5)
        .map((w) => w > 0),
    ).toEqual([false, true, true, true, true]);
    expect(first(carry, 2)[2]).toBe(1);
    expect(first(moving, 2)).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(first(known, 4)).toEqual(first(moving, 2));
    for (const x of [carry, moving]) expect(x.every((w, i) => i % 2 === 0 || w === 0)).toBe(true);
    expect(known.every((w, i) => i % 4 === 0 || w === 0)).toBe(true);
    // Half a step later frame 2 is known too: the last row alone, then from the first on.
    const later = (i: number): number => (i % 5 === 2 ? 0.25 : 0);
    expect(first(pastOf(levels, signal, 5, 0, later).moving, 2).slice(0, 5)).toEqual([0, 0, 1, 1, 1]);
    expect(pastOf(levels, signal, 5, 5).carry.every((w) => w === 0)).toBe(true);
    expect(pastOf({ starts: Uint32Array.of(0, 0) }, signal, 5, 5).carry).toEqual(carry.slice(0, 10));
  });

  test('a share of rows are images', () => {
    const { starts } = draw({ imageShare: 0.3 });
    const images = starts.filter((s) => s === IMAGE_ROW).length;
    expect(starts.every((s) => s === IMAGE_ROW || s === 0)).toBe(true);
    expect(Math.abs(images / ROWS - 0.3)).toBeLessThan(0.12);
    expect(draw({ imageShare: 0 }).starts.every((s) => s === 0)).toBe(true);
  });

  test('are a function of seed and step', () => {
    expect(draw().signal).toEqual(draw().signal);
    expect(draw({}, still, 2).signal).not.toEqual(draw().signal);
  });
});

describe('features', () => {
  const ones = (row: Float32Array): number[] => Array.from(row.keys()).filter((i) => row[i] !== 0);

  test('keys, mouse class, its pitch and yaw, and the flag of a labelled frame', () => {
    const row = new Float32Array(ACTION_FEATURES + 2).fill(9);
    writeAction(row, 1, (62 << 23) | 0b10000000000000000000101);
    expect([row[0], row[ACTION_FEATURES + 1]]).toEqual([9, 9]);
    expect(ones(row.subarray(1, ACTION_FEATURES + 1))).toEqual([0, 2, 22, 23 + 62, 144 + 5, 155 + 7, 166]);
    expect(ACTION_FEATURES % 4).toBe(0);
  });

  test('the largest mouse class does not reach the flag', () => {
    const row = new Float32Array(ACTION_FEATURES);
    writeAction(row, 0, (120 << 23) >>> 0);
    expect(ones(row)).toEqual([23 + 120, 144 + 10, 155 + 10, 166]);
  });

  test('an unknown action is all zero', () => {
    const row = new Float32Array(ACTION_FEATURES).fill(1);
    writeAction(row, 0, NO_ACTION);
    expect(ones(row)).toEqual([]);
  });

  test.each([1, 8, 32, 64])('every (tau, d) of kMax %i has its own two ones', (kMax) => {
    const width = signalFeatures(kMax);
    expect(width % 4).toBe(0);
    const seen = new Set<string>();
    let pairs = 0;
    for (let d = 1; d >= 1 / kMax; d /= 2) {
      for (let tau = 0; tau < 1; tau += d) {
        const row = new Float32Array(width);
        writeSignal(row, 0, kMax, tau, d);
        const at = ones(row);
        expect(at).toEqual([tau * kMax, kMax + 1 + Math.log2(1 / d)]);
        seen.add(at.join());
        pairs++;
      }
    }
    expect(seen.size).toBe(pairs);
  });

  test('the context signal rounds to a place below clean', () => {
    const row = new Float32Array(signalFeatures(32));
    writeSignal(row, 0, 32, 0.9, 1 / 32);
    expect(ones(row)).toEqual([29, 33 + 5]);
  });
});

describe('windows', () => {
  test('lie inside one episode and reach every start about equally often', () => {
    const lengths = [10, 3, 12, 8];
    const counts = new Map<string, number>();
    for (let step = 0; step < 300; step++) {
      for (const w of drawWindows({ lengths }, 10, 8, 1, step)) {
        expect(w.start + 8).toBeLessThanOrEqual(lengths[w.episode]);
        counts.set(`${w.episode} ${w.start}`, (counts.get(`${w.episode} ${w.start}`) ?? 0) + 1);
      }
    }
    // 3 + 0 + 5 + 1 places.
    expect(counts.size).toBe(9);
    for (const n of counts.values()) expect(Math.abs(n - 3000 / 9)).toBeLessThan(6 * Math.sqrt(3000 / 9));
  });

  test('a share of them shows a frame of hands, anywhere but first; the others stay as they were', () => {
    const episodes = [40, 30].map((n) => ({ actions: new Uint32Array(n), touched: new Uint8Array(n * 4) }));
    for (const [e, i] of [
      [0, 17],
      [0, 39],
      [1, 2],
    ])
      episodes[e].touched[4 * i + (i % 4)] = 255;
    // A crack is no block: too little of the picture.
    episodes[1].touched[4 * 9] = 8;
    const chosen = touchedFrames(episodes);
    expect(chosen).toEqual([
      { episode: 0, frame: 17 },
      { episode: 0, frame: 39 },
      { episode: 1, frame: 2 },
    ]);
    const lengths = [40, 30];
    let around = 0;
    let rows = 0;
    for (let step = 0; step < 200; step++) {
      const plain = drawWindows({ lengths }, 10, 8, 1, step);
      drawWindowsAround({ lengths }, chosen, 0.5, 10, 8, 1, step).forEach((w, row) => {
        rows += 1;
        expect(w.start + 8).toBeLessThanOrEqual(lengths[w.episode]);
        if (w.episode === plain[row].episode && w.start === plain[row].start) return;
        around += 1;
        const at = chosen.map((c) => (c.episode === w.episode ? c.frame - w.start : -1)).filter((i) => i > 0 && i < 8);
        expect(at.length).toBeGreaterThan(0);
        // Finished context lies at even places; only where the episode ends can the frame not be moved off it.
        if (w.start + 8 < lengths[w.episode] && w.start > 0) expect(at.some((i) => i % 2 === 1)).toBe(true);
      });
    }
    expect(around / rows).toBeGreaterThan(0.4);
    expect(around / rows).toBeLessThan(0.55);
    expect(drawWindowsAround({ lengths }, [], 0.5, 10, 8, 1, 3)).toEqual(drawWindows({ lengths }, 10, 8, 1, 3));
  });

  test('no episode is long enough: said with both lengths', () => {
    expect(() => drawWindows({ lengths: [3, 7] }, 1, 8, 1, 1)).toThrow('No episode has 8 frames; the longest has 7.');
  });
});

describe('latents in bytes', () => {
  test('the error is below one part in 127, values outside are clamped', () => {
    let worst = 0;
    for (let i = -1000; i <= 1000; i++) {
      const q = quantise(i / 1000);
      expect(q).toBe(Math.min(255, Math.max(0, Math.round(q))));
      worst = Math.max(worst, Math.abs(dequantise(q) - i / 1000));
    }
    expect(worst).toBeLessThanOrEqual(TOLERANCE.u8.rounding + 1e-12);
    expect(worst).toBeLessThan(1 / 127);
    expect([quantise(-7), quantise(7), dequantise(0), dequantise(255)]).toEqual([0, 255, -1, 1]);
    for (let q = 0; q < 256; q++) expect(quantise(dequantise(q))).toBe(q);
  });

  test('statistics are those of the frames, and a constant element keeps a spread', () => {
    const episodes = [
      { tokens: Uint8Array.from([0, 9, 255, 9]), actions: new Uint32Array(2), changed: new Uint8Array(2) },
      { tokens: Uint8Array.from([255, 9]), actions: new Uint32Array(1), changed: new Uint8Array(1) },
    ];
    const { mean, std } = latentStats(episodes, 2);
    expect(mean[0]).toBeCloseTo(1 / 3, 6);
    expect(std[0]).toBeCloseTo(Math.sqrt(1 - 1 / 9), 6);
    expect(mean[1]).toBeCloseTo(dequantise(9), 6);
    expect(std[1]).toBeCloseTo(0.01, 6);
  });
});
