/**
 * A run as the page and the command line drive it: the small LLaDA, the oracle's records, the filter. Every phase can be
 * stopped and goes on with the same bits. Measuring the result is eval.ts.
 */
import { readSafetensors, type TensorToWrite, writeSafetensors } from '../../data/safetensors.ts';
import type { ClosedTokenizer } from '../../lm/tokenizers/closed.ts';
import {
  CheckpointError,
  checkPrecision,
  precisionOf,
  restoreTraining,
  trainingTensors,
} from '../../train/checkpoint.ts';
import { advanceSteps } from '../advance.ts';
import type { Budget, Checkpoint, Phase, Query, RunContext, RunState, Session, View } from '../contract.ts';
import { type FrozenBase, frozenBase, type Learn2pdModel, writeCheckpoint } from './checkpoint.ts';
import { collectRecords, promptNumbers } from './collect.ts';
import { changesOf, checkConfig, type Learn2pdConfig, recordCanvas } from './config.ts';
import { type DiffusionDecoder, decoderOf } from './decoder.ts';
import { newFilter } from './filter.ts';
import { reportFilter } from './filter-report.ts';
import { FilterTrainer } from './filter-trainer.ts';
import { FILTER_TRAINING, type FilterRecord, splitRecords } from './filter-training.ts';
import { LladaTraining } from './llada.ts';
import { parseTasks, problemsOf, type Task, tokenizerOf } from './problems.ts';
import { readFilterState, readRecords, writeFilterState, writeRecords } from './session-tensors.ts';

const PHASES = ['model', 'records', 'filter'] as const;
export type Learn2pdPhase = (typeof PHASES)[number];
const TITLES: Record<Learn2pdPhase, string> = { model: 'Small LLaDA', records: 'Oracle records', filter: 'Filter' };
/** A read waits for the GPU, which costs a real one more than a step. */
const METRICS_EVERY: Record<Learn2pdPhase, number> = { model: 20, records: 1, filter: 100 };
const FAST_METRICS_EVERY: typeof METRICS_EVERY = { model: 100, records: 1, filter: 500 };
const KIND = 'learn2pd training';
export const TRAINING_FILE = 'learn2pd-training.safetensors';
/** Prompts of one step of the collection: sequences of its decoder. */
const TOGETHER = 64;
/** Salt of the prompts that are collected; training steps use their own number. */
const COLLECTED = 0x7fffffff;

export class Learn2pdSession implements Session {
  readonly phases: readonly Phase[];
  readonly config: Learn2pdConfig;
  readonly tasks: Task[];
  readonly tokenizer: ClosedTokenizer;
  readonly llada: LladaTraining;
  records: FilterRecord[] = [];
  /** What was changed when the run was resumed. */
  private changes: string[] = [];
  private readonly context: RunContext;
  private index = 0;
  /** Finished steps of the collection, and its prompts once they are needed. */
  private rounds = 0;
  private drawn: { ids: number[][]; numbers: number[] } | null = null;
  private frozen: FrozenBase | null = null;
  private decoder: DiffusionDecoder | null = null;
  private filter: FilterTrainer | null = null;

  constructor(context: RunContext, config: Learn2pdConfig) {
    this.config = checkConfig(config);
    this.context = context;
    this.tasks = parseTasks(config.tasks);
    this.tokenizer = tokenizerOf(this.tasks);
    this.llada = new LladaTraining(context.gpu, config, this.tasks, this.tokenizer, context.seed);
    const steps = { model: config.steps, records: Math.ceil(config.prompts / TOGETHER), filter: config.filterSteps };
    this.phases = PHASES.map((id) => ({ id, title: TITLES[id], steps: steps[id] }));
  }

  private get phase(): Learn2pdPhase {
    return PHASES[Math.min(this.index, PHASES.length - 1)];
  }

