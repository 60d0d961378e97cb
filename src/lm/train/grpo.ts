/**
 * Group-relative policy optimisation (Shao et al. 2024): G answers per prompt from the policy itself, each compared with
 * its group's mean reward; clipped ratio, KL to a reference policy. Rollouts are decoded on the GPU; rewards come from the
 * caller (verifiers run in workers). Switches: advantage without division by the spread (Dr. GRPO, Liu et al. 2025),
 * asymmetric clipping and groups without signal left out (DAPO, Yu et al. 2025).
 */
import { readSafetensors, type TensorToWrite, toFloat32 } from '../../data/safetensors.ts';
import type { Gpu } from '../../gpu/device.ts';
import { mix32 } from '../../gpu/rng.ts';
import { Scope } from '../../nn/layers.ts';
import type { ParamStore } from '../../nn/params.ts';
import type { Tensor } from '../../tensor/graph.ts';
import { add } from '../../tensor/ops/pointwise.ts';
import { tokenLogProbs } from '../../tensor/ops/token-logprobs.ts';
import { compile, type Program } from '../../tensor/program.ts';
import { CheckpointError } from '../../train/checkpoint.ts';
import type { LmConfig } from '../config.ts';
import type { Decoder, Generated, GenerateOptions } from '../decoder.ts';
import { lmHidden, lmLogits, rowMixer } from '../model.ts';
import { packDocuments, type TokenBatch } from './batch.ts';
import { type PolicyClip, policyLoss } from './policy-loss.ts';
import { LmTrainer, type MixerOf, type TrainSpec } from './trainer.ts';

export interface GrpoSpec extends PolicyClip {
  /** Prompts per step and answers per prompt. */
  prompts: number;
  group: number;
  maxNew: number;
  temperature: number;
  /** Divide advantages by the standard deviation of the group. */
  scaleBySpread: boolean;
  /** `token`: every token of a step weighs the same; `answer`: every answer does. */
  weighBy: 'token' | 'answer';
}

export const GRPO_DEFAULTS: GrpoSpec = {
  prompts: 32,
  group: 8,
  maxNew: 32,
  temperature: 1,
  low: 0.2,
  high: 0.2,
  beta: 0.04,
  scaleBySpread: true,
  weighBy: 'answer',
};

/** Rewards that differ by less are the same one, rounded. */
const EQUAL = 1e-9;

/** Advantages of one group of rewards; all zero when the rewards are equal. */
export function groupAdvantages(rewards: readonly number[], scaleBySpread: boolean): number[] {
  // Not `spread === 0`: the mean of eight times 0.1 is not 0.1, and what rounding leaves would be scaled to one.
  if (Math.max(...rewards) - Math.min(...rewards) < EQUAL) return rewards.map(() => 0);
  const mean = rewards.reduce((a, b) => a + b, 0) / rewards.length;
  const spread = Math.sqrt(rewards.reduce((a, r) => a + (r - mean) ** 2, 0) / rewards.length);
  return rewards.map((r) => (r - mean) / (scaleBySpread ? spread : 1));
}

/** One sampled answer with its judgement. `mask`: 1 for tokens that the policy wrote itself (default: all of them). */
export interface Rollout {
  prompt: readonly number[];
  answer: Generated;
  advantage: number;
  mask?: readonly number[];
}

export interface PolicyBatch {
  batch: TokenBatch;
  old: Float32Array<ArrayBuffer>;
  advantages: Float32Array<ArrayBuffer>;
  /** Rollouts that fit into the rows. */
  taken: number;
}

/** Packs rollouts into token rows, with the log-probabilities that they were sampled with. */
export function packRollouts(
  rollouts: readonly Rollout[],
  rows: { batch: number; time: number; pad: number },
  weighBy: GrpoSpec['weighBy'],
): PolicyBatch {
  const documents = rollouts.map((r) => [...r.prompt, ...r.answer.tokens]);
  const { placed, batch } = packDocuments(documents, rows.batch, rows.time, rows.pad);
  const n = rows.batch * rows.time;
  const old = new Float32Array(n);
  const advantages = new Float32Array(n);
  let sum = 0;
  placed.forEach(({ first }, i) => {
    const { prompt, answer, advantage, mask } = rollouts[i];
    const own = Array.from(answer.tokens, (_, k) => mask?.[k] ?? 1);
    const count = own.reduce((a, b) => a + b, 0);
    own.forEach((m, k) => {
      if (m === 0) return;
      const at = first + prompt.length - 1 + k;
      batch.weights[at] = weighBy === 'token' ? 1 : 1 / count;
      sum += batch.weights[at];
      old[at] = answer.logProbs[k];
      advantages[at] = advantage;
    });
  });
  for (let i = 0; i < n; i++) batch.weights[i] /= Math.max(sum, 1e-30);
  return { batch, old, advantages, taken: placed.length };
}

