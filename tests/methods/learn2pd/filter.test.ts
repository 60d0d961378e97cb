// The filter: its size, its gradient against central differences, and that it learns what a constant cannot.

import { expect, test } from 'vitest';
import { mix32, uniform01 } from '../../../src/gpu/rng.ts';
import { heldOut, shuffledLabels } from '../../../src/methods/learn2pd/ablations.ts';
import { promptNumbers } from '../../../src/methods/learn2pd/collect.ts';
import { presets } from '../../../src/methods/learn2pd/config.ts';
import { type FilterWeights, filterSize, newFilter } from '../../../src/methods/learn2pd/filter.ts';
import { reportFilter } from '../../../src/methods/learn2pd/filter-report.ts';
import { trainFilter } from '../../../src/methods/learn2pd/filter-trainer.ts';
import {
  FILTER_TRAINING,
  type FilterRecord,
  filterLoss,
  splitRecords,
  trainReference,
} from '../../../src/methods/learn2pd/filter-training.ts';
import { logit, scheduled } from '../../../src/methods/learn2pd/policy.ts';
import { parseTasks, problemsOf, tokenizerOf } from '../../../src/methods/learn2pd/problems.ts';
import { testGpu } from '../../support/gpu.ts';

/** A guess is right if its confidence beats that of its neighbour: no threshold on one number can tell. */
function records(B: number, count: number, salt: number, honest = true): FilterRecord[] {
  return Array.from({ length: count }, (_, prompt) => {
    const c = Float32Array.from({ length: B }, (_, i) => uniform01(mix32(salt, prompt, i, 3)));
    const label = Uint8Array.from(c, (v, i) =>
      Number(honest ? v > c[(i + 1) % B] : mix32(salt, prompt, i, 4) % 2 === 0),
    );
    return { prompt, c, label, masked: new Uint8Array(B).fill(1) };
  });
}

test('two layers at block 32 are 2112 parameters', () => {
  expect(filterSize(32, 2)).toBe(2112);
  expect([8, 16, 64].map((B) => filterSize(B, 2))).toEqual([144, 544, 8320]);
  expect(newFilter(32, 2, 1).values.length).toBe(2112);
});

test.each([true, false])('the gradient is that of central differences, masked only %s', (maskedOnly) => {
  const data = records(4, 6, 1);
  data[2].masked[1] = 0;
  const filter = newFilter(4, 2, 2);
  const { gradient } = filterLoss(filter, data, maskedOnly);
  const at = (i: number, by: number): { loss: number; by: number } => {
    const values = filter.values.slice();
    values[i] += by;
    // f32 weights: the step that was really taken.
    return { loss: filterLoss({ ...filter, values }, data, maskedOnly).loss, by: values[i] };
  };
  for (let i = 0; i < gradient.length; i++) {
    const [up, down] = [at(i, 1e-3), at(i, -1e-3)];
    expect((up.loss - down.loss) / (up.by - down.by)).toBeCloseTo(gradient[i], 4);
  }
});

test.each([1, 2, 4])(
  '%i layers: fifty steps of the kernels end where float64 does',
  async (depth) => {
    const { gpu } = await testGpu();
    const data = records(8, 60, 1);
    data[3].masked[2] = 0;
    for (const maskedOnly of [false, true]) {
      const t = { ...FILTER_TRAINING, steps: 50, batch: 32, lr: 1e-2, maskedOnly };
      const start = newFilter(8, depth, 4);
      const want = trainReference(start, data, t).values;
      const found = (await trainFilter(gpu, start, data, t)).values;
      const worst = Math.max(...found.map((v, i) => Math.abs(v - want[i])));
      expect(worst).toBeLessThan(1e-4);
      expect(Math.max(...found.map((v, i) => Math.abs(v - start.values[i])))).toBeGreaterThan(0.05);
    }
  },
  120_000,
);

test('training beats the constant answer on unseen records; labels without sense teach nothing', async () => {
  const { gpu } = await testGpu();
  const t = { ...FILTER_TRAINING, steps: 600, batch: 64, lr: 1e-2 };
  const unseen = records(8, 200, 9);
  const learned = reportFilter(await trainFilter(gpu, newFilter(8, 2, 1), records(8, 400, 1), t), unseen);
  expect(learned.bceMasked).toBeLessThan(0.8 * learned.bceConstant);
  expect(learned.auroc).toBeGreaterThan(0.85);
  const fooled = reportFilter(await trainFilter(gpu, newFilter(8, 2, 1), records(8, 400, 1, false), t), unseen);
  expect(Math.abs(fooled.auroc - 0.5)).toBeLessThan(0.1);
}, 120_000);