  state(): RunState {
    const step = { model: this.llada.step, records: this.rounds, filter: this.filter?.step ?? 0 }[this.phase];
    return { phase: this.phase, step, done: this.index >= PHASES.length };
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
    const { phase } = this;
    const { steps } = this.phases[this.index];
    const values = await { model: this.train, records: this.collect, filter: this.fit }[phase].call(this);
    const { step } = this.state();
    const every = (this.context.gpu.conditions.software ? METRICS_EVERY : FAST_METRICS_EVERY)[phase];
    if (step % every === 0 || step === 1 || step === steps) {
      this.context.emit({ kind: 'metrics', phase, step, values: await values() });
    }
    if (step < steps) return;
    this.decoder?.model.dispose();
    this.decoder?.dispose();
    this.decoder = null;
    this.index += 1;
  }

  private async train(): Promise<() => Promise<Record<string, number>>> {
    await this.llada.advance();
    return () => this.llada.metrics();
  }

  /** The weights whose confidences the filter learns: those that ship. */
  private async base(): Promise<FrozenBase> {
    this.frozen ??= await frozenBase(this.context.gpu, this.config, this.tokenizer.vocab, this.llada.store);
    return this.frozen;
  }

  /** All prompts of the collection, and what they are called in the records. */
  private prompts(): { ids: number[][]; numbers: number[] } {
    const { config: c, context, tasks, tokenizer } = this;
    if (!this.drawn) {
      const draws = { split: 'train', seed: context.seed, salt: COLLECTED } as const;
      const ids = problemsOf(tasks, tokenizer, c, draws, c.prompts).map((p) => tokenizer.encode(p.prompt));
      this.drawn = { ids, numbers: promptNumbers(ids) };
    }
    return this.drawn;
  }

  private async collect(): Promise<() => Promise<Record<string, number>>> {
    const { config: c, context, tokenizer } = this;
    const { store } = await this.base();
    const canvas = recordCanvas(c);
    this.decoder ??= decoderOf(context.gpu, { config: c, tokenizer, store }, { sequences: TOGETHER, canvas });
    const { ids, numbers } = this.prompts();
    const from = this.rounds * TOGETHER;
    const to = from + TOGETHER;
    const some = ids.slice(from, to);
    const { records, oraclePasses } = await collectRecords(this.decoder, some, numbers.slice(from, to), canvas);
    this.records.push(...records);
    this.rounds += 1;
    const passes = oraclePasses.reduce((a, b) => a + b, 0) / oraclePasses.length;
    return async () => ({ records: this.records.length, oraclePasses: passes });
  }

  private trainer(): FilterTrainer {
    const { config: c, context } = this;
    const { train, validation } = splitRecords(this.records);
    const settings = { ...FILTER_TRAINING, steps: c.filterSteps, seed: context.seed };
    const start = newFilter(c.block, c.depth, context.seed);
    this.filter ??= new FilterTrainer(context.gpu, start, train, settings, validation);
    return this.filter;
  }

  private async fit(): Promise<() => Promise<Record<string, number>>> {
    const trainer = this.trainer();
    await trainer.advance();
    return async () => ({
      loss: await trainer.loss(),
      ...(trainer.best ? { validation: trainer.best.loss } : {}),
    });
  }

  get trainingFlops(): number {
    return this.llada.flops;
  }

  async save(): Promise<Checkpoint> {
    const tensors: Map<string, TensorToWrite> = await trainingTensors(this.llada.store);
    writeRecords(tensors, this.records);
    if (this.filter) await writeFilterState(tensors, this.filter);
    const about = {
      kind: KIND,
      config: JSON.stringify(this.config),
      seed: String(this.context.seed),
      phase: String(this.index),
      step: String(this.llada.step),
      rounds: String(this.rounds),
      filterStep: String(this.filter?.step ?? 0),
      flops: String(this.llada.flops),
      changes: JSON.stringify(this.changes),
      ...precisionOf(this.context.gpu.conditions),
    };
    return { name: TRAINING_FILE, bytes: writeSafetensors(tensors, about) };
  }

