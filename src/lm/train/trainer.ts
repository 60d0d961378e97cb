/**
 * One optimiser step of a language model as one submission, on token rows. The objective is a parameter: supervised
 * (sft.ts), policy gradient (grpo.ts), masked diffusion (a method's own) differ in how they weigh log-probabilities.
 * A step is a function of (parameters, inputs, step number), so a saved and resumed run is bit-identical.
 */

import { readSafetensors, type SafetensorsFile, type TensorToWrite, writeSafetensors } from '../../data/safetensors.ts';
import type { Gpu } from '../../gpu/device.ts';
import { type Mixer, Scope } from '../../nn/layers.ts';
import { ParamStore } from '../../nn/params.ts';
import type { Graph, Tensor } from '../../tensor/graph.ts';
import { type TokenLogProbs, tokenLogProbs } from '../../tensor/ops/token-logprobs.ts';
import { compile, type InputData, type Program } from '../../tensor/program.ts';
import { CheckpointError, restoreTraining, trainingTensors } from '../../train/checkpoint.ts';
import { requireFinite } from '../../train/finite.ts';
import { type AdamW, adamw, backward, hyper } from '../../train/optimiser.ts';
import { learningRate } from '../../train/schedule.ts';
import { checkLmConfig, type LmConfig } from '../config.ts';
import { lmHidden, lmLogits, rowMixer, type TokenRows } from '../model.ts';
import type { TokenBatch } from './batch.ts';

export interface TrainSpec {
  /** Rows per step and tokens per row. */
  batch: number;
  time: number;
  /** No token sees a later one (language modelling); false for masked diffusion. */
  causal: boolean;
  steps: number;
  lr: number;
  /** Shares of the steps for linear warm-up and decay. */
  warmup: number;
  decay: number;
  weightDecay: number;
  clip: number;
  ema: number;
  seed: number;
}

export const TRAIN_DEFAULTS: Omit<TrainSpec, 'batch' | 'time' | 'steps'> = {
  causal: true,
  lr: 2e-3,
  warmup: 0.05,
  decay: 0.5,
  weightDecay: 0.1,
  clip: 1,
  ema: 0.99,
  seed: 1,
};

/** What an objective sees: everything that the trace has made, and the log-probabilities of `targets`. */
export interface Traced extends TokenLogProbs {
  graph: Graph;
  scope: Scope;
  rows: TokenRows;
  hidden: Tensor;
  logits: Tensor;
  /** [batch * time], from the batch. */
  weights: Tensor;
}

/** Scalar loss, and numbers [1] to be read with the metrics. It may declare graph inputs of its own. */
export type Objective = (traced: Traced) => { loss: Tensor; metrics?: Record<string, Tensor> };

/** How rows attend; rowMixer unless a method brings its own attention. */
export type MixerOf = (
  scope: Scope,
  c: LmConfig,
  rows: TokenRows,
  at: { batch: number; time: number; bounds: Tensor; causal: boolean },
) => Mixer;

export interface TrainerOptions {
  /** Weights to go on with; a new store by default. Allocated here if it is not. */
  store?: ParamStore;
  mixer?: MixerOf;
}

export class LmTrainer {
  readonly config: LmConfig;
  readonly spec: TrainSpec;
  readonly store: ParamStore;
  readonly program: Program;
  /** Finished steps. */
  step = 0;
  private readonly optimiser: AdamW;
  private readonly metricNames: string[];
  private readonly kind: string;

