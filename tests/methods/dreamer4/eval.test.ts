// The evaluation itself: every figure is there and finite, gains are differences, and the scores prefer what is better.
// The network is untrained; what it dreams does not matter here.

import { beforeAll, describe, expect, test } from 'vitest';
import type { DreamerConfig } from '../../../src/methods/dreamer4/config.ts';
import { DynamicsTrainer } from '../../../src/methods/dreamer4/dynamics-trainer.ts';
import {
  bootstrap,
  type Dreamer,
  type EvalResult,
  episodeSteps,
  evaluate,
  scoreWindows,
} from '../../../src/methods/dreamer4/eval.ts';
import { TokenizerTrainer } from '../../../src/methods/dreamer4/tokenizer-trainer.ts';
import { latentSize, latentStats, tokenise } from '../../../src/methods/dreamer4/tokens.ts';
import { moverFrames, shake, tiny } from '../../support/dreamer.ts';
import { testGpu } from '../../support/gpu.ts';

/** The simulator's top-down view. */
const config: DreamerConfig = { ...tiny, frame: { width: 32, height: 32, patch: 8 } };
/** What the first slice of the playground asks of an evaluation. */
const NAMED = [
  'tokenizerPsnr',
  'psnr1',
  'psnr4',
  'psnr16',
  'copy1',
  'copy4',
  'copy16',
  'shuffleRatio16',
  'motionRatio',
  'drift200',
  'framesPerSecond',
  'msFrame200',
  'msFrame2000',
  'contextSeconds',
];

describe('of a whole model', () => {
  let result: EvalResult;
  beforeAll(async () => {
    const { gpu } = await testGpu();
    const tokenizer = new TokenizerTrainer(gpu, config, 3);
    const dynamics = new DynamicsTrainer(gpu, config, 3);
    shake(dynamics.store, 8);
    const tokens = await tokenise(gpu, config, tokenizer.store, 'value', moverFrames(32, 3, 12, 4), 3);
    const stats = latentStats(tokens, latentSize(config));
    result = await evaluate(
      gpu,
      { config, tokenizer: tokenizer.store, dynamics: dynamics.store, slab: 'value', stats, title: 'test' },
      {
        windows: 4,
        streams: 4,
        context: 6,
        k: 1,
        corruption: 0.1,
        seed: 7,
        long: true,
        touch: 0,
        walk: 0,
        progress: () => undefined,
      },
    );
  }, 240_000);

  test('every named metric is a finite number, and every PSNR has its interval', () => {
    const { metrics, intervals, tables } = result;
    expect(NAMED.filter((name) => !Number.isFinite(metrics[name]))).toEqual([]);
    expect(Object.entries(metrics).filter(([, value]) => !Number.isFinite(value))).toEqual([]);
    for (const name of NAMED.filter((n) => /^(psnr|copy|tokenizerPsnr)/.test(n))) {
      expect(metrics[`${name}Low`], name).toBeLessThanOrEqual(metrics[name]);
      expect(metrics[`${name}High`], name).toBeGreaterThanOrEqual(metrics[name]);
    }
    for (const { low, mean, high } of Object.values(intervals)) {
      expect(low).toBeLessThanOrEqual(mean);
      expect(mean).toBeLessThanOrEqual(high);
    }
    expect(metrics.contextSeconds).toBe(config.dynamics.context / config.hz);
    expect(metrics.windows).toBe(4);
    expect(tables.map((t) => t.name)).toEqual(['horizon', 'drift']);
    expect(tables[1].rows).toHaveLength(10);
  });

  test('a gain is the PSNR of the dream less that of the copy', () => {
    const { metrics } = result;
    for (const h of [1, 4, 16]) {
      expect(metrics[`gain${h}`]).toBeCloseTo(metrics[`psnr${h}`] - metrics[`copy${h}`], 9);
    }
    // Untrained, it is worse than a picture that stands still.
    expect(metrics.gain1).toBeLessThan(0);
  });
});

