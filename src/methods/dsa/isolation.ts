/**
 * Measures that the two losses of a stage stay apart (dsa.md section 1.7): each is differentiated alone, and the norms
 * of the gradients that reach the indexer's weights and all others are read off the gradient buffer.
 */
import type { Gpu } from '../../gpu/device.ts';
import { LmTrainer, TRAIN_DEFAULTS } from '../../lm/train/trainer.ts';
import type { ParamStore } from '../../nn/params.ts';
import { weightedSum } from '../../tensor/ops/token-logprobs.ts';
import { type DsaConfig, trunk } from './config.ts';
import { dsaMixer, dsaStore, INDEX, type Taps } from './model.ts';
import { trainingBatch } from './tasks.ts';
import { copyValues, meanOfAll, planOf } from './train.ts';

/** Norms of gradients of one step: of the indexer's loss L_I and of the language-model loss. */
export interface Isolation {
  /** Must be zero. */
  indexLossOnMain: number;
  lmLossOnIndexer: number;
  /** Must not be. */
  indexLossOnIndexer: number;
  lmLossOnMain: number;
}

/** On a copy of the weights, with the batch of step 1 of this data seed, attending as the stage does. */
export async function gradientIsolation(
  gpu: Gpu,
  c: DsaConfig,
  weights: ParamStore,
  seed: number,
  stage: 'warmup' | 'sparse' = 'sparse',
): Promise<Isolation> {
  const plan = planOf(c, stage, gpu.conditions);
  const own = dsaStore(gpu, c, 0);
  copyValues(gpu, weights, own);
  const norms = async (loss: 'lm' | 'index'): Promise<{ main: number; indexer: number }> => {
    const taps: Taps = { losses: [], watched: [] };
    const trainer = new LmTrainer(
      gpu,
      trunk(c),
      { ...TRAIN_DEFAULTS, batch: c.batch, time: c.time, steps: 1, lr: 0, seed: 0 },
      'dsa isolation',
      ({ logProbs, weights: shares }) => ({
        loss: loss === 'lm' ? weightedSum(logProbs, shares, -1) : meanOfAll(taps.losses),
      }),
      { store: own, mixer: (scope, _, rows, at) => dsaMixer(scope, c, rows, at, plan, taps) },
    );
    trainer.advance(trainingBatch(c, seed, 1));
    await trainer.settle();
    const sums = { main: 0, indexer: 0 };
    for (const [name, values] of await own.read('grad')) {
      for (const v of values) sums[name.includes(INDEX) ? 'indexer' : 'main'] += v * v;
    }
    trainer.dispose();
    return { main: Math.sqrt(sums.main), indexer: Math.sqrt(sums.indexer) };
  };
  try {
    if (!plan.learn) throw new Error(`k = ${c.k} covers the whole row: there is no indexer loss to measure.`);
    const [lm, index] = [await norms('lm'), await norms('index')];
    return {
      indexLossOnMain: index.main,
      lmLossOnIndexer: lm.indexer,
      indexLossOnIndexer: index.indexer,
      lmLossOnMain: lm.main,
    };
  } finally {
    own.dispose();
  }
}
