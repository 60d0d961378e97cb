/**
 * A run as the page and the command line drive it: dense base, warm-up of the indexer, sparse stage, and the dense control
 * from the same base on the same data. Every stage is one phase.
 */
import { readSafetensors, writeSafetensors } from '../../data/safetensors.ts';
import type { Gpu } from '../../gpu/device.ts';
import type { ParamStore } from '../../nn/params.ts';
import {
  CheckpointError,
  checkPrecision,
  precisionOf,
  restoreShipped,
  restoreTraining,
  shippedTensors,
  trainingTensors,
} from '../../train/checkpoint.ts';
import { advanceSteps } from '../advance.ts';
import type { Budget, Checkpoint, Phase, Query, RunContext, RunState, Session, View } from '../contract.ts';
import { checkConfig, type DsaConfig, restoredConfig, shortRows } from './config.ts';
import type { ArmOf, ResultTable } from './eval.ts';
import { dsaStore, INDEX } from './model.ts';
import { checkCorpus } from './tasks/text.ts';
import { type Corpus, trainingBatch } from './tasks.ts';
import { copyValues, type Stage, type StageTrainer, specOf, stageTrainer } from './train.ts';

/** Which stage trains which weights. */
interface Step {
  id: string;
  title: string;
  stage: Stage;
  model: string;
}

const HEADS = [1, 2, 4];
const SHORT: Step = { id: 'short', title: 'Dense base, short rows', stage: 'short', model: 'sparse' };

/** Phases in order: short rows if the base begins with them, the three of the model, its control; the others are ablations. */
function phasesOf(c: DsaConfig): Step[] {
  const steps: Step[] = c.short.steps > 0 ? [SHORT] : [];
  steps.push(
    { id: 'base', title: 'Dense base', stage: 'base', model: 'sparse' },
    { id: 'warmup', title: 'Indexer warm-up', stage: 'warmup', model: 'sparse' },
    { id: 'sparse', title: 'Sparse stage', stage: 'sparse', model: 'sparse' },
    { id: 'continued', title: 'Dense control', stage: 'continued', model: 'dense' },
  );
  if (c.ablation) {
    steps.push({ id: 'unwarmed', title: 'Sparse stage without warm-up', stage: 'sparse', model: 'unwarmed' });
  }
  for (const heads of sweptHeads(c)) {
    const title = `${heads} ${heads === 1 ? 'indexer head' : 'indexer heads'}`;
    steps.push(
      { id: `warmup-${heads}`, title: `Warm-up, ${title}`, stage: 'warmup', model: `heads-${heads}` },
      { id: `sparse-${heads}`, title: `Sparse stage, ${title}`, stage: 'sparse', model: `heads-${heads}` },
    );
  }
  return steps;
}

const sweptHeads = (c: DsaConfig): number[] => (c.headSweep ? HEADS.filter((n) => n !== c.indexHeads) : []);

/** Models of a run by name and configuration; the first two always exist. */
function modelsOf(c: DsaConfig): Map<string, DsaConfig> {
  const models = new Map([
    ['sparse', c],
    ['dense', c],
  ]);
  if (c.ablation) for (const name of ['unwarmed', 'frozen']) models.set(name, c);
  for (const heads of sweptHeads(c)) models.set(`heads-${heads}`, { ...c, indexHeads: heads });
  return models;
}

/** The further arms that a run has weights for. */
export function armsOf(c: DsaConfig, stores: Readonly<Record<string, ParamStore>>): ArmOf[] {
  const arms: ArmOf[] = [];
  if (c.ablation) {
    arms.push({ name: 'DSA without warm-up', store: stores.unwarmed, chooser: 'indexer' });
    arms.push({ name: 'DSA, frozen base (warm-up only)', store: stores.frozen, chooser: 'indexer' });
  }
  for (const heads of sweptHeads(c)) {
    const name = `DSA, H_I = ${heads}`;
    arms.push({ name, store: stores[`heads-${heads}`], chooser: 'indexer', change: { indexHeads: heads } });
  }
  return arms;
}

const METRICS_EVERY = 20;
const TRAINING = 'dsa-training.safetensors';

/** Data of the sparse stage and of the control are the same; those of other stages are not. */
const dataSeed = (seed: number, stage: Stage): number =>
  seed * 8 + { short: 4, base: 1, warmup: 2, sparse: 3, continued: 3 }[stage];

export class DsaSession implements Session {
  readonly phases: readonly Phase[];
  readonly config: DsaConfig;
  readonly stores: Record<string, ParamStore> & Record<'sparse' | 'dense', ParamStore>;
  /** SHA-256 of the main weights that every model went on from when the base ended, by model: of one run all are equal. */
  bases: Readonly<Record<string, string>> = {};
  /** Floating point operations of all training steps so far. */
  trainingFlops = 0;
  private readonly context: RunContext;
  private readonly gpu: Gpu;
  private readonly corpus: Corpus | undefined;
  private readonly steps: readonly Step[];
  private readonly models: ReadonlyMap<string, DsaConfig>;
  private index = 0;
  private current: StageTrainer | null = null;
  /** When the first step of the stage was done. */
  private began = 0;

