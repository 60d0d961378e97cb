// Context out of the model's own predictions: which frames are predicted and kept, and what the trainer makes of it.

import { expect, test } from 'vitest';
import { mix32 } from '../../../src/gpu/rng.ts';
import { type DreamerConfig, presets } from '../../../src/methods/dreamer4/config.ts';
import { DynamicsTrainer } from '../../../src/methods/dreamer4/dynamics-trainer.ts';
import {
  drawNoiseLevels,
  IMAGE_ROW,
  selfContextLevels,
  truthLeft,
} from '../../../src/methods/dreamer4/noise-levels.ts';
import { type LatentStats, latentSize, latentStats, type TokenEpisode } from '../../../src/methods/dreamer4/tokens.ts';
import { testGpu } from '../../support/gpu.ts';

const TIME = 8;

test('predicted and finished frames alternate; rows without finished context and first frames keep the truth', () => {
  const rows = 64;
  const c = { ...presets.micro, imageShare: 0.3, cleanContextShare: 0.6, contextCorruptionMax: 0.4 };
  const levels = drawNoiseLevels(c, rows, TIME, 8, new Uint8Array(rows * TIME), 5, 1);
  const context = [...levels.context];
  expect(context.some((x) => x === 0)).toBe(true);
  expect(context.slice(rows - 8).every((x) => x === 0)).toBe(true);
  for (const parity of [0, 1]) {
    const own = selfContextLevels(levels, TIME, c.dynamics.kMax, parity, 5, 1);
    const left = truthLeft(levels, TIME, parity);
    for (let row = 0; row < rows; row++) {
      const finished = context[row] > 0;
      if (levels.starts[row] === IMAGE_ROW) expect(finished).toBe(false);
      if (finished) {
        expect(context[row]).toBeLessThanOrEqual(0.9);
        expect(context[row]).toBeGreaterThanOrEqual(0.6);
      }
      for (let t = 0; t < TIME; t++) {
        const i = row * TIME + t;
        const predicted = t % 2 === parity;
        expect(own[2 * i]).toBe(predicted ? 0 : levels.context[row]);
        if (predicted) expect([1, 1 / 2, 1 / 4]).toContain(own[2 * i + 1]);
        else expect(own[2 * i + 1]).toBe(1 / c.dynamics.kMax);
        expect(left[2 * i]).toBe(finished && predicted && t > 0 ? 0 : 1);
      }
      // The pass that is trained stands on what the last of them predicted: its finished frames are the even ones.
      if (finished) expect(levels.signal[2 * row * TIME]).toBe(levels.context[row]);
    }
  }
});

function episodes(c: DreamerConfig): TokenEpisode[] {
  const width = latentSize(c);
  return [0, 1].map((e) => ({
    tokens: Uint8Array.from({ length: 40 * width }, (_, i) => 64 + (mix32(e, i, 0, 1) % 128)),
    actions: new Uint32Array(40),
    changed: new Uint8Array(40).fill(1),
  }));
}

test('training on own predictions is another training, and the same one twice', async () => {
  const { gpu } = await testGpu();
  const base: DreamerConfig = {
    ...presets.nano,
    cleanContextShare: 1,
    imageShare: 0,
    longShare: 0,
    longOnly: 0,
    bootstrapShare: 0,
    phases: { ...presets.nano.phases, dynamics: { steps: 10, lr: 1e-2, rows: 2, time: 8, longRows: 0, longTime: 0 } },
  };
  const data = episodes(base);
  const stats: LatentStats = latentStats(data, latentSize(base));
  const losses = async (selfContextShare: number, selfContextDepth: number): Promise<number[]> => {
    const trainer = new DynamicsTrainer(gpu, { ...base, selfContextShare, selfContextDepth }, 3);
    trainer.setStats(stats);
    const out: number[] = [];
    for (let i = 0; i < 4; i++) {
      trainer.advance(data, stats);
      await trainer.throttle();
      out.push((await trainer.metrics()).loss);
    }
    const depths = Object.keys(trainer.programStats()).map((key) => Number(key.split(' ')[2]));
    expect(Math.max(...depths)).toBe(selfContextShare > 0 ? selfContextDepth : 0);
    trainer.dispose();
    return out;
  };
  const truth = await losses(0, 2);
  const own = await losses(1, 2);
  expect(own.every(Number.isFinite)).toBe(true);
  // The output starts at zero, so the first loss cannot tell; the later ones must.
  expect(own[0]).toBe(truth[0]);
  expect(own[3]).not.toBe(truth[3]);
  expect(await losses(1, 2)).toEqual(own);
});
