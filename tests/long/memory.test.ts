// Ten thousand steps of training and of play: no more memory in use on the device than after the first hundred, and a
// process that does not grow.

import { expect, test } from 'vitest';
import { mix32 } from '../../src/gpu/rng.ts';
import { DynamicsTrainer } from '../../src/methods/dreamer4/dynamics-trainer.ts';
import { LatentDream } from '../../src/methods/dreamer4/play.ts';
import { TokenizerTrainer } from '../../src/methods/dreamer4/tokenizer-trainer.ts';
import { latentSize, latentStats, tokenise } from '../../src/methods/dreamer4/tokens.ts';
import { fusedStack } from '../../src/nn/fused-layers.ts';
import { direct, moverFrames } from '../support/dreamer.ts';
import { testGpu } from '../support/gpu.ts';

const STEPS = 10_000;
const MIB = 2 ** 20;
/** Two numbers for each of twelve programs. */
const READBACK = 12 * 2 * 4;

/** Counts the bytes of buffers that are alive from now on. */
function countBuffers(device: GPUDevice): { bytes: number; buffers: number } {
  const alive = { bytes: 0, buffers: 0 };
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    alive.bytes += buffer.size;
    alive.buffers += 1;
    let gone = false;
    buffer.destroy = () => {
      if (!gone) {
        alive.bytes -= buffer.size;
        alive.buffers -= 1;
      }
      gone = true;
      return destroy();
    };
    return buffer;
  };
  return alive;
}

/** Does `step` STEPS times; buffers and memory after the first hundred against those at the end. */
async function soak(alive: { bytes: number; buffers: number }, step: (i: number) => Promise<void>): Promise<void> {
  let early = { ...alive };
  let memory = 0;
  for (let i = 0; i < STEPS; i++) {
    await step(i);
    if (i === 99) early = { ...alive };
    // Compilers and caches take their share in the first thousand steps.
    if (i === 999) memory = process.memoryUsage().rss;
  }
  expect(early.buffers).toBeGreaterThan(0);
  // A program makes the buffers for its metrics when it is first read, which a rare one may be late.
  expect(alive.bytes - early.bytes).toBeLessThanOrEqual(READBACK);
  expect((process.memoryUsage().rss - memory) / MIB).toBeLessThan(100);
}

test('no memory is lost in ten thousand steps', async () => {
  const { gpu } = await testGpu();
  const alive = countBuffers(gpu.device);
  const config = {
    ...direct,
    longShare: 0.2,
    selfContextShare: 0.5,
    phases: {
      tokenizer: { steps: STEPS, lr: 1e-3, rows: 1, time: 4, longRows: 0, longTime: 0 },
      dynamics: { steps: STEPS, lr: 1e-3, rows: 2, time: 4, longRows: 1, longTime: 8 },
    },
  };
  const frames = moverFrames(16, 4, 40, 1);
  const tokenizer = new TokenizerTrainer(gpu, config, 1);
  await soak(alive, async () => {
    tokenizer.advance(frames);
    await tokenizer.program.settle();
    if (tokenizer.step % 10 === 0) await tokenizer.metrics();
  });
  const tokens = await tokenise(gpu, config, tokenizer.store, 'average', frames, 4);
  const stats = latentStats(tokens, latentSize(config));
  const trainer = new DynamicsTrainer(gpu, config, 1);
  trainer.setStats(stats);
  // All programs exist before memory is counted.
  for (let i = 0; i < 200; i++) trainer.advance(tokens, stats);
  for (const bootstrapRows of [0, 1])
    for (const selfPasses of [0, 1, 2]) {
      trainer.program({ rows: 2, time: 4, bootstrapRows, selfPasses });
      trainer.program({ rows: 1, time: 8, bootstrapRows: 0, selfPasses });
    }
  await soak(alive, async (i) => {
    trainer.advance(tokens, stats);
    await trainer.throttle();
    if (i % 10 === 0) await trainer.metrics();
  });
  const model = { config, tokenizer: tokenizer.store, dynamics: trainer.store, slab: 'average' as const, stats };
  const dream = new LatentDream(gpu, { ...model, title: 'soak' }, 1, { fused: fusedStack });
  await dream.observe(frames.episodes[0].frames.slice(0, 8 * 16 * 16 * 3), frames.episodes[0].actions.slice(0, 8));
  const settings = { k: 4, contextCorruption: 0.25, seed: 1 };
  await soak(alive, async (i) => {
    const action = frames.episodes[0].actions[mix32(1, i, 0, 0) % 40];
    const { rgb } = await dream.step(new Uint32Array([action]), settings, { rgb: true });
    expect(rgb.length).toBe(16 * 16 * 3);
  });
  dream.dispose();
  trainer.dispose();
  tokenizer.dispose();
}, 3_600_000);