  async load(checkpoint: Checkpoint): Promise<void> {
    const { config, seed } = runOf(checkpoint.bytes);
    const changes = changesOf(config, this.config);
    if (!changes || seed !== this.context.seed) {
      throw new CheckpointError('This checkpoint belongs to a run with another configuration or seed.');
    }
    const file = readSafetensors(checkpoint.bytes);
    const { metadata } = file;
    checkPrecision(metadata, this.context.gpu.conditions);
    const phase = Number(metadata.phase);
    if (config.steps !== this.config.steps && phase > PHASES.indexOf('model')) {
      throw new CheckpointError('The model of this run is trained: its steps cannot be changed any more.');
    }
    const complete = phase === PHASES.length;
    const rounds = Number(metadata.rounds);
    const collected = phase > PHASES.indexOf('records') || rounds >= this.phases[PHASES.indexOf('records')].steps;
    if (config.prompts !== this.config.prompts && collected && !complete) {
      throw new CheckpointError(
        'The records of this run are collected: its prompts can be changed once it is complete.',
      );
    }
    // A complete run asked for more or fewer prompts collects its records anew; asked for more filter steps, it goes on there.
    const anew = complete && config.prompts !== this.config.prompts;
    const records = anew ? [] : readRecords(file, config.block);
    const filterStep = anew ? 0 : Number(metadata.filterStep);
    restoreTraining(this.llada.store, file);
    const longer = complete && filterStep < this.config.filterSteps;
    this.index = anew ? PHASES.indexOf('records') : longer ? PHASES.indexOf('filter') : phase;
    const before: string[] = JSON.parse(metadata.changes ?? '[]');
    this.changes = [...before, ...changes.map((text) => `${text} at step ${metadata.step}`)];
    this.llada.step = Number(metadata.step);
    this.llada.flops = Number(metadata.flops);
    this.rounds = anew ? 0 : rounds;
    // Older checkpoints number equal prompts apart; a number that is the first of its prompt stays.
    this.records = records.map((r) => ({ ...r, prompt: this.prompts().numbers[r.prompt] }));
    this.frozen?.store.dispose();
    this.frozen = null;
    this.filter?.dispose();
    this.filter = null;
    if (filterStep > 0) readFilterState(file, this.trainer(), filterStep);
  }

  /** The result as a model that decodes; its store is this session's. */
  async result(title: string): Promise<Learn2pdModel> {
    const { config, tasks, tokenizer, context, filter } = this;
    if (!this.state().done || !filter) throw new Error('There is nothing to use before the filter is trained.');
    const { store, base } = await this.base();
    const weights = await filter.result();
    const { test } = splitRecords(this.records);
    const { bceMasked, bceConstant, auroc } = reportFilter(weights, test);
    const about = {
      base,
      canvas: recordCanvas(config),
      prompts: config.prompts,
      records: this.records.length,
      steps: config.filterSteps,
      bceMasked,
      bceConstant,
      auroc,
    };
    const { changes } = this;
    return { title, config, seed: context.seed, changes, tasks, tokenizer, store, filter: weights, about };
  }

  async export(title: string): Promise<Checkpoint> {
    return writeCheckpoint(await this.result(title));
  }

  async inspect(_: Query): Promise<View> {
    throw new Error('This method shows tokens, not pictures.');
  }

  dispose(): void {
    this.decoder?.model.dispose();
    this.decoder?.dispose();
    this.filter?.dispose();
    this.frozen?.store.dispose();
    this.llada.dispose();
    this.llada.store.dispose();
  }
}

/** Configuration and seed of a training checkpoint. */
export function runOf(bytes: Uint8Array<ArrayBuffer>): { config: Learn2pdConfig; seed: number } {
  const { metadata } = readSafetensors(bytes);
  if (metadata.kind !== KIND) {
    throw new CheckpointError(
      `This is a checkpoint of '${metadata.kind ?? 'something else'}', not of a run of learn2pd.`,
    );
  }
  return { config: checkConfig(JSON.parse(metadata.config)), seed: Number(metadata.seed) };
}
