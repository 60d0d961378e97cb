// A device that goes away in the middle of a decode or of a run: the reason is said, and what was saved goes on elsewhere.

import { expect, test } from 'vitest';
import { openGpu } from '../../../src/gpu/device.ts';
import { newStore } from '../../../src/lm/language-model.ts';
import { configure, modelConfig } from '../../../src/methods/learn2pd/config.ts';
import { decoderOf } from '../../../src/methods/learn2pd/decoder.ts';
import { DECODE_DEFAULTS } from '../../../src/methods/learn2pd/policy.ts';
import { Learn2pdSession } from '../../../src/methods/learn2pd/session.ts';
import { testGpu } from '../../support/gpu.ts';

const toy = configure('nano', { d: '32', rows: '4', steps: '6', prompts: '4', filterSteps: '2' });
const PLAIN = { ...DECODE_DEFAULTS, policy: { kind: 'static', perStep: 1 } } as const;

async function other() {
  await testGpu();
  const result = await openGpu();
  if (!result.ok) throw new Error(result.reason);
  return result.gpu;
}

test('in mid-decode the decode ends with the reason, and so does every later one', async () => {
  const gpu = await other();
  const vocab = 24;
  const store = newStore(gpu, modelConfig(toy, vocab), 1, false);
  const decoder = decoderOf(
    gpu,
    { config: toy, tokenizer: { vocab }, store },
    { sequences: 1, canvas: 16, perSubmission: 1 },
  );
  let submissions = 0;
  const gone = decoder.decode([[2, 3]], PLAIN, {
    signal: {
      // Asked before every submission: the device goes after the third.
      throwIfAborted: () => {
        submissions += 1;
        if (submissions === 4) gpu.device.destroy();
      },
    } as AbortSignal,
  });
  await expect(gone).rejects.toThrow('The GPU device was lost');
  expect(submissions).toBeLessThan(16);
  await expect(decoder.decode([[2, 3]], PLAIN)).rejects.toThrow('The GPU device was lost');
});

test('a run that lost its device goes on from its last checkpoint with the same bits', async () => {
  const open = async (gpu: Awaited<ReturnType<typeof other>>) =>
    new Learn2pdSession({ gpu, seed: 2, emit: () => {}, signal: new AbortController().signal }, toy);
  const { gpu } = await testGpu();
  const straight = await open(gpu);
  await straight.advance({});
  const wanted = (await straight.save()).bytes;
  const lost = await other();
  const first = await open(lost);
  await first.advance({ steps: 3 });
  const kept = await first.save();
  lost.device.destroy();
  await expect(first.advance({ steps: 3 })).rejects.toThrow();
  const second = await open(gpu);
  await second.load(kept);
  await second.advance({});
  expect(Buffer.compare(Buffer.from((await second.save()).bytes), Buffer.from(wanted))).toBe(0);
  straight.dispose();
  second.dispose();
}, 120_000);

test('a canvas longer than the trained one is refused', async () => {
  const { gpu } = await testGpu();
  const store = newStore(gpu, modelConfig(toy, 24), 1, false);
  const trained = { config: toy, tokenizer: { vocab: 24 }, store };
  expect(() => decoderOf(gpu, trained, { sequences: 1, canvas: 32 })).toThrow(
    'A canvas of 32 is longer than the 16 tokens that this model was trained on.',
  );
  store.dispose();
});
