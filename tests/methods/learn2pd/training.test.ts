// From a tiny LLaDA to a filter that saves passes: masking, collection, and the whole chain on lists of three.

import { expect, test } from 'vitest';
import { type LmConfig, smallConfig } from '../../../src/lm/config.ts';
import { storeModel } from '../../../src/lm/language-model.ts';
import { taskTokenizer } from '../../../src/lm/tasks/families.ts';
import { lists } from '../../../src/lm/tasks/lists.ts';
import { problemAt } from '../../../src/lm/tasks/task.ts';
import { EOT, MASK } from '../../../src/lm/tokenizers/closed.ts';
import { NO_TOKEN } from '../../../src/lm/train/batch.ts';
import { exampleOf } from '../../../src/lm/train/sft.ts';
import { TRAIN_DEFAULTS } from '../../../src/lm/train/trainer.ts';
import { collectRecords, promptNumbers } from '../../../src/methods/learn2pd/collect.ts';
import { canvasesOf, presets } from '../../../src/methods/learn2pd/config.ts';
import { DiffusionDecoder } from '../../../src/methods/learn2pd/decoder.ts';
import { newFilter } from '../../../src/methods/learn2pd/filter.ts';
import { reportFilter } from '../../../src/methods/learn2pd/filter-report.ts';
import { trainFilter } from '../../../src/methods/learn2pd/filter-trainer.ts';
import { FILTER_TRAINING } from '../../../src/methods/learn2pd/filter-training.ts';
import { canvasOf, maskSeed, stepProblems } from '../../../src/methods/learn2pd/llada.ts';
import { DECODE_DEFAULTS } from '../../../src/methods/learn2pd/policy.ts';
import { parseTasks, tokenizerOf } from '../../../src/methods/learn2pd/problems.ts';
import { diffusionBatch, EPS, lladaTrainer, maskShare } from '../../../src/methods/learn2pd/train.ts';
import { testGpu } from '../../support/gpu.ts';
import { lmReference } from '../../support/lm-reference.ts';

const P = 8;
const G = 8;
const B = 4;
const TOKENIZER = taskTokenizer([lists], 24);

test('the prompt is never masked, end tokens count, and the mask rate is that of the process', () => {
  const example = { prompt: [5, 6, 7], answer: [8, 9, EOT] };
  let masked = 0;
  const rounds = 800;
  const rows = 16;
  const truth = (column: number): number => example.answer[column - P] ?? EOT;
  for (let seed = 0; seed < rounds; seed++) {
    const { ids, targets, weights, bounds } = diffusionBatch(Array(rows).fill(example), P, G, seed);
    const wrong = ids.findIndex((id, i) => {
      const column = i % (P + G);
      const hidden = id === MASK;
      if (column < P) return hidden || targets[i] !== NO_TOKEN || weights[i] !== 0;
      masked += Number(hidden);
      return targets[i] !== (hidden ? truth(column) : NO_TOKEN) || weights[i] > 0 !== hidden;
    });
    expect(wrong).toBe(-1);
    expect([...bounds.subarray(2 * P, 2 * P + 2)]).toEqual([P - 3, P + G]);
  }
  // Stratified draws have less than the binomial spread.
  const trials = rounds * rows * G;
  expect(trials).toBeGreaterThan(1e5);
  const mean = (1 - EPS) / 2 + EPS;
  expect(Math.abs(masked / trials - mean)).toBeLessThan(3 * Math.sqrt((mean * (1 - mean)) / trials));
  expect(() => diffusionBatch([{ prompt: [1], answer: Array(9).fill(2) }], P, G, 1)).toThrow('do not fit 8 and 8');
});