/** Log-probabilities of the targets of a batch under fixed weights: the reference policy. */
export class Scorer {
  readonly program: Program;

  constructor(
    gpu: Gpu,
    c: LmConfig,
    store: ParamStore,
    rows: { batch: number; time: number },
    mixer: MixerOf = rowMixer,
  ) {
    const n = rows.batch * rows.time;
    this.program = compile(gpu, (graph) => {
      const scope = new Scope(graph, store);
      const tokens = {
        ids: graph.input('ids', [n]),
        positions: graph.input('positions', [n]),
        previous: graph.input('previous', [n]),
      };
      const at = { ...rows, bounds: graph.input('bounds', [n, 2]), causal: true };
      const logits = lmLogits(scope, c, lmHidden(scope, c, tokens, mixer(scope, c, tokens, at)));
      graph.output('log-probabilities', tokenLogProbs(logits, graph.input('targets', [n])).logProbs);
    });
  }

  /** [batch * time]; 0 where there is no target. */
  async score(batch: TokenBatch): Promise<Float32Array<ArrayBuffer>> {
    const { ids, positions, previous, bounds, targets } = batch;
    this.program.run({ ids, positions, previous, bounds, targets });
    return this.program.read('log-probabilities');
  }

  dispose(): void {
    this.program.dispose();
  }
}

/** One sampled answer; `mask` as in Rollout. */
export interface Sampled {
  prompt: number;
  answer: Generated;
  mask?: readonly number[];
}

/** Reward of each answer, in order; `prompt` counts prompts of the step. */
export type Judge = (answers: readonly Sampled[]) => Promise<number[]>;

/** Answers to prompts, in order: what the decoder does, unless an environment takes part in them. */
export type Roll = (
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
) => Promise<{ answer: Generated; mask?: readonly number[] }[]>;

export interface GrpoResult {
  /** Mean reward of all answers of the step. */
  reward: number;
  /** Share of groups with different rewards: the others teach nothing. */
  informative: number;
  /** Mean tokens per answer. */
  length: number;
  /** Mean |log pi(train) - log pi(rollout)| before the update: how well decoder and trainer agree. */
  mismatch: number;
  loss: number;
  kl: number;
  clipped: number;
  gradNorm: number;
  /** The further loss, if there is one. */
  further?: number;
}

export class GrpoTrainer {
  readonly trainer: LmTrainer;
  readonly spec: GrpoSpec;
  private readonly decoder: Decoder;
  private readonly reference: Scorer;
  private readonly current: Scorer;
  private readonly stop: readonly number[];
  private readonly fixed: ParamStore;
  private readonly roll: Roll;

  /**
   * `store` is trained; `decoder` must decode the same store; `reference` holds the fixed policy (a copy of the start).
   * `rows.batch * rows.time` must hold the tokens of prompts * group answers. `learn`: attention of the trained pass, with a
   * further loss that its trace has left behind (an indexer's); `roll` replaces the decoder's own way of answering.
   */
  constructor(
    gpu: Gpu,
    c: LmConfig,
    rows: TrainSpec,
    spec: GrpoSpec,
    parts: {
      store: ParamStore;
      reference: ParamStore;
      decoder: Decoder;
      stop: readonly number[];
      mixer?: MixerOf;
      learn?: { mixer: MixerOf; loss: () => Tensor | null };
      roll?: Roll;
    },
  ) {
    this.spec = spec;
    this.decoder = parts.decoder;
    this.stop = parts.stop;
    this.fixed = parts.reference;
    this.roll =
      parts.roll ??
      (async (prompts, options) => (await this.decoder.generate(prompts, options)).rows.map((answer) => ({ answer })));
    this.reference = new Scorer(gpu, c, parts.reference, rows, parts.mixer);
    this.current = new Scorer(gpu, c, parts.store, rows, parts.mixer);
    const n = rows.batch * rows.time;
    this.trainer = new LmTrainer(
      gpu,
      c,
      rows,
      'grpo',
      ({ graph, logProbs, weights }) => {
        const input = (name: string) => graph.input(name, [n]);
        const tokens = { old: input('old'), reference: input('reference'), advantages: input('advantages') };
        const { loss, kl, clipped } = policyLoss({ logProbs, weights, ...tokens }, spec);
        const further = parts.learn?.loss() ?? null;
        const metrics: Record<string, Tensor> = { kl, clipped };
        return further ? { loss: add(loss, further), metrics: { ...metrics, further } } : { loss, metrics };
      },
      { store: parts.store, mixer: parts.learn?.mixer ?? parts.mixer },
    );
  }

