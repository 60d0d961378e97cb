/**
 * A run as the page and the command line drive it: dense base, warm-up of the indexer, sparse stage, and the dense control
 * from the same base on the same data. Every stage is one phase.
 */
import { readSafetensors, writeSafetensors } from '../../data/safetensors.ts';
import type { Gpu } from '../../gpu/device.ts';
import type { ParamStore } from '../../nn/params.ts';
import {
  CheckpointError,
  restoreShipped,
  restoreTraining,
  shippedTensors,
  trainingTensors,
} from '../../train/checkpoint.ts';
import type { Budget, Checkpoint, Phase, Query, RunContext, RunState, Session, View } from '../contract.ts';
import { checkConfig, type DsaConfig } from './config.ts';
import type { ArmOf } from './eval.ts';
import { dsaStore } from './model.ts';
import { trainingBatch } from './tasks.ts';
import { copyValues, type Stage, type StageTrainer, stageTrainer } from './train.ts';

/** Phases in order: which stage trains which weights. */
const ORDER = ['base', 'warmup', 'sparse', 'continued', 'unwarmed'] as const;
export type DsaPhase = (typeof ORDER)[number];

const TITLES: Record<DsaPhase, string> = {
  base: 'Dense base',
  warmup: 'Indexer warm-up',
  sparse: 'Sparse stage',
  continued: 'Dense control',
  unwarmed: 'Sparse stage without warm-up',
};
const STAGES: Record<DsaPhase, Stage> = {
  base: 'base',
  warmup: 'warmup',
  sparse: 'sparse',
  continued: 'continued',
  unwarmed: 'sparse',
};
type Model = 'sparse' | 'dense' | 'unwarmed';
const MODELS: Record<DsaPhase, Model> = {
  base: 'sparse',
  warmup: 'sparse',
  sparse: 'sparse',
  continued: 'dense',
  unwarmed: 'unwarmed',
};
const METRICS_EVERY = 20;
const TRAINING = 'dsa-training.safetensors';

/** Data of the sparse stage and of the control are the same; those of other stages are not. */
const dataSeed = (seed: number, stage: Stage): number =>
  seed * 8 + { base: 1, warmup: 2, sparse: 3, continued: 3 }[stage];

export class DsaSession implements Session {
  readonly phases: readonly Phase[];
  readonly config: DsaConfig;
  readonly stores: Record<Model, ParamStore>;
  /** Floating point operations of all training steps so far. */
  trainingFlops = 0;
  private readonly context: RunContext;
  private readonly gpu: Gpu;
  private index = 0;
  private current: StageTrainer | null = null;

  constructor(context: RunContext, config: DsaConfig) {
    checkConfig(config);
    this.context = context;
    this.gpu = context.gpu;
    this.config = config;
    const make = (): ParamStore => dsaStore(context.gpu, config, context.seed);
    this.stores = { sparse: make(), dense: make(), unwarmed: make() };
    this.phases = ORDER.filter((id) => id !== 'unwarmed' || config.ablation).map((id) => ({
      id,
      title: TITLES[id],
      steps: config[STAGES[id] === 'continued' ? 'sparse' : (STAGES[id] as 'base')].steps,
    }));
  }

  private get phase(): DsaPhase {
    return ORDER[Math.min(this.index, this.phases.length - 1)];
  }

  state(): RunState {
    const done = this.index >= this.phases.length;
    const steps = this.phases[this.phases.length - 1].steps;
    return { phase: this.phase, step: done ? steps : (this.current?.trainer.step ?? 0), done };
  }

  /** The path that the current stage takes through attention. */
  get path(): string {
    return this.trainer().path;
  }

  private trainer(): StageTrainer {
    const { phase } = this;
    this.current ??= stageTrainer(this.gpu, this.config, STAGES[phase], this.stores[MODELS[phase]], this.context.seed);
    return this.current;
  }

  async advance(budget: Budget): Promise<'more' | 'done'> {
    const until = performance.now() + (budget.ms ?? Number.POSITIVE_INFINITY);
    const limit = budget.steps ?? Number.POSITIVE_INFINITY;
    for (let n = 0; n < limit && !this.context.signal.aborted; n++) {
      if (this.state().done) return 'done';
      await this.step();
      if (performance.now() >= until) break;
    }
    return this.state().done ? 'done' : 'more';
  }