test('every task meets low and high mask rates at every canvas length, and a batch has one row in every stratum', () => {
  const { mini: c } = presets;
  const tasks = parseTasks(c.tasks);
  const tokenizer = tokenizerOf(tasks);
  const met = new Map(canvasesOf(c).map((G) => [G, { steps: 0, low: new Set<string>(), high: new Set<string>() }]));
  for (let step = 1; step <= 3000; step++) {
    const at = met.get(canvasOf(c, 1, step));
    // A few steps of each length are enough, and the short ones are many.
    if (!at || at.steps === 60) continue;
    at.steps += 1;
    const problems = stepProblems(c, tasks, tokenizer, 1, step);
    const rows = problems.length;
    const shares = problems.map((_, row) => maskShare(maskSeed(1, step), row, rows));
    const strata = shares.map((share) => Math.floor(((share - EPS) / (1 - EPS)) * rows));
    expect(new Set(strata).size).toBe(rows);
    problems.forEach(({ family }, row) => {
      if (shares[row] < 0.2) at.low.add(family);
      if (shares[row] > 0.8) at.high.add(family);
    });
  }
  const all = tasks.map((t) => t.family.id).sort();
  for (const [G, { low, high }] of met) expect([[...low].sort(), [...high].sort()], `canvas ${G}`).toEqual([all, all]);
  // No row keeps its stratum.
  const shares = Array.from({ length: 50 }, (_, seed) => maskShare(seed, 0, 4));
  expect(Math.min(...shares)).toBeLessThan(0.25);
  expect(Math.max(...shares)).toBeGreaterThan(0.75);
});

test('the loss is -log p / p_mask over masked tokens, divided by the canvas, and its gradient that of float64', async () => {
  const { gpu } = await testGpu();
  const c: LmConfig = { ...smallConfig(TOKENIZER.vocab, 16, 1, P + G), positions: true };
  const trainer = lladaTrainer(gpu, c, { ...TRAIN_DEFAULTS, batch: 3, time: P + G, steps: 2 });
  const before = new Map([...(await trainer.store.read('value'))].map(([name, v]) => [name, Float64Array.from(v)]));
  const examples = [
    { prompt: [5, 6, 7], answer: [8, 9, EOT] },
    { prompt: [4], answer: [EOT] },
    { prompt: [5, 4, 5, 4, 5, 4, 5, 4], answer: [9, 9, 9, 9, 9, 9, 9, EOT] },
  ];
  const seed = 11;
  const batch = diffusionBatch(examples, P, G, seed);
  /** From the formula: what the batch says about targets and weights is not asked. */
  const lossAt = (weights: ReadonlyMap<string, ArrayLike<number>>): number => {
    let loss = 0;
    examples.forEach(({ prompt, answer }, row) => {
      const first = P - prompt.length;
      const ids = Array.from(batch.ids.subarray(row * (P + G), (row + 1) * (P + G)));
      const seen = Array.from({ length: P + G - first }, (_, k) => first + k);
      const { logits } = lmReference(weights, c, ids, (i) => (i < first ? [i] : seen));
      for (let i = 0; i < G; i++) {
        if (ids[P + i] !== MASK) continue;
        const own = logits[P + i];
        const top = Math.max(...own);
        const logSum = top + Math.log(own.reduce((sum, x) => sum + Math.exp(x - top), 0));
        loss += (logSum - own[answer[i] ?? EOT]) / maskShare(seed, row, 3) / G / 3;
      }
    });
    return loss;
  };
  const want = lossAt(before);
  trainer.advance(batch);
  const { loss, gradNorm } = await trainer.metrics();
  expect(Math.abs(loss / want - 1)).toBeLessThan(1e-5);
  const gradient = await trainer.store.read('grad');
  const H = 1e-4;
  let checked = 0;
  for (const [name, found] of gradient) {
    const values = before.get(name) as Float64Array;
    // The steepest places of every tensor, and one where it may well be flat.
    const steepest = [...found.keys()].sort((a, b) => Math.abs(found[b]) - Math.abs(found[a])).slice(0, 3);
    for (const i of [...steepest, found.length >> 1]) {
      const at = (by: number): number => lossAt(new Map([...before, [name, values.with(i, values[i] + by)]]));
      const slope = (at(H) - at(-H)) / (2 * H);
      expect(Math.abs(found[i] - slope), `${name}[${i}]: ${found[i]}, float64 ${slope}`).toBeLessThan(1e-5 * gradNorm);
      checked += Number(Math.abs(slope) > 1e-2 * gradNorm);
    }
  }
  expect(gradient.size).toBe(trainer.store.specs.size);
  // Enough of them are slopes that an error of a hundredth would show in.
  expect(checked).toBeGreaterThan(gradient.size);
  trainer.dispose();
});

