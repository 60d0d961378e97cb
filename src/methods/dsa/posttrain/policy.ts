/**
 * One of the two models that go through the pipeline side by side, dense or sparse: its weights, how it decodes, and its
 * supervised and reinforcement trainers. The indexer of the sparse one learns in every stage from its own loss, on detached
 * inputs; rollouts choose keys with the weights that are trained.
 */
import type { Gpu } from '../../../gpu/device.ts';
import { Decoder } from '../../../lm/decoder.ts';
import { type ClosedTokenizer, EOT } from '../../../lm/tokenizers/closed.ts';
import type { TokenBatch } from '../../../lm/train/batch.ts';
import { GRPO_DEFAULTS, GrpoTrainer, type Roll } from '../../../lm/train/grpo.ts';
import { LmTrainer, type MixerOf, type Objective, TRAIN_DEFAULTS } from '../../../lm/train/trainer.ts';
import type { ParamStore } from '../../../nn/params.ts';
import type { Tensor } from '../../../tensor/graph.ts';
import { add } from '../../../tensor/ops/pointwise.ts';
import { weightedSum } from '../../../tensor/ops/token-logprobs.ts';
import { cachedDsa } from '../cached.ts';
import { type DsaConfig, trunk } from '../config.ts';
import { type AttentionPlan, DENSE, dsaMixer, dsaStore, INDEX, type Taps } from '../model.ts';
import { copyValues, meanOfAll, planOf } from '../train.ts';
import type { PostConfig } from './config.ts';
import { OBSERVE } from './domain.ts';
import type { Stage } from './journal.ts';

export type Arm = 'dense' | 'sparse';
export type Values = Map<string, Float32Array<ArrayBuffer>>;

/** A mixer of this plan, and the indexer's loss of its last trace. */
function learning(c: DsaConfig, plan: AttentionPlan): { mixer: MixerOf; loss: () => Tensor | null } {
  let taps: Taps = { losses: [], watched: [] };
  return {
    mixer: (scope, _, rows, at) => {
      taps = { losses: [], watched: [] };
      return dsaMixer(scope, c, rows, at, plan, taps);
    },
    loss: () => (taps.losses.length === 0 ? null : meanOfAll(taps.losses)),
  };
}

export class Policy {
  readonly arm: Arm;
  readonly store: ParamStore;
  readonly decoder: Decoder;
  private readonly gpu: Gpu;
  private readonly c: PostConfig;
  private readonly seed: number;
  private readonly plan: AttentionPlan;
  private readonly reference: ParamStore;
  private rl: GrpoTrainer | null = null;

  constructor(gpu: Gpu, c: PostConfig, arm: Arm, seed: number) {
    this.gpu = gpu;
    this.c = c;
    this.arm = arm;
    this.seed = seed;
    this.store = dsaStore(gpu, c.model, seed);
    this.reference = dsaStore(gpu, c.model, seed, false);
    this.plan = arm === 'dense' ? DENSE : planOf(c.model, 'sparse', gpu.conditions);
    const size = { sequences: Math.min(48, c.rl.prompts * c.rl.group), capacity: c.model.time };
    const k = arm === 'dense' ? size.capacity : c.model.k;
    this.decoder = new Decoder(gpu, cachedDsa(gpu, c.model, this.store, size, k), { perSubmission: 8, chunk: 16 });
  }

  get parameters(): number {
    return this.store.count;
  }

  values(): Promise<Values> {
    return this.store.read('value');
  }

  restore(values: Values): void {
    for (const [name, v] of values) this.store.write('value', name, v);
  }

  /** Supervised training on these batches. `warmup`: the indexer alone, on dense attention. */
  async supervised(
    stage: 'text' | 'warmup',
    steps: number,
    rates: { lr: number; lrIndex: number },
    batch: (step: number) => TokenBatch,
    at: Stage,
  ): Promise<void> {
    const { c, gpu, store } = this;
    const { mixer, loss } = learning(c.model, stage === 'warmup' ? { ...DENSE, learn: true } : this.plan);
    const objective: Objective = ({ logProbs, weights }) => {
      const lm = weightedSum(logProbs, weights, -1);
      const kl = loss();
      if (!kl) return { loss: lm };
      return { loss: stage === 'warmup' ? kl : add(lm, kl), metrics: { lm, kl } };
    };
    const { batch: rows, time } = c.model;
    const lr = Math.max(rates.lr, rates.lrIndex);
    const spec = { ...TRAIN_DEFAULTS, batch: rows, time, steps, lr, seed: this.seed };
    const trainer = new LmTrainer(gpu, trunk(c.model), spec, `post ${stage}`, objective, { store, mixer });
    store.setRates((name) => (name.includes(INDEX) ? rates.lrIndex : rates.lr) / lr);
    try {
      const first = at.begin(store);
      trainer.step = first;
      for (let step = first + 1; step <= steps; step++) {
        trainer.advance(batch(step));
        // Throws if a number is not finite: such a step is not kept.
        await trainer.metrics();
        await at.keep(step, store);
      }
    } finally {
      trainer.dispose();
    }
  }

  /** Reinforcement learning from the weights as they are now, which become the reference. `roll` answers prompts. */
  reinforce(tokenizer: ClosedTokenizer, roll: Roll): GrpoTrainer {
    const { c, gpu, store, reference } = this;
    copyValues(gpu, store, reference);
    store.setRates(() => 1);
    if (this.rl) {
      store.clearMoments();
      this.rl.trainer.step = 0;
      return this.rl;
    }
    const learn = learning(c.model, this.plan);
    const fixed = learning(c.model, { ...this.plan, learn: false });
    const { prompts, group, lr, beta } = c.rl;
    const rows = { batch: prompts * group, time: c.model.time };
    const spec = { ...TRAIN_DEFAULTS, ...rows, steps: 1, lr, warmup: 0, decay: 0, weightDecay: 0, seed: this.seed };
    this.rl = new GrpoTrainer(
      gpu,
      trunk(c.model),
      spec,
      { ...GRPO_DEFAULTS, prompts, group, beta, maxNew: c.maxNew },
      { store, reference, decoder: this.decoder, stop: [EOT, tokenizer.id(OBSERVE)], mixer: fixed.mixer, learn, roll },
    );
    return this.rl;
  }

  dispose(): void {
    this.rl?.dispose();
    this.decoder.dispose();
    this.decoder.model.dispose();
    this.store.dispose();
    this.reference.dispose();
  }
}