  /** One step on these prompts: rollouts, rewards, one update. A function of (weights, prompts, step number). */
  async step(prompts: readonly (readonly number[])[], judge: Judge, pad: number): Promise<GrpoResult> {
    const { group, maxNew, temperature, scaleBySpread, weighBy } = this.spec;
    const { batch, time, seed } = this.trainer.spec;
    const step = this.trainer.step + 1;
    const rows = await this.roll(
      prompts.flatMap((p) => Array.from({ length: group }, () => p)),
      { temperature, topK: 0, topP: 1, maxNew, stop: this.stop, seed: mix32(seed, step, 0, 0x6772706f) },
    );
    const answers = rows.map((row, i): Sampled => ({ prompt: Math.floor(i / group), ...row }));
    const rewards = await judge(answers);
    const groups = prompts.map((_, p) => rewards.slice(p * group, (p + 1) * group));
    const rollouts = groups.flatMap((own, p) =>
      groupAdvantages(own, scaleBySpread).map(
        (advantage, k): Rollout => ({ prompt: prompts[p], ...rows[p * group + k], advantage }),
      ),
    );
    const packed = packRollouts(rollouts, { batch, time, pad }, weighBy);
    if (packed.taken < rollouts.length) {
      throw new Error(
        `${packed.taken} of ${rollouts.length} answers fit ${batch} rows of ${time} tokens; take more or longer rows.`,
      );
    }
    const now = await this.current.score(packed.batch);
    const reference = await this.reference.score(packed.batch);
    this.trainer.advance(packed.batch, { old: packed.old, reference, advantages: packed.advantages });
    await this.trainer.settle();
    const mismatch = now.reduce(
      (a, v, i) => a + (packed.batch.weights[i] > 0 ? packed.batch.weights[i] * Math.abs(v - packed.old[i]) : 0),
      0,
    );
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    const { loss, kl, clipped, gradNorm, further } = await this.trainer.metrics();
    return {
      ...(further !== undefined && { further }),
      reward: mean(rewards),
      informative: mean(groups.map((own) => (own.some((r) => r !== own[0]) ? 1 : 0))),
      length: mean(rows.map(({ answer }) => answer.tokens.length)),
      mismatch,
      loss,
      kl,
      clipped,
      gradNorm,
    };
  }

  /** Weights, moments and the reference policy: a resumed run is bit-identical. */
  async save(about: Record<string, string> = {}): Promise<Uint8Array<ArrayBuffer>> {
    const fixed = new Map<string, TensorToWrite>();
    for (const [name, values] of await this.fixed.read('value')) {
      fixed.set(`reference/${name}`, { shape: this.fixed.specs.get(name)?.shape ?? [], values });
    }
    return this.trainer.save({ grpo: JSON.stringify(this.spec), ...about }, fixed);
  }

  /** As LmTrainer.load. */
  load(bytes: Uint8Array<ArrayBuffer>): Record<string, string> {
    const { metadata } = readSafetensors(bytes);
    if (metadata.grpo !== undefined && metadata.grpo !== JSON.stringify(this.spec)) {
      throw new CheckpointError('This checkpoint belongs to a run with other GRPO settings.');
    }
    const { tensors } = this.trainer.load(bytes);
    for (const name of this.fixed.specs.keys()) {
      const t = tensors.get(`reference/${name}`);
      if (!t) throw new CheckpointError(`The checkpoint has no tensor reference/${name}.`);
      this.fixed.write('value', name, toFloat32(t));
    }
    return metadata;
  }

  dispose(): void {
    this.reference.dispose();
    this.current.dispose();
    this.trainer.dispose();
  }
}
