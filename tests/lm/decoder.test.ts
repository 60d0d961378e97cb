// Resident decoding: equal to the uncached model and to the sampler's reference, in batches of any shape.

import { expect, test } from 'vitest';
import { openGpu } from '../../src/gpu/device.ts';
import { mix32 } from '../../src/gpu/rng.ts';
import type { LmConfig } from '../../src/lm/config.ts';
import { Decoder, type GenerateOptions } from '../../src/lm/decoder.ts';
import { newStore, storeModel } from '../../src/lm/language-model.ts';
import { GREEDY, type Sampling, sampleToken } from '../../src/lm/sampler.ts';
import { testGpu } from '../support/gpu.ts';
import { lmReference } from '../support/lm-reference.ts';

const CONFIG: LmConfig = {
  vocab: 20,
  d: 32,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 8,
  hidden: 48,
  tied: false,
  ropeBase: 10000,
  context: 64,
  positions: true,
  shift: true,
};
const PROMPTS = [[3], [1, 4, 1, 5, 9, 2, 6, 5, 3, 5], [2, 7, 1], [8, 2, 8, 1, 8, 2, 8, 4, 5]];
const options = (s: Sampling, more: Partial<GenerateOptions> = {}): GenerateOptions => ({
  ...s,
  maxNew: 12,
  stop: [],
  seed: 9,
  ...more,
});

test.each<[string, Sampling]>([
  ['greedy', GREEDY],
  ['temperature', { temperature: 1.3, topK: 0, topP: 1 }],
  ['top-k and top-p', { temperature: 0.8, topK: 7, topP: 0.9 }],
])('%s: every token is what float64 model and sampler give', async (_name, sampling) => {
  const { gpu } = await testGpu();
  const store = newStore(gpu, CONFIG, 3, false);
  const model = storeModel(gpu, CONFIG, store, { sequences: 4, capacity: 32 });
  const decoder = new Decoder(gpu, model, { perSubmission: 8, chunk: 4 });
  const { rows, stats } = await decoder.generate(PROMPTS, options(sampling));
  expect(stats).toMatchObject({ steps: 12, submissions: 2, perSubmission: 8 });
  const smaller = await decoder.generate(PROMPTS, options(sampling, { perSubmission: 5 }));
  expect(smaller.stats).toMatchObject({ steps: 12, submissions: 3, perSubmission: 5 });
  expect(smaller.rows).toEqual(rows);
  const weights = await store.read('value');
  let close = 0;
  rows.forEach((row, r) => {
    expect(row.tokens.length).toBe(12);
    expect(row.end).toBe('limit');
    // Teacher-forced on the decoder's own tokens: one near tie does not spoil the rest.
    const text = [...PROMPTS[r], ...row.tokens];
    const { logits } = lmReference(weights, CONFIG, text.slice(0, -1));
    row.tokens.forEach((id, i) => {
      const at = PROMPTS[r].length + i;
      const want = sampleToken(logits[at - 1], sampling, mix32(9, r, 0, 0x726f7773), at);
      if (want.id === id) expect(row.logProbs[i]).toBeCloseTo(want.logProb, 4);
      else close += 1;
    });
  });
  expect(close).toBeLessThanOrEqual(1);
  decoder.dispose();
  model.dispose();
});

test('a row does not depend on its neighbours, on S or on the chunk of the prefill', async () => {
  const { gpu } = await testGpu();
  const store = newStore(gpu, CONFIG, 3, false);
  const generate = async (sequences: number, perSubmission: number, chunk: number) => {
    const model = storeModel(gpu, CONFIG, store, { sequences, capacity: 40 });
    const decoder = new Decoder(gpu, model, { perSubmission, chunk });
    const { rows } = await decoder.generate(PROMPTS, options({ temperature: 1, topK: 0, topP: 1 }));
    decoder.dispose();
    model.dispose();
    return rows.map((r) => [...r.tokens]);
  };
  const batch = await generate(4, 8, 32);
  expect(await generate(1, 16, 3)).toEqual(batch);
  expect(await generate(3, 1, 8)).toEqual(batch);
});

test('stop tokens end a row and only that row; limits are kept', async () => {
  const { gpu } = await testGpu();
  const store = newStore(gpu, CONFIG, 3, false);
  const model = storeModel(gpu, CONFIG, store, { sequences: 4, capacity: 14 });
  const decoder = new Decoder(gpu, model);
  const sampling: Sampling = { temperature: 1, topK: 0, topP: 1 };
  const free = (await decoder.generate(PROMPTS, options(sampling))).rows;
  const stop = free[1].tokens[1];
  const { rows } = await decoder.generate(PROMPTS, options(sampling, { stop: [stop] }));
  rows.forEach((row, r) => {
    const cut = free[r].tokens.indexOf(stop);
    expect(row.end).toBe(cut < 0 ? 'limit' : 'stop');
    expect([...row.tokens]).toEqual([...free[r].tokens.slice(0, cut < 0 ? undefined : cut + 1)]);
    // The cache ends at 14 positions, the allowance at 12 tokens.
    expect(free[r].tokens.length).toBe(Math.min(12, 14 - PROMPTS[r].length));
  });
  await expect(decoder.generate([[]], options(GREEDY))).rejects.toThrow('prompt 0 is empty');
  await expect(decoder.generate([[1], [99]], options(GREEDY))).rejects.toThrow('token 99 of prompt 1');
  await expect(decoder.generate([new Array(14).fill(1)], options(GREEDY))).rejects.toThrow('holds 14');
  decoder.dispose();
  model.dispose();
});

test('texts can be watched while they grow, and stopped', async () => {
  const { gpu } = await testGpu();
  const store = newStore(gpu, CONFIG, 3, false);
  const model = storeModel(gpu, CONFIG, store, { sequences: 2, capacity: 40 });
  const decoder = new Decoder(gpu, model, { perSubmission: 4 });
  const seen: string[][] = [];
  const onRows: GenerateOptions['onRows'] = (rows, from) =>
    seen.push([String(from), ...rows.map((r) => r.tokens.join())]);
  const { rows } = await decoder.generate(PROMPTS, options(GREEDY, { onRows }));
  // Two turns of three submissions.
  expect(seen.map(([from]) => from)).toEqual(['0', '0', '0', '2', '2', '2']);
  seen.forEach(([from, ...texts], i) => {
    texts.forEach((text, row) => {
      expect(text).toBe(rows[Number(from) + row].tokens.subarray(0, 4 * ((i % 3) + 1)).join());
    });
  });
  const stop = new AbortController();
  const onProgress = (): void => stop.abort();
  const cut = await decoder.generate(PROMPTS.slice(0, 2), options(GREEDY, { onProgress, signal: stop.signal }));
  expect(cut.rows.map((r) => [r.tokens.length, r.end])).toEqual([
    [4, 'running'],
    [4, 'running'],
  ]);
  decoder.dispose();
  model.dispose();
});

test('a device that is lost in the middle says so', async () => {
  await testGpu();
  const opened = await openGpu();
  if (!opened.ok) throw new Error(opened.reason);
  const { gpu } = opened;
  const store = newStore(gpu, CONFIG, 3, false);
  const decoder = new Decoder(gpu, storeModel(gpu, CONFIG, store, { sequences: 4, capacity: 40 }), {
    perSubmission: 4,
  });
  const onProgress = (): void => gpu.dispose();
  await expect(decoder.generate(PROMPTS, options(GREEDY, { onProgress }))).rejects.toThrow('The GPU device was lost');
});