  /** `corpus`: the file that `config.corpus` names, if it names one. */
  constructor(context: RunContext, config: DsaConfig, corpus?: Corpus) {
    checkConfig(config);
    if (corpus) checkCorpus(corpus, config.time);
    this.context = context;
    this.gpu = context.gpu;
    this.config = config;
    this.corpus = corpus;
    this.steps = phasesOf(config);
    this.models = modelsOf(config);
    const stores = [...this.models].map(([name, c]) => [name, dsaStore(context.gpu, c, context.seed)]);
    this.stores = Object.fromEntries(stores);
    this.phases = this.steps.map(({ id, title, stage }) => ({
      id,
      title,
      steps: specOf(config, stage).steps,
    }));
  }

  private get phase(): Step {
    return this.steps[Math.min(this.index, this.steps.length - 1)];
  }

  state(): RunState {
    const done = this.index >= this.phases.length;
    const steps = this.phases[this.phases.length - 1].steps;
    return { phase: this.phase.id, step: done ? steps : (this.current?.trainer.step ?? 0), done };
  }

  private trainer(): StageTrainer {
    const { stage, model } = this.phase;
    const config = stage === 'short' ? shortRows(this.config) : (this.models.get(model) ?? this.config);
    this.current ??= stageTrainer(this.gpu, config, stage, this.stores[model], this.context.seed);
    return this.current;
  }

  advance(budget: Budget): Promise<'more' | 'done'> {
    return advanceSteps(
      budget,
      this.context,
      () => this.state(),
      () => this.step(),
    );
  }

  private async step(): Promise<void> {
    const { id, stage } = this.phase;
    const { trainer, path } = this.trainer();
    if (trainer.step === 0) this.context.emit({ kind: 'log', text: `${id}: every layer attends by ${path}` });
    const seed = dataSeed(this.context.seed, stage);
    // The curriculum belongs to the first stage.
    const progress = id === this.phases[0].id ? trainer.step / trainer.spec.steps : 1;
    const config = stage === 'short' ? shortRows(this.config) : this.config;
    trainer.advance(trainingBatch(config, seed, trainer.step + 1, progress, this.corpus));
    await trainer.throttle();
    this.trainingFlops += trainer.program.stats.flops;
    const { step, spec } = trainer;
    // The first step compiles.
    if (step === 1) this.began = performance.now();
    if (step % METRICS_EVERY === 0 || step === 1 || step === spec.steps) {
      this.context.emit({ kind: 'metrics', phase: id, step, values: await trainer.metrics() });
    }
    if (step < spec.steps) return;
    const each = (performance.now() - this.began) / Math.max(1, step - 1);
    const gflop = (trainer.program.stats.flops / 1e9).toPrecision(3);
    this.context.emit({ kind: 'log', text: `${id}: ${step} steps, ${each.toPrecision(3)} ms and ${gflop} GFLOP each` });
    const { sparse, frozen } = this.stores;
    if (id === 'base') await this.spread();
    if (id === 'warmup' && frozen) copyValues(this.gpu, sparse, frozen);
    trainer.dispose();
    this.current = null;
    this.index += 1;
  }

  /** All other models start where the base ended; indexers of another size keep their own start. */
  private async spread(): Promise<void> {
    const { sparse, ...others } = this.stores;
    const values = await sparse.read('value');
    for (const store of Object.values(others)) {
      if (store.byteLength === sparse.byteLength) copyValues(this.gpu, sparse, store);
      else for (const [name, v] of values) if (!name.includes(INDEX)) store.write('value', name, v);
    }
    // Read back from every model: what the copies should be is not evidence of what they are.
    const all = Object.entries(this.stores);
    this.bases = Object.fromEntries(await Promise.all(all.map(async ([name, s]) => [name, await mainHash(s)])));
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
      bases: JSON.stringify(this.bases),
      ...precisionOf(this.gpu.conditions),
      ...(this.corpus && { corpus: hashOf(this.corpus.bytes) }),
    };
    return { name: TRAINING, bytes: writeSafetensors(tensors, about) };
  }

  async load(checkpoint: Checkpoint): Promise<void> {
    const { config, seed } = runOf(checkpoint.bytes);
    if (JSON.stringify(config) !== JSON.stringify(this.config) || seed !== this.context.seed) {
      throw new CheckpointError('This checkpoint belongs to a run with another configuration or seed.');
    }
    const file = readSafetensors(checkpoint.bytes);
    checkPrecision(file.metadata, this.gpu.conditions);
    if (this.corpus && file.metadata.corpus !== hashOf(this.corpus.bytes)) {
      throw new CheckpointError(`The file ${this.corpus.name} has changed since this run began.`);
    }
    this.current?.trainer.dispose();
    this.current = null;
    this.index = Number(file.metadata.phase);
    this.trainingFlops = Number(file.metadata.flops);
    this.bases = basesOf(file.metadata);
    // A new trainer forgets the moments: it comes first.
    const trainer = this.state().done ? null : this.trainer().trainer;
    for (const [name, store] of Object.entries(this.stores)) restoreTraining(store, file, `${name}/`);
    if (!trainer) return;
    trainer.step = Number(file.metadata.step);
    // Saved between two stages: the moments in the file are those of the stage before.
    if (trainer.step === 0) trainer.store.clearMoments();
  }

  /** Sparse and dense-continued weights in half precision. */
  async export(title: string): Promise<Checkpoint> {
    if (!this.state().done) throw new Error('There is nothing to use before all stages are done.');
    const tensors = new Map();
    for (const name of this.models.keys()) {
      for (const [key, t] of await shippedTensors(this.stores[name], 'value')) tensors.set(`${name}/${key}`, t);
    }
    const about = {
      kind: 'dsa',
      title,
      config: JSON.stringify(this.config),
      seed: String(this.context.seed),
      bases: JSON.stringify(this.bases),
    };
    return { name: `dsa-${this.config.rung}.safetensors`, bytes: writeSafetensors(tensors, about) };
  }

  async inspect(_: Query): Promise<View> {
    throw new Error('This method shows tokens, not pictures.');
  }

  dispose(): void {
    this.current?.trainer.dispose();
    for (const store of Object.values(this.stores)) store.dispose();
  }
}