  private async step(): Promise<void> {
    const { phase } = this;
    const { trainer } = this.trainer();
    const seed = dataSeed(this.context.seed, STAGES[phase]);
    trainer.advance(trainingBatch(this.config, seed, trainer.step + 1));
    await trainer.settle();
    this.trainingFlops += trainer.program.stats.flops;
    const { step, spec } = trainer;
    if (step % METRICS_EVERY === 0 || step === 1 || step === spec.steps) {
      this.context.emit({ kind: 'metrics', phase, step, values: await trainer.metrics() });
    }
    if (step < spec.steps) return;
    // Both other arms start where the base ended.
    if (phase === 'base')
      for (const to of ['dense', 'unwarmed'] as const) copyValues(this.gpu, this.stores.sparse, this.stores[to]);
    trainer.dispose();
    this.current = null;
    this.index += 1;
  }

  async save(): Promise<Checkpoint> {
    const tensors = new Map();
    for (const [name, store] of Object.entries(this.stores)) {
      for (const [key, t] of await trainingTensors(store, `${name}/`)) tensors.set(key, t);
    }
    const about = {
      kind: 'dsa training',
      config: JSON.stringify(this.config),
      seed: String(this.context.seed),
      phase: String(this.index),
      step: String(this.current?.trainer.step ?? 0),
      flops: String(this.trainingFlops),
    };
    return { name: TRAINING, bytes: writeSafetensors(tensors, about) };
  }

  async load(checkpoint: Checkpoint): Promise<void> {
    const { config, seed } = runOf(checkpoint.bytes);
    if (JSON.stringify(config) !== JSON.stringify(this.config) || seed !== this.context.seed) {
      throw new CheckpointError('This checkpoint belongs to a run with another configuration or seed.');
    }
    const file = readSafetensors(checkpoint.bytes);
    this.current?.trainer.dispose();
    this.current = null;
    this.index = Number(file.metadata.phase);
    this.trainingFlops = Number(file.metadata.flops);
    // A new trainer forgets the moments: it comes first.
    const trainer = this.state().done ? null : this.trainer().trainer;
    for (const [name, store] of Object.entries(this.stores)) restoreTraining(store, file, `${name}/`);
    if (trainer) trainer.step = Number(file.metadata.step);
  }

  /** Sparse and dense-continued weights in half precision. */
  async export(title: string): Promise<Checkpoint> {
    if (!this.state().done) throw new Error('There is nothing to use before all stages are done.');
    const tensors = new Map();
    for (const name of this.models) {
      for (const [key, t] of await shippedTensors(this.stores[name], 'value')) tensors.set(`${name}/${key}`, t);
    }
    const about = { kind: 'dsa', title, config: JSON.stringify(this.config), seed: String(this.context.seed) };
    return { name: `dsa-${this.config.rung}.safetensors`, bytes: writeSafetensors(tensors, about) };
  }

  private get models(): readonly Model[] {
    return this.config.ablation ? ['sparse', 'dense', 'unwarmed'] : ['sparse', 'dense'];
  }

  async inspect(_: Query): Promise<View> {
    throw new Error('This method shows tokens, not pictures.');
  }

  dispose(): void {
    this.current?.trainer.dispose();
    for (const store of Object.values(this.stores)) store.dispose();
  }
}

/** Configuration and seed of a training checkpoint. */
export function runOf(bytes: Uint8Array<ArrayBuffer>): { config: DsaConfig; seed: number } {
  const { metadata } = readSafetensors(bytes);
  if (metadata.kind !== 'dsa training') {
    throw new CheckpointError(`This is a checkpoint of '${metadata.kind ?? 'something else'}', not of a run of dsa.`);
  }
  const config = JSON.parse(metadata.config) as DsaConfig;
  checkConfig(config);
  return { config, seed: Number(metadata.seed) };
}

export interface DsaModels {
  title: string;
  config: DsaConfig;
  sparse: ParamStore;
  dense: ParamStore;
  more: ArmOf[];
}

/** The weights of an exported checkpoint; throws CheckpointError if the file is something else. */
export function loadModels(gpu: Gpu, bytes: Uint8Array<ArrayBuffer>): DsaModels {
  const file = readSafetensors(bytes);
  if (file.metadata.kind !== 'dsa') {
    throw new CheckpointError(`This is a checkpoint of '${file.metadata.kind ?? 'something else'}', not of dsa.`);
  }
  const config = JSON.parse(file.metadata.config) as DsaConfig;
  checkConfig(config);
  const read = (name: Model): ParamStore => {
    const store = dsaStore(gpu, config, 0, false);
    const tensors = new Map(
      [...file.tensors]
        .filter(([key]) => key.startsWith(`${name}/`))
        .map(([key, t]) => [key.slice(name.length + 1), t]),
    );
    restoreShipped(store, { ...file, tensors });
    return store;
  };
  const more: ArmOf[] = config.ablation
    ? [{ name: 'DSA without warm-up', store: read('unwarmed'), chooser: 'indexer' }]
    : [];
  return { title: file.metadata.title ?? '', config, sparse: read('sparse'), dense: read('dense'), more };
}
