// Both networks learn: a short run on a square that keys move must beat the mean image and copying the last frame.
// Two noise levels only (kMax 2): at higher levels the square shows through the noise, and the few frames that start from
// pure noise, the only ones that need the keys, would take thousands of steps.

import { beforeAll, expect, test } from 'vitest';
import { type DreamerConfig, presets } from '../../../src/methods/dreamer4/config.ts';
import { DynamicsTrainer } from '../../../src/methods/dreamer4/dynamics-trainer.ts';
import type { FrameSet } from '../../../src/methods/dreamer4/frames.ts';
import { type DreamModel, LatentDream } from '../../../src/methods/dreamer4/play.ts';
import { TokenizerTrainer } from '../../../src/methods/dreamer4/tokenizer-trainer.ts';
import { latentSize, latentStats, tokenise } from '../../../src/methods/dreamer4/tokens.ts';
import { meanSquare, moverFrames, psnr } from '../../support/dreamer.ts';
import { testGpu } from '../../support/gpu.ts';

const SIDE = 32;
const SIZE = SIDE * SIDE * 3;
const TOKENIZER_STEPS = 150;
const DYNAMICS_STEPS = 400;
const config: DreamerConfig = {
  ...presets.nano,
  maskMax: 0.5,
  // A space layer behind the time layer lets the square pass from token to token.
  dynamics: { ...presets.nano.dynamics, d: 32, heads: 2, hidden: 64, layers: 5, context: 8, kMax: 2 },
  imageShare: 0,
  cleanContextShare: 1,
  bootstrapShare: 0,
  longShare: 0,
  longOnly: 0,
  emaDecay: 0.9,
  phases: {
    tokenizer: { steps: TOKENIZER_STEPS, lr: 3e-3, rows: 2, time: 8, longRows: 0, longTime: 0 },
    dynamics: { steps: DYNAMICS_STEPS, lr: 3e-3, rows: 24, time: 4, longRows: 0, longTime: 0 },
  },
};
const training = moverFrames(SIDE, 8, 64, 1);
const holdout = moverFrames(SIDE, 16, 20, 2);
let tokenizer: TokenizerTrainer;
let model: DreamModel;

beforeAll(async () => {
  const { gpu } = await testGpu();
  tokenizer = new TokenizerTrainer(gpu, config, 3);
  for (let i = 0; i < TOKENIZER_STEPS; i++) {
    tokenizer.advance(training);
    await tokenizer.program.settle();
  }
  const tokens = await tokenise(gpu, config, tokenizer.store, 'average', training, 8);
  const stats = latentStats(tokens, latentSize(config));
  const trainer = new DynamicsTrainer(gpu, config, 3);
  trainer.setStats(stats);
  for (let i = 0; i < DYNAMICS_STEPS; i++) {
    trainer.advance(tokens, stats);
    await trainer.throttle();
  }
  model = { config, tokenizer: tokenizer.store, dynamics: trainer.store, slab: 'average', stats, title: 'test' };
}, 600_000);

/** Error of the best constant picture, the mean of all training frames, on the held-out ones. */
function meanImageError(set: FrameSet, other: FrameSet): number {
  const mean = new Float64Array(SIZE);
  const frames = set.episodes.reduce((n, e) => n + e.actions.length, 0);
  for (const e of set.episodes) for (let i = 0; i < e.frames.length; i++) mean[i % SIZE] += e.frames[i] / frames;
  const errors = other.episodes.flatMap((e) =>
    Array.from(e.actions, (_, i) => meanSquare(mean, e.frames.subarray(i * SIZE, (i + 1) * SIZE))),
  );
  return errors.reduce((a, b) => a + b, 0) / errors.length;
}

test('the tokenizer reconstructs held-out frames 6 dB better than the mean image', async () => {
  const { psnr: got } = await tokenizer.evaluate(holdout, 4, 5);
  // Measured: 30 against 15 dB.
  expect(got - psnr(meanImageError(training, holdout))).toBeGreaterThan(6);
});

test.each([1, 2])(
  'with K = %i the dynamics beats copying the last frame, and obeys the keys',
  async (k) => {
    const { gpu } = await testGpu();
    const streams = holdout.episodes.length;
    const dream = new LatentDream(gpu, model, streams, { k });
    const settings = { k, contextCorruption: 0.1, seed: 4 };
    const at = (i: number): Uint8Array => {
      const out = new Uint8Array(streams * SIZE);
      for (const [s, e] of holdout.episodes.entries()) out.set(e.frames.subarray(i * SIZE, (i + 1) * SIZE), s * SIZE);
      return out;
    };
    /** Actions of frame i; with a shift those of another episode. */
    const actions = (i: number, shift = 0): Uint32Array =>
      Uint32Array.from(holdout.episodes, (_, s) => holdout.episodes[(s + shift) % streams].actions[i]);
    const error = { dreamed: 0, copied: 0, shuffled: 0 };
    for (const frame of [3, 8, 13, 18]) {
      error.copied += meanSquare(at(frame - 1), at(frame));
      for (const shift of [0, 1]) {
        dream.reset();
        for (let i = frame - 3; i < frame; i++) await dream.observe(at(i), actions(i));
        const { rgb } = await dream.step(actions(frame, shift), settings, { rgb: true });
        error[shift === 0 ? 'dreamed' : 'shuffled'] += meanSquare(rgb, at(frame));
      }
    }
    dream.dispose();
    // Measured: 26 (K = 1) and 28 dB against 14 dB, shuffle ratios 21 and 33.
    expect(psnr(error.dreamed) - psnr(error.copied)).toBeGreaterThan(3);
    expect(error.shuffled / error.dreamed).toBeGreaterThan(1.5);
  },
  120_000,
);