  /** `kind` names the objective in checkpoints. */
  constructor(
    gpu: Gpu,
    c: LmConfig,
    spec: TrainSpec,
    kind: string,
    objective: Objective,
    options: TrainerOptions = {},
  ) {
    checkLmConfig(c);
    if (spec.time > c.context)
      throw new Error(`Rows of ${spec.time} tokens are longer than the context of ${c.context}.`);
    this.config = c;
    this.spec = spec;
    this.kind = kind;
    this.store = options.store ?? new ParamStore();
    if (this.store.allocated && this.store.slab('grad').size < this.store.byteLength) {
      throw new Error('This store holds values only (newStore with training = false): it cannot be trained.');
    }
    const { weightDecay, clip, ema } = spec;
    this.optimiser = { beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay, clip, ema };
    const names = ['loss', 'norm2'];
    this.program = compile(gpu, (graph) => {
      const scope = new Scope(graph, this.store);
      const { batch, time, causal } = spec;
      const n = batch * time;
      const rows = {
        ids: graph.input('ids', [n]),
        positions: graph.input('positions', [n]),
        previous: graph.input('previous', [n]),
      };
      const bounds = graph.input('bounds', [n, 2]);
      const mixer = (options.mixer ?? rowMixer)(scope, c, rows, { batch, time, bounds, causal });
      const hidden = lmHidden(scope, c, rows, mixer);
      const logits = lmLogits(scope, c, hidden);
      const probs = tokenLogProbs(logits, graph.input('targets', [n]));
      const weights = graph.input('weights', [n]);
      const { loss, metrics = {} } = objective({ graph, scope, rows, hidden, logits, weights, ...probs });
      graph.output('loss', loss);
      for (const [name, t] of Object.entries(metrics)) {
        graph.output(name, t);
        names.push(name);
      }
      const norm2 = backward(graph, loss, scope.used(), this.store);
      graph.output('norm2', norm2);
      adamw(graph, this.store, norm2);
      this.store.allocate(gpu, spec.seed);
    });
    // Step 1 corrects the moments as if they had started from zero.
    if (options.store) this.store.clearMoments();
    this.metricNames = names;
  }

  /** Learning rate of step t (1, 2, ..). */
  rate(t: number): number {
    const { steps, lr, warmup, decay } = this.spec;
    return learningRate(t, steps, lr, warmup, decay);
  }

  /** One step; returns before the GPU is done. `extra`: inputs that the objective declared. */
  advance(batch: TokenBatch, extra: Record<string, InputData> = {}): void {
    this.step += 1;
    this.program.run({
      ...batch,
      ...extra,
      one: new Float32Array([1]),
      hyper: hyper(this.optimiser, this.step, this.rate(this.step)),
    });
  }

  /** Resolves when the last step is done. */
  settle(): Promise<void> {
    return this.program.settle();
  }

  /** Call after a step of a loop (Program.throttle). */
  throttle(): Promise<void> {
    return this.program.throttle();
  }

  /** Loss, gradient norm and the objective's own numbers, of the last step. Throws if one is not finite. */
  async metrics(): Promise<Record<string, number>> {
    const out: Record<string, number> = {};
    for (const name of this.metricNames) {
      const [value] = await this.program.read(name);
      out[name] = value;
    }
    await requireFinite(`${this.kind} step ${this.step}`, out, this.store);
    const { norm2, ...rest } = out;
    return { ...rest, gradNorm: Math.sqrt(norm2) };
  }

  /** All that resuming needs, and what the caller adds: metadata and further tensors. */
  async save(
    about: Record<string, string> = {},
    more: ReadonlyMap<string, TensorToWrite> = new Map(),
  ): Promise<Uint8Array<ArrayBuffer>> {
    const tensors = await trainingTensors(this.store);
    for (const [name, t] of more) tensors.set(name, t);
    return writeSafetensors(tensors, {
      kind: this.kind,
      config: JSON.stringify(this.config),
      spec: JSON.stringify(this.spec),
      step: String(this.step),
      ...about,
    });
  }

  /** Goes on from a checkpoint of the same kind, configuration and settings; throws CheckpointError before anything changes. */
  load(bytes: Uint8Array<ArrayBuffer>): SafetensorsFile {
    const file = readSafetensors(bytes);
    const { metadata } = file;
    if (metadata.kind !== this.kind) {
      throw new CheckpointError(
        `This is a checkpoint of '${metadata.kind ?? 'something else'}', not of '${this.kind}'.`,
      );
    }
    if (metadata.config !== JSON.stringify(this.config)) {
      throw new CheckpointError('This checkpoint belongs to a model of another configuration.');
    }
    if (metadata.spec !== JSON.stringify(this.spec)) {
      throw new CheckpointError('This checkpoint belongs to a run with other training settings.');
    }
    restoreTraining(this.store, file);
    this.step = Number(metadata.step);
    return file;
  }

  dispose(): void {
    this.program.dispose();
  }
}
