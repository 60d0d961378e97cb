// Counted sizes of the language model's programs and what they refuse: a training step within the engine's budget, and resident decoding whose
// cost on the host does not depend on the tokens of a submission.

import { expect, test } from 'vitest';
import type { LmConfig } from '../../src/lm/config.ts';
import { Decoder } from '../../src/lm/decoder.ts';
import { newStore, storeModel } from '../../src/lm/language-model.ts';
import { GREEDY } from '../../src/lm/sampler.ts';
import { sftTrainer } from '../../src/lm/train/sft.ts';
import { TRAIN_DEFAULTS } from '../../src/lm/train/trainer.ts';
import { testGpu } from '../support/gpu.ts';

/** The shape that the engine's budget is stated for (design 5). */
const CONFIG: LmConfig = {
  vocab: 64,
  d: 64,
  layers: 2,
  heads: 4,
  kvHeads: 4,
  headDim: 16,
  hidden: 176,
  tied: false,
  ropeBase: 10000,
  context: 64,
  positions: false,
  shift: false,
};

test('a training step takes at most 80 dispatches and 40 pipelines', async () => {
  const { gpu } = await testGpu();
  const trainer = sftTrainer(gpu, CONFIG, { ...TRAIN_DEFAULTS, batch: 16, time: 64, steps: 1 });
  expect(trainer.program.stats.dispatches).toBeLessThanOrEqual(80);
  expect(trainer.program.stats.pipelines).toBeLessThanOrEqual(40);
  trainer.dispose();
  trainer.store.dispose();
});

test('a token takes at most 30 dispatches; 16 of them take one submission and two reads', async () => {
  const { gpu } = await testGpu();
  const store = newStore(gpu, CONFIG, 1, false);
  const model = storeModel(gpu, CONFIG, store, { sequences: 8, capacity: 64 });
  const decoder = new Decoder(gpu, model);
  expect(decoder.stats.step.dispatches).toBeLessThanOrEqual(30);
  let submitted = 0;
  const queue = gpu.device.queue;
  const submit = queue.submit.bind(queue);
  Object.defineProperty(queue, 'submit', {
    configurable: true,
    value: (buffers: GPUCommandBuffer[]) => {
      submitted += 1;
      submit(buffers);
    },
  });
  const { stats } = await decoder.generate([[1], [2, 3]], { ...GREEDY, maxNew: 16, stop: [], seed: 1 });
  Reflect.deleteProperty(queue, 'submit');
  expect(stats).toMatchObject({ steps: 16, submissions: 1 });
  // Prefill, steps, states, and at the end tokens and log-probabilities.
  expect(submitted).toBe(5);
  decoder.dispose();
  model.dispose();
  store.dispose();
});

test('a store of values only cannot be trained, rows cannot be longer than the context', async () => {
  const { gpu } = await testGpu();
  const store = newStore(gpu, CONFIG, 1, false);
  const spec = { ...TRAIN_DEFAULTS, batch: 1, time: 8, steps: 1 };
  expect(() => sftTrainer(gpu, CONFIG, spec, { store })).toThrow('holds values only');
  expect(() => sftTrainer(gpu, CONFIG, { ...spec, time: 65 })).toThrow('longer than the context of 64');
  expect(() => sftTrainer(gpu, { ...CONFIG, heads: 3 }, spec)).toThrow('3 heads cannot share 4 key heads');
  expect(() => storeModel(gpu, CONFIG, store, { sequences: 1, capacity: 65 })).toThrow('longer than the 64');
  store.dispose();
});
