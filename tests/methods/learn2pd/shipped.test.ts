// The checkpoints that come with the page: which is opened, what is no index, and that the filter is worth its place.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readCheckpoint } from '../../../src/methods/learn2pd/checkpoint.ts';
import { decoderOf } from '../../../src/methods/learn2pd/decoder.ts';
import { chooseFile, fetchCard, fetchIndex } from '../../../src/methods/learn2pd/panel/shipped.ts';
import { DECODE_DEFAULTS, type Policy } from '../../../src/methods/learn2pd/policy.ts';
import { problemsOf } from '../../../src/methods/learn2pd/problems.ts';
import { testGpu } from '../../support/gpu.ts';

const FOLDER = 'public/models/learn2pd/';
const served =
  (text: string, type = 'application/json'): typeof fetch =>
  async () =>
    new Response(text, { headers: { 'content-type': type } });

test('the index that ships names files that are there, each with a card whose tables can be read', async () => {
  const files = await fetchIndex(served(readFileSync(`${FOLDER}index.json`, 'utf8')));
  expect(files.length).toBeGreaterThan(0);
  for (const { file } of files) expect(readFileSync(FOLDER + file).length, file).toBeLessThan(10e6);
  for (const file of files) {
    const card = await fetchCard(file, served(readFileSync(FOLDER + file.card, 'utf8')));
    expect(
      card?.evaluation?.tables?.map((t) => t.name),
      file.rung,
    ).toContain('lengthScaling');
  }
});

test('who asks for a checkpoint that ships gets it, everybody else the first', () => {
  const files = ['mini', 'small'].map((rung) => ({ rung, file: `${rung}.safetensors`, card: `${rung}.json` }));
  expect(chooseFile(files, 'shipped')?.rung).toBe('mini');
  expect(chooseFile(files, 'small')?.rung).toBe('small');
  expect(chooseFile(files, 'gone')?.rung).toBe('mini');
  expect(chooseFile([], 'mini')).toBeUndefined();
});

test('a page in place of the index, or a file name that leads elsewhere, is no index', async () => {
  expect(await fetchIndex(served('<!doctype html>', 'text/html'))).toEqual([]);
  expect(await fetchIndex(served('{"files":[{"rung":"x","file":"../x.safetensors","card":"x.json"}]}'))).toEqual([]);
  expect(await fetchIndex(async () => Promise.reject(new TypeError('offline')))).toEqual([]);
});

test('on unseen problems the filter takes fewer passes than the threshold, and one for a block behind the end', async () => {
  const { gpu } = await testGpu();
  const [{ file }] = await fetchIndex(served(readFileSync(`${FOLDER}index.json`, 'utf8')));
  const model = readCheckpoint(gpu, new Uint8Array(readFileSync(FOLDER + file)));
  const { config: c, tasks, tokenizer, filter } = model;
  const problems = problemsOf(tasks, tokenizer, c, { split: 'test', seed: 11, salt: 3 }, 16);
  const prompts = problems.map((p) => tokenizer.encode(p.prompt));
  const decoder = decoderOf(gpu, model, { sequences: prompts.length, canvas: 4 * c.block });
  const passes = async (policy: Policy, canvas: number, references?: ArrayLike<number>[]) => {
    const { results } = await decoder.decode(prompts, { ...DECODE_DEFAULTS, policy }, { canvas, references });
    return { results, sum: results.reduce((sum, r) => sum + r.nfe, 0) };
  };
  const canvas = 2 * c.block;
  const plain = await passes({ kind: 'static', perStep: 1 }, canvas);
  expect(plain.sum).toBe(16 * canvas);
  const oracle = await passes(
    { kind: 'egp' },
    canvas,
    plain.results.map((r) => r.tokens),
  );
  const learned = await passes({ kind: 'learn2pd', tau: c.tau, filter }, canvas);
  const threshold = await passes({ kind: 'threshold', tau: c.threshold }, canvas);
  expect(oracle.sum).toBeLessThanOrEqual(learned.sum);
  expect(learned.sum).toBeLessThan(threshold.sum);
  const longer = await passes({ kind: 'learn2pd', tau: c.tau, filter }, 2 * canvas);
  // Two more blocks of nothing: a pass each, for nearly every problem.
  expect(longer.sum - learned.sum).toBeLessThan(16 * 2.5);
  for (const part of [decoder, decoder.model, model.store]) part.dispose();
}, 120_000);