test('on a longer canvas the answer weighs as much as on the short one, and the fill no more than there', () => {
  const example = { prompt: [5], answer: [8, 9, EOT] };
  const long = 8 * G;
  let [answer, fill, draws] = [0, 0, 0];
  for (let seed = 0; seed < 400; seed++) {
    const { weights } = diffusionBatch([example], P, long, seed, G);
    weights.forEach((w, i) => {
      if (i >= P && i < P + 3) answer += w;
      if (i >= P + 3) fill += w;
    });
    draws += 1;
  }
  // Expected weights: 1/G for each token of the answer, and (G - 3)/G for all of the fill together.
  expect(answer / draws).toBeCloseTo(3 / G, 1);
  expect(fill / draws).toBeCloseTo((G - 3) / G, 1);
});

test('a trained model, a filter from its own oracle, fewer passes', async () => {
  const { gpu } = await testGpu();
  const c: LmConfig = { ...smallConfig(TOKENIZER.vocab, 32, 2, P + G), positions: true };
  const rows = 24;
  const trainer = lladaTrainer(gpu, c, { ...TRAIN_DEFAULTS, batch: rows, time: P + G, steps: 120, lr: 5e-3 });
  const problem = (split: 'train' | 'test', i: number) => problemAt(lists, split, 3, i, [3]);
  const losses: number[] = [];
  for (let step = 0; step < 120; step++) {
    const examples = Array.from({ length: rows }, (_, i) =>
      exampleOf(TOKENIZER, problem('train', step * rows + i), EOT),
    );
    trainer.advance(diffusionBatch(examples, P, G, step));
    await trainer.settle();
    if (step % 20 === 19) losses.push((await trainer.metrics()).loss);
  }
  expect(losses[losses.length - 1]).toBeLessThan(0.6 * Math.log(TOKENIZER.vocab));
  const model = storeModel(gpu, c, trainer.store, { sequences: 32, capacity: P + G });
  const decoder = new DiffusionDecoder(gpu, model, { prompt: P, block: B, canvas: G, depth: 2, perSubmission: 8 });
  const prompts = (split: 'train' | 'test', from: number) =>
    Array.from({ length: 32 }, (_, i) => TOKENIZER.encode(problem(split, from + i).prompt));
  const own = prompts('train', 5000);
  const { records, oraclePasses } = await collectRecords(decoder, own, promptNumbers(own), G);
  expect(records.length).toBe(oraclePasses.reduce((a, b) => a + b, 0));
  const filter = await trainFilter(gpu, newFilter(B, 2, 1), records, { ...FILTER_TRAINING, steps: 400, batch: 64 });
  const seen = reportFilter(filter, records);
  expect(seen.bceMasked).toBeLessThan(seen.bceConstant);
  const unseen = prompts('test', 0);
  const passes = async (policy: Parameters<typeof decoder.decode>[1]['policy'], eotp: 'off' | 'strict') => {
    const { results } = await decoder.decode(unseen, { ...DECODE_DEFAULTS, policy, eotp });
    return results.reduce((sum, r) => sum + r.nfe, 0) / results.length;
  };
  const learned = { kind: 'learn2pd', tau: 0.9, filter } as const;
  expect(await passes({ kind: 'static', perStep: 1 }, 'off')).toBe(G);
  const off = await passes(learned, 'off');
  expect(off).toBeLessThan(0.8 * G);
  expect(await passes(learned, 'strict')).toBeLessThanOrEqual(off);
}, 120_000);
