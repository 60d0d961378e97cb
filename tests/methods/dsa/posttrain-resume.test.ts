// Post-training that is killed again and again ends as one that was left alone: the same events, results and weights.

import { expect, test } from 'vitest';
import { readSafetensors, toFloat32, writeSafetensors } from '../../../src/data/safetensors.ts';
import { memoryStorage, type Storage } from '../../../src/data/storage.ts';
import type { Gpu } from '../../../src/gpu/device.ts';
import { DsaHost } from '../../../src/methods/dsa/panel/host.ts';
import type { PostNews } from '../../../src/methods/dsa/panel/protocol.ts';
import { configurePost } from '../../../src/methods/dsa/posttrain/config.ts';
import { domainOf } from '../../../src/methods/dsa/posttrain/domains.ts';
import { Journal } from '../../../src/methods/dsa/posttrain/journal.ts';
import { type PostResult, postTrain } from '../../../src/methods/dsa/posttrain/pipeline.ts';
import type { PostEvent } from '../../../src/methods/dsa/posttrain/reinforce.ts';
import { postReport } from '../../../src/methods/dsa/posttrain/report.ts';
import { exampleOf, postTokenizer, taskAt } from '../../../src/methods/dsa/posttrain/tasks.ts';
import { testGpu } from '../../support/gpu.ts';
import { inHalf, OTHER_PRECISION } from '../../support/precision.ts';

const SMALL = { 'model.d': '32', 'model.hidden': '64', 'model.layers': '1', 'model.heads': '2', 'model.time': '64' };
const CONFIG = configurePost('post-nano', {
  ...SMALL,
  ...{ domains: 'math', distractors: '8', maxNew: '24', sequential: 'true' },
  ...{ 'rl.mixed': '2', evalProblems: '2', 'base.steps': '2', 'warmup.steps': '2' },
});

const [STAGES, STEP] = ['post-stages.safetensors', 'post-step.safetensors'];

/** A storage that dies after so many writes, as a process does: nothing of the next one is there. Says at which step. */
function mortal(storage: Storage, writes: number, died: (where: string) => void): Storage {
  let left = writes;
  return {
    ...storage,
    async write(name, bytes) {
      if (left-- > 0) return storage.write(name, bytes);
      const { stage, step } = readSafetensors(bytes).metadata;
      died(name === STEP ? `${stage} ${step}` : 'a stage');
      throw new Error('killed');
    },
  };
}

/** A run that is about to distil: its dense specialist, which nothing of this size becomes, has said what is right. */
async function taught(gpu: Gpu): Promise<Storage> {
  const storage = memoryStorage();
  const stop = (e: PostEvent): void => {
    if (e.kind === 'stage' && e.stage === 'distillation') throw new Error('taught');
  };
  await expect(postTrain(gpu, await Journal.begin(storage, CONFIG, 3), stop)).rejects.toThrow('taught');
  const file = readSafetensors((await storage.read(STAGES)) as Uint8Array<ArrayBuffer>);
  const tokenizer = postTokenizer(CONFIG.model.vocab);
  const kept = [0, 1, 2].map((i) => {
    const task = taskAt(domainOf('math'), 'train', 8, i, { care: { wrong: 0, mixed: 0 }, distractors: 8 });
    return exampleOf(tokenizer, task, task.demonstration);
  });
  const stages: { id: string }[] = JSON.parse(file.metadata.stages);
  expect(stages.map(({ id }) => id)).toEqual(['dense base', 'dense continued', 'dense specialist math']);
  const told = stages.map((s) => (s.id === 'dense specialist math' ? { ...s, found: { kept, all: 4 } } : s));
  const tensors = new Map([...file.tensors].map(([name, t]) => [name, { shape: t.shape, values: toFloat32(t) }]));
  await storage.write(STAGES, writeSafetensors(tensors, { ...file.metadata, stages: JSON.stringify(told) }));
  return storage;
}

async function copyOf(storage: Storage): Promise<Storage> {
  const copy = memoryStorage();
  for (const name of [STAGES, STEP]) await copy.write(name, (await storage.read(name)) as Uint8Array<ArrayBuffer>);
  return copy;
}

test('a run that is killed again and again, in its lessons too, ends with the same bits', async () => {
  const { gpu } = await testGpu();
  const storage = await taught(gpu);
  const heard: PostEvent[] = [];
  const straight = (await Journal.resume(await copyOf(storage))) as Journal;
  const wanted = await postTrain(gpu, straight, (e) => heard.push(e));
  expect(wanted.arms.dense.kept).toEqual([3, 4]);

  const deaths: string[] = [];
  let ended: PostResult | null = null;
  let told: PostEvent[] = [];
  while (!ended) {
    told = [];
    // The first life ends in the second lesson; each of the others gets nine writes further, whether a step or a stage.
    const life = mortal(storage, deaths.length === 0 ? 1 : 9, (where) => deaths.push(where));
    ended = await postTrain(gpu, (await Journal.resume(life)) as Journal, (e) => told.push(e)).catch((error: Error) => {
      expect(error.message).toBe('killed');
      return null;
    });
  }
  expect(deaths[0]).toBe('dense distillation 2');
  expect(deaths.length).toBeGreaterThan(2);
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
  const half = await copyOf(storage);
  await half.write(STAGES, inHalf((await half.read(STAGES)) as Uint8Array<ArrayBuffer>));
  await half.write(STEP, inHalf((await half.read(STEP)) as Uint8Array<ArrayBuffer>));
  await expect(postTrain(gpu, (await Journal.resume(half)) as Journal)).rejects.toThrow(OTHER_PRECISION);
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
