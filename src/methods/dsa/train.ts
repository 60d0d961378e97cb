/**
 * The stages of continued pre-training (dsa.md sections 1.7, 4.2-4.4) as trainers of the language model: dense base, indexer
 * warm-up by KL with everything else frozen, sparse stage with both losses on separate parameters and rates, and the control
 * that goes on densely. All work on one store each, in place.
 */
import type { Conditions, Gpu } from '../../gpu/device.ts';
import { LmTrainer, type Objective, TRAIN_DEFAULTS } from '../../lm/train/trainer.ts';
import type { ParamStore } from '../../nn/params.ts';
import type { Tensor } from '../../tensor/graph.ts';
import { add, affine } from '../../tensor/ops/pointwise.ts';
import { scoresByProducts } from '../../tensor/ops/product-attention.ts';
import { weightedSum } from '../../tensor/ops/token-logprobs.ts';
import { type DsaConfig, type StageSpec, trunk } from './config.ts';
import { choosePath, type Path } from './dispatch.ts';
import { type AttentionPlan, DENSE, dsaMixer, INDEX, type Taps } from './model.ts';

export type Stage = 'short' | 'base' | 'warmup' | 'sparse' | 'continued';

export interface StageTrainer {
  trainer: LmTrainer;
  path: Path;
  /** Factors of the rate, by parameter name. */
  rates: (name: string) => number;
}

/** Schedule of each stage: the base decays linearly from its middle on, short rows before it and the warm-up do not. */
const SCHEDULE: Record<Stage, { warmup: number; decay: number }> = {
  short: { warmup: 0.05, decay: 0 },
  base: { warmup: 0.05, decay: 0.5 },
  warmup: { warmup: 0, decay: 0 },
  sparse: { warmup: 0, decay: 0.5 },
  continued: { warmup: 0, decay: 0.5 },
};

export function specOf(c: DsaConfig, stage: Stage): StageSpec {
  if (stage === 'short') return { ...c.base, steps: c.short.steps };
  return stage === 'continued' ? { ...c.sparse, lrIndex: 0 } : c[stage];
}

export function planOf(c: DsaConfig, stage: Stage, on: Conditions): AttentionPlan {
  if (stage === 'sparse') {
    const path = choosePath(
      c,
      c.time,
      c.k,
      'train',
      scoresByProducts(on, { sequences: c.batch, heads: c.heads, queries: c.time, length: c.time }),
    );
    return { path, chooser: 'indexer', k: c.k, learn: path !== 'dense', watch: false };
  }
  return { ...DENSE, learn: stage === 'warmup' };
}

export const meanOfAll = (losses: Tensor[]): Tensor =>
  affine(
    losses.reduce((a, b) => add(a, b)),
    1 / losses.length,
  );

/** `c`: rows as the stage has them (`shortRows` for the stage on short ones). */
export function stageTrainer(gpu: Gpu, c: DsaConfig, stage: Stage, store: ParamStore, seed: number): StageTrainer {
  const { steps, lr, lrIndex } = specOf(c, stage);
  const plan = planOf(c, stage, gpu.conditions);
  const taps: Taps = { losses: [], watched: [] };
  const peak = Math.max(lr, lrIndex);
  const objective: Objective = ({ logProbs, weights }) => {
    const lm = weightedSum(logProbs, weights, -1);
    if (taps.losses.length === 0) return { loss: lm };
    const kl = meanOfAll(taps.losses);
    return { loss: stage === 'warmup' ? kl : add(lm, kl), metrics: { lm, kl } };
  };
  const trainer = new LmTrainer(
    gpu,
    trunk(c),
    { ...TRAIN_DEFAULTS, ...SCHEDULE[stage], batch: c.batch, time: c.time, steps, lr: peak, seed },
    `dsa ${stage}`,
    objective,
    { store, mixer: (scope, _, rows, at) => dsaMixer(scope, c, rows, at, plan, taps) },
  );
  const rates = (name: string): number => (name.includes(INDEX) ? lrIndex : lr) / peak;
  store.setRates(rates);
  return { trainer, path: plan.path, rates };
}

/** Values of one store into another of the same model. */
export function copyValues(gpu: Gpu, from: ParamStore, to: ParamStore): void {
  const encoder = gpu.device.createCommandEncoder();
  encoder.copyBufferToBuffer(from.slab('value'), 0, to.slab('value'), 0, from.byteLength);
  gpu.device.queue.submit([encoder.finish()]);
}