/** SHA-256 of all weights but the indexer's, in the order of the store; hexadecimal. */
async function mainHash(store: ParamStore): Promise<string> {
  const main = [...(await store.read('value'))].filter(([name]) => !name.includes(INDEX));
  const bytes = await new Blob(main.map(([, values]) => values)).arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, (b) => b.toString(16).padStart(2, '0')).join('');
}

/** What a file says about the starts of its models; files from before this was kept say nothing. */
const basesOf = (metadata: Readonly<Record<string, string>>): Record<string, string> =>
  JSON.parse(metadata.bases ?? '{}');

/** The starts of the models of a run, as a table of its record; none where nothing is known. */
export function basesTable(bases: Readonly<Record<string, string>>): ResultTable[] {
  const rows = Object.entries(bases);
  return rows.length > 0 ? [{ name: 'bases', columns: ['model', 'SHA-256 of the base it starts from'], rows }] : [];
}

/** FNV-1a of a file, for "is it still the same". */
function hashOf(bytes: Uint8Array): string {
  let h = 2166136261;
  for (const b of bytes) h = Math.imul(h ^ b, 16777619);
  return (h >>> 0).toString(16);
}

/** Configuration and seed of a training checkpoint. */
export function runOf(bytes: Uint8Array<ArrayBuffer>): { config: DsaConfig; seed: number } {
  const { metadata } = readSafetensors(bytes);
  if (metadata.kind !== 'dsa training') {
    throw new CheckpointError(`This is a checkpoint of '${metadata.kind ?? 'something else'}', not of a run of dsa.`);
  }
  const config = restoredConfig(metadata.config);
  return { config, seed: Number(metadata.seed) };
}

export interface DsaModels {
  title: string;
  config: DsaConfig;
  sparse: ParamStore;
  dense: ParamStore;
  more: ArmOf[];
  /** As of DsaSession; empty for files from before it was kept. */
  bases: Readonly<Record<string, string>>;
}

/** The weights of an exported checkpoint; throws CheckpointError if the file is something else. */
export function loadModels(gpu: Gpu, bytes: Uint8Array<ArrayBuffer>): DsaModels {
  const file = readSafetensors(bytes);
  if (file.metadata.kind !== 'dsa') {
    throw new CheckpointError(`This is a checkpoint of '${file.metadata.kind ?? 'something else'}', not of dsa.`);
  }
  const config = restoredConfig(file.metadata.config);
  const read = (name: string, c: DsaConfig): ParamStore => {
    const store = dsaStore(gpu, c, 0, false);
    const tensors = new Map(
      [...file.tensors]
        .filter(([key]) => key.startsWith(`${name}/`))
        .map(([key, t]) => [key.slice(name.length + 1), t]),
    );
    restoreShipped(store, { ...file, tensors });
    return store;
  };
  // Files from before an arm existed lack its weights.
  const held = new Set([...file.tensors.keys()].map((key) => key.slice(0, key.indexOf('/'))));
  for (const name of ['sparse', 'dense']) {
    if (!held.has(name)) throw new CheckpointError(`This checkpoint has no weights of the ${name} model.`);
  }
  const stores = [...modelsOf(config)].filter(([name]) => held.has(name)).map(([name, c]) => [name, read(name, c)]);
  const all: Record<string, ParamStore> = Object.fromEntries(stores);
  const more = armsOf(config, all).filter(({ store }) => store !== undefined);
  const bases = basesOf(file.metadata);
  return { title: file.metadata.title ?? '', config, sparse: all.sparse, dense: all.dense, more, bases };
}
