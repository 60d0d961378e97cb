// Post-training that is killed again and again ends as one that was left alone: the same events, results and weights.

import { expect, test } from 'vitest';
import { memoryStorage, type Storage } from '../../../src/data/storage.ts';
import { DsaHost } from '../../../src/methods/dsa/panel/host.ts';
import type { PostNews } from '../../../src/methods/dsa/panel/protocol.ts';
import { configurePost } from '../../../src/methods/dsa/posttrain/config.ts';
import { Journal } from '../../../src/methods/dsa/posttrain/journal.ts';
import { type PostResult, postTrain } from '../../../src/methods/dsa/posttrain/pipeline.ts';
import type { PostEvent } from '../../../src/methods/dsa/posttrain/reinforce.ts';
import { postReport } from '../../../src/methods/dsa/posttrain/report.ts';
import { testGpu } from '../../support/gpu.ts';

const SMALL = { 'model.d': '32', 'model.hidden': '64', 'model.layers': '1', 'model.heads': '2', 'model.time': '64' };
const CONFIG = configurePost('post-nano', {
  ...SMALL,
  ...{ domains: 'math', distractors: '8', maxNew: '24', sequential: 'true' },
  ...{ 'rl.mixed': '2', evalProblems: '2', 'base.steps': '2', 'warmup.steps': '2' },
});

/** A storage that dies after so many writes, as a process does: nothing of the next one is there. */
function mortal(storage: Storage, writes: number): Storage {
  let left = writes;
  return {
    ...storage,
    async write(name, bytes) {
      if (left-- === 0) throw new Error('killed');
      await storage.write(name, bytes);
    },
  };
}

test('a run that is killed again and again ends with the same bits', async () => {
  const { gpu } = await testGpu();
  const heard: PostEvent[] = [];
  const wanted = await postTrain(gpu, await Journal.begin(memoryStorage(), CONFIG, 3), (e) => heard.push(e));

  const storage = memoryStorage();
  await Journal.begin(storage, CONFIG, 3);
  let [deaths, ended] = [0, null as PostResult | null];
  let told: PostEvent[] = [];
  while (!ended) {
    told = [];
    const journal = await Journal.resume(mortal(storage, 9));
    ended = await postTrain(gpu, journal as Journal, (e) => told.push(e)).catch((error: Error) => {
      expect(error.message).toBe('killed');
      deaths += 1;
      return null;
    });
  }
  // Each life gets nine writes further, whether a step or a stage.
  expect(deaths).toBeGreaterThan(2);
  expect(told).toEqual(heard);
  expect(ended).toEqual(wanted);
  expect(await Journal.kept(storage)).toMatchObject({ seed: 3, stages: 12 });

  // The page goes on with what its storage holds.
  const host = new DsaHost({ storage: async () => storage, openGpu: async () => ({ ok: true, gpu }) });
  const saved = { preset: 'post-nano', seed: 3, length: 0.2, language: 0.1, stages: 12 };
  expect(await host.savedPost()).toEqual({ ok: true, value: saved });
  const shown: PostNews[] = [];
  const report = await host.postTrain(null, (e) => shown.push(e));
  expect(report).toEqual({ ok: true, value: postReport(CONFIG, wanted, 3) });
  expect(shown).toEqual(heard);
  await host.forgetPost();
  expect(await host.postTrain(null, () => {})).toEqual({ ok: false, reason: 'This browser keeps no post-training.' });
});

test('files of another run or of something else are refused', async () => {
  const storage = memoryStorage();
  expect(await Journal.resume(storage)).toBeNull();
  await Journal.begin(storage, CONFIG, 3);
  const stages = (await storage.read('post-stages.safetensors')) as Uint8Array<ArrayBuffer>;
  await Journal.begin(storage, CONFIG, 4);
  await storage.write('post-step.safetensors', stages);
  await expect(Journal.resume(storage)).rejects.toThrow('belongs to another run');
  await storage.write('post-stages.safetensors', stages.slice(0, 20));
  await expect(Journal.resume(storage)).rejects.toThrow('Not a usable safetensors file');
});
