/**
 * One step of the language methods at their smallest preset: training of DSA (dense base, sparse stage) and of Learn2PD (the
 * model, the filter), and a decoded token over DSA's caches. On random weights and the methods' own data: cost does not
 * depend on what was learned. Learn2PD's decoding: diffusion.ts.
 */
import type { Gpu } from '../gpu/device.ts';
import { mix32, uniform01 } from '../gpu/rng.ts';
import { TRAIN_DEFAULTS } from '../lm/train/trainer.ts';
import { cachedDsa } from '../methods/dsa/cached.ts';
import { configure as configureDsa } from '../methods/dsa/config.ts';
import { dsaStore } from '../methods/dsa/model.ts';
import { trainingBatch } from '../methods/dsa/tasks.ts';
import { stageTrainer } from '../methods/dsa/train.ts';
import { configure, modelConfig } from '../methods/learn2pd/config.ts';
import { newFilter } from '../methods/learn2pd/filter.ts';
import { FilterTrainer } from '../methods/learn2pd/filter-trainer.ts';
import { FILTER_TRAINING, type FilterRecord } from '../methods/learn2pd/filter-training.ts';
import { examplesOf, parseTasks, problemsOf, tokenizerOf } from '../methods/learn2pd/problems.ts';
import { diffusionBatch, lladaTrainer } from '../methods/learn2pd/train.ts';
import { decodedToken } from './decoding.ts';
import { issuedRow, type MethodRow } from './method-cost.ts';

const SEED = 1;

export async function dsaSteps(gpu: Gpu): Promise<MethodRow[]> {
  const c = configureDsa('nano');
  const method = 'Sparse attention nano';
  const store = dsaStore(gpu, c, SEED);
  const rows: MethodRow[] = [];
  try {
    const batch = trainingBatch(c, SEED, 1);
    for (const stage of ['base', 'sparse'] as const) {
      const { trainer, path } = stageTrainer(gpu, c, stage, store, SEED);
      try {
        const keys = path === 'gather' ? 'gathered' : 'masked';
        const how = stage === 'base' ? 'dense training step' : `sparse training step, top ${c.k}, ${keys}`;
        const step = `${how}, batch ${c.batch} x ${c.time}`;
        rows.push(await issuedRow(gpu, method, step, trainer.program.stats, () => trainer.advance(batch)));
        // Throws where the loss is not a number.
        await trainer.metrics();
      } finally {
        trainer.dispose();
      }
    }
    const model = cachedDsa(gpu, c, store, { sequences: 1, capacity: c.time });
    try {
      rows.push(...(await decodedToken(gpu, model, method, `one token over caches, top ${c.k}`, c.time - 8)));
    } finally {
      model.dispose();
    }
    return rows;
  } finally {
    store.dispose();
  }
}

/** Records of a filter that has not been trained: any confidences, half of the guesses right. */
const anyRecords = (count: number, B: number): FilterRecord[] =>
  Array.from({ length: count }, (_, prompt) => {
    const draw = (salt: number, i: number): number => uniform01(mix32(prompt, i, salt, SEED));
    return {
      prompt,
      c: Float32Array.from({ length: B }, (_, i) => draw(1, i)),
      label: Uint8Array.from({ length: B }, (_, i) => Number(draw(2, i) < 0.5)),
      masked: new Uint8Array(B).fill(1),
    };
  });

export async function learn2pdSteps(gpu: Gpu): Promise<MethodRow[]> {
  const c = configure('nano');
  const method = 'Learn2PD nano';
  const tasks = parseTasks(c.tasks);
  const tokenizer = tokenizerOf(tasks);
  const problems = problemsOf(tasks, tokenizer, c, { split: 'train', seed: SEED, salt: 1 }, c.rows);
  const batch = diffusionBatch(examplesOf(tokenizer, problems), c.prompt, c.canvas, SEED);
  const time = c.prompt + c.canvas;
  const spec = { ...TRAIN_DEFAULTS, batch: c.rows, time, steps: c.steps, lr: c.lr, seed: SEED };
  const trainer = lladaTrainer(gpu, modelConfig(c, tokenizer.vocab), spec);
  const settings = { ...FILTER_TRAINING, steps: c.filterSteps };
  const filter = new FilterTrainer(
    gpu,
    newFilter(c.block, c.depth, SEED),
    anyRecords(settings.batch, c.block),
    settings,
  );
  try {
    const modelStep = `model training step, batch ${c.rows} x ${time}`;
    const model = await issuedRow(gpu, method, modelStep, trainer.program.stats, () => trainer.advance(batch));
    await trainer.metrics();
    const filterStep = `filter training step, ${settings.batch} records of ${c.block}`;
    const small = await issuedRow(gpu, method, filterStep, filter.program.stats, () => filter.advance());
    if (!Number.isFinite(await filter.loss())) throw new Error('Learn2PD filter: the loss is not a number');
    return [model, small];
  } finally {
    filter.dispose();
    trainer.dispose();
    trainer.store.dispose();
  }
}