test('the weights that are kept are those of the lowest validation loss', async () => {
  const { gpu } = await testGpu();
  const t = { ...FILTER_TRAINING, steps: 400, batch: 16, lr: 3e-2 };
  const [few, unseen] = [records(8, 8, 1), records(8, 100, 9)];
  const loss = (filter: FilterWeights): number => filterLoss(filter, unseen, false).loss;
  // Eight records are learned by heart: the last weights are worse on others than earlier ones were.
  const last = loss(await trainFilter(gpu, newFilter(8, 2, 1), few, t));
  const kept = loss(await trainFilter(gpu, newFilter(8, 2, 1), few, t, unseen));
  expect(kept).toBeLessThan(0.9 * last);
  const parts = splitRecords(records(8, 1000, 2).flatMap((r) => [r, r]));
  expect(parts.train.length / 2000).toBeCloseTo(0.8, 1);
  const ids = Object.values(parts).map((part) => new Set(part.map((r) => r.prompt)));
  expect(ids[0].size + ids[1].size + ids[2].size).toBe(1000);
}, 120_000);

test('no prompt of the held-out records is one of those that the filter learns from', () => {
  expect(promptNumbers([[1, 2], [3], [1, 2], [12], [3]])).toEqual([0, 1, 0, 3, 1]);
  const { mini: c } = presets;
  const tasks = parseTasks(c.tasks);
  const tokenizer = tokenizerOf(tasks);
  const problems = problemsOf(tasks, tokenizer, c, { split: 'train', seed: 1, salt: 1 }, c.prompts);
  const numbers = promptNumbers(problems.map((p) => tokenizer.encode(p.prompt)));
  const [one] = records(4, 1, 1);
  const parts = splitRecords(numbers.map((prompt) => ({ ...one, prompt })));
  const texts = Object.values(parts).map((part) => new Set(part.map((r) => problems[r.prompt].prompt)));
  // This preset repeats prompts, and none is on two sides.
  const all = new Set(problems.map((p) => p.prompt)).size;
  expect(all).toBeLessThan(problems.length);
  expect(texts.reduce((sum, side) => sum + side.size, 0)).toBe(all);
  expect(parts.train.length / problems.length).toBeCloseTo(0.8, 1);
});

test('the schedule spreads masks evenly, remainder first, and loses none', () => {
  expect(Array.from({ length: 4 }, (_, i) => scheduled(10, 4, i))).toEqual([3, 3, 2, 2]);
  for (let masked = 1; masked <= 32; masked++) {
    for (const steps of [1, 4, 8, 32]) {
      const all = Array.from({ length: steps }, (_, i) => scheduled(masked, steps, i));
      expect(all.reduce((a, b) => a + b, 0)).toBe(masked);
    }
  }
  expect(logit(0.96)).toBeCloseTo(3.178, 3);
});

test('shuffled labels keep their number and leave unmasked ones alone', () => {
  const data = records(8, 50, 3);
  for (const r of data) r.masked.fill(0, 4);
  const mixed = shuffledLabels(data, 1);
  const sum = (all: readonly FilterRecord[], from: number, to: number): number =>
    all.reduce((n, r) => n + r.label.subarray(from, to).reduce((a, b) => a + b, 0), 0);
  expect(sum(mixed, 0, 4)).toBe(sum(data, 0, 4));
  expect(mixed.map((r) => [...r.label.subarray(4)])).toEqual(data.map((r) => [...r.label.subarray(4)]));
  expect(mixed.map((r) => [...r.label])).not.toEqual(data.map((r) => [...r.label]));
});

test('filters of the ablations are judged on test records with their true labels, of one task where only that counts', () => {
  const data = records(8, 200, 3);
  const floor = { records: data, tasks: data.map((_, i) => (i % 2 === 0 ? 'lists' : 'sums')) };
  const { test: truth } = splitRecords(data);
  expect(heldOut(floor)).toEqual(truth);
  const sums = heldOut(floor, 'sums');
  expect(sums).toEqual(truth.filter((r) => r.prompt % 2 === 1));
  expect(sums.length).toBeGreaterThan(0);
});