describe('of windows', () => {
  const set = moverFrames(16, 4, 60, 4);
  const size = 16 * 16 * 3;
  const starts = [0, 1, 2, 3].flatMap((episode) => [20, 40].map((at) => ({ episode, at })));
  const truth = (w: { episode: number; at: number }, i: number): Uint8Array =>
    set.episodes[w.episode].frames.subarray((w.at + i) * size, (w.at + i + 1) * size);
  const following = (picture: (w: (typeof starts)[number], i: number) => Uint8Array): Dreamer => {
    return async (batch) => Array.from({ length: 16 }, (_, i) => batch.map((w) => picture(w, i)));
  };
  const score = async (dream: Dreamer): Promise<Record<string, number>> =>
    (await scoreWindows(set, starts, 8, 7, dream)).metrics;

  test('the truth given as a dream has the best scores there are', async () => {
    // The simulator's answer to the actions of a window is the truth of the window that they come from.
    const perfect: Dreamer = async (batch, actionsOf) => {
      const owner = (s: number) =>
        batch.find((w) =>
          Array.from({ length: 16 }, (_, i) => i).every(
            (i) => set.episodes[w.episode].actions[w.at + i] === actionsOf(s, i),
          ),
        ) ?? batch[s];
      return Array.from({ length: 16 }, (_, i) => batch.map((_, s) => truth(owner(s), i)));
    };
    const best = await score(perfect);
    for (const h of [1, 4, 16]) expect(best[`psnr${h}`]).toBe(100);
    expect(best.motionRatio).toBe(1);
    expect(best.shuffleRatio16).toBe(Number.POSITIVE_INFINITY);
    const noised = await score(following((w, i) => truth(w, i).map((v, j) => v + (j % 2 ? 3 : -3))));
    for (const h of [1, 4, 16]) expect(noised[`psnr${h}`]).toBeLessThan(best[`psnr${h}`]);
    // It never looks at the actions.
    expect(noised.shuffleRatio16).toBe(1);
  });

  test('the last frame held still is the floor, and does not move', async () => {
    const still = await score(following((w) => truth(w, -1)));
    for (const h of [1, 4, 16]) expect(still[`gain${h}`]).toBe(0);
    expect(still.motionRatio).toBe(0);
  });

  test('intervals are over worlds: every window given twice makes them no narrower', async () => {
    const [once, twice] = await Promise.all(
      [1, 2].map(async (times) => {
        const all = set.episodes.flatMap((_, episode) => Array.from({ length: times }, () => ({ episode, at: 20 })));
        return (
          await scoreWindows(
            set,
            all,
            4,
            7,
            following((w) => truth(w, -1)),
          )
        ).intervals;
      }),
    );
    for (const name of ['psnr1', 'copy4', 'psnr16']) {
      expect(once[name].high).toBeGreaterThan(once[name].low);
      for (const end of ['low', 'mean', 'high'] as const) expect(twice[name][end]).toBeCloseTo(once[name][end], 9);
    }
  });
});

test('the point estimate takes every window once, in order', () => {
  const seen: number[][] = [];
  bootstrap([0, 1, 0, 1, 2], 7, (chosen) => seen.push([...chosen]));
  expect(seen.at(-1)).toEqual([0, 1, 2, 3, 4]);
  for (const chosen of seen) expect(chosen.includes(0)).toBe(chosen.includes(2));
});

test('every window lies in its episode, whatever the context; episodes of common contexts stay as long as they were', () => {
  for (let context = 1; context <= 400; context++) {
    for (const long of [false, true]) expect(episodeSteps(context, long)).toBeGreaterThanOrEqual(2 * context + 48);
  }
  expect([32, 96, 150].map((context) => episodeSteps(context, true))).toEqual([320, 320, 370]);
  expect([32, 96].map((context) => episodeSteps(context, false))).toEqual([128, 256]);
});
