/**
 * A run as the command line drives it: stage 1 (V-Pixel teacher), stage 2 (SALT student on the frozen teacher), the moving-average
 * baseline with as much compute as both, and controls: a student on a teacher that nothing has trained, and two without a moving
 * average. Every stage is one phase with weights of its own.
 */
import { readSafetensors, type SafetensorsFile, type TensorToWrite, writeSafetensors } from '../../data/safetensors.ts';
import type { Gpu } from '../../gpu/device.ts';
import { Scope } from '../../nn/layers.ts';
import { ParamStore, type Slab } from '../../nn/params.ts';
import { Graph } from '../../tensor/graph.ts';
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
import { checkConfig, gridOf, type Network, patchWidth, type SaltConfig, tokensOf } from './config.ts';
import type { Encoder, Encoders, ResultTable } from './eval.ts';
import { encode } from './model.ts';
import { maskNames, matchedSteps, type Stage, StageTrainer, sizesOf, traceLoss } from './trainer.ts';

export type SaltPhase = 'teacher' | 'student' | 'average' | 'untrained' | 'self' | 'open';

/** Phases that a run may leave out. */
const CONTROLS = ['untrained', 'self', 'open'] as const satisfies readonly SaltPhase[];

const METRICS_EVERY = 20;
const KIND = 'salt training';
export const TRAINING_FILE = 'salt-training.safetensors';

/** Seed of the untrained teacher beside that of the run. */
const UNTRAINED = 0x756e7472;

/** Declares the parameters of an encoder in a store that has none. */
function declareEncoder(gpu: Gpu, c: SaltConfig, network: Network, store: ParamStore): void {
  const graph = new Graph(gpu.conditions);
  const tokens = tokensOf(gridOf(c));
  const patches = graph.input('patches', [tokens, patchWidth(c)]);
  encode(new Scope(graph, store), network, gridOf(c), patches, { batch: 1, count: tokens, rows: null });
}

/** Stages in order, by their phase. Stage 2 reads its frozen weights in the stores of the teachers. */
function stagesOf(gpu: Gpu, c: SaltConfig, teacher: ParamStore, untrained: ParamStore): [SaltPhase, Stage][] {
  const rest = { network: c.student, masks: maskNames(c, 'mask') };
  const stages = {
    teacher: {
      title: 'V-Pixel teacher',
      objective: { kind: 'pixels' },
      network: c.teacher,
      masks: maskNames(c, 'teacherMask'),
      steps: c.steps.teacher,
    },
    student: {
      title: 'SALT student',
      objective: { kind: 'frozen', teacher, network: c.teacher },
      ...rest,
      steps: c.steps.student,
    },
    average: { title: 'V-JEPA baseline', objective: { kind: 'average' }, ...rest, steps: 0 },
  } satisfies Record<string, Stage>;
  stages.average.steps = matchedSteps(gpu, c, stages);
  const control = (title: string, stopGradient: boolean): Stage => ({
    title,
    objective: { kind: 'self', stopGradient },
    ...rest,
    steps: c.steps.control,
  });
  const list: [SaltPhase, Stage][] = [
    ['teacher', stages.teacher],
    ['student', stages.student],
    ['average', stages.average],
    [
      'untrained',
      {
        title: 'SALT student, untrained teacher',
        objective: { kind: 'frozen', teacher: untrained, network: c.teacher },
        ...rest,
        steps: c.steps.untrained,
      },
    ],
    ['self', control('no average', true)],
    ['open', control('no average, no stop-gradient', false)],
  ];
  return list.filter(([, stage]) => stage.steps > 0);
}

/** What encoders are called in tables, and which weights of a stage count: V-JEPA is judged by its moving average. */
const ENCODERS: Record<SaltPhase, { name: string; slab: Slab }> = {
  teacher: { name: 'V-Pixel teacher', slab: 'value' },
  student: { name: 'SALT', slab: 'value' },
  average: { name: 'V-JEPA (EMA)', slab: 'average' },
  untrained: { name: 'SALT, untrained teacher', slab: 'value' },
  self: { name: 'no EMA', slab: 'value' },
  open: { name: 'no EMA, no stop-gradient', slab: 'value' },
};

const networkOf = (c: SaltConfig, phase: SaltPhase): Network => (phase === 'teacher' ? c.teacher : c.student);

function encodersOf(c: SaltConfig, stores: ReadonlyMap<SaltPhase, ParamStore>, slab?: Slab): Encoders {
  const of = (phase: SaltPhase): Encoder => ({
    ...ENCODERS[phase],
    ...(slab && { slab }),
    store: stores.get(phase) as ParamStore,
    network: networkOf(c, phase),
  });
  const controls = CONTROLS.filter((phase) => stores.has(phase));
  return { teacher: of('teacher'), student: of('student'), average: of('average'), controls: controls.map(of) };
}

export class SaltSession implements Session {
  readonly phases: readonly Phase[];
  readonly config: SaltConfig;
  /** Floating point operations of every stage so far. */
  readonly flops: Partial<Record<SaltPhase, number>> = {};
  private readonly context: RunContext;
  private readonly stages: readonly [SaltPhase, Stage][];
  private readonly stores: ReadonlyMap<SaltPhase, ParamStore>;
  private readonly untrained = new ParamStore();
  private index = 0;
  private current: StageTrainer | null = null;

  constructor(context: RunContext, config: SaltConfig) {
    const c = checkConfig(config);
    this.config = c;
    this.context = context;
    const teacher = new ParamStore();
    declareEncoder(context.gpu, c, c.teacher, this.untrained);
    this.untrained.allocate(context.gpu, context.seed ^ UNTRAINED, false);
    this.stages = stagesOf(context.gpu, c, teacher, this.untrained);
    this.phases = this.stages.map(([id, { title, steps }]) => ({ id, title, steps }));
    this.stores = new Map(
      this.stages.map(([phase, stage]) => {
        const store = phase === 'teacher' ? teacher : new ParamStore();
        traceLoss(new Scope(new Graph(context.gpu.conditions), store), c, stage, sizesOf(c, stage));
        store.allocate(context.gpu, context.seed);
        return [phase, store];
      }),
    );
  }

  private get stage(): [SaltPhase, Stage] {
    return this.stages[Math.min(this.index, this.stages.length - 1)];
  }

  state(): RunState {
    const done = this.index >= this.stages.length;
    const [phase, { steps }] = this.stage;
    return { phase, step: done ? steps : (this.current?.step ?? 0), done };
  }

  private trainer(): StageTrainer {
    const [phase, stage] = this.stage;
    const { gpu, seed } = this.context;
    this.current ??= new StageTrainer(gpu, this.config, stage, this.stores.get(phase) as ParamStore, seed);
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
    const trainer = this.trainer();
    const [phase, { steps }] = this.stage;
    await trainer.advance();
    this.flops[phase] = (this.flops[phase] ?? 0) + trainer.program.stats.flops;
    const { step } = trainer;
    if (step % METRICS_EVERY === 0 || step === 1 || step === steps) {
      this.context.emit({ kind: 'metrics', phase, step, values: await trainer.metrics() });
    }
    if (step < steps) return;
    trainer.dispose();
    this.current = null;
    this.index += 1;
  }

  get trainingFlops(): number {
    return Object.values(this.flops).reduce((a, b) => a + b, 0);
  }

  /** Parameters, steps and work of every stage. */
  stagesTable(): ResultTable {
    const rows = this.stages.map(([phase, { title, steps }]) => {
      const store = this.stores.get(phase) as ParamStore;
      return [title, store.count, steps, (this.flops[phase] ?? 0) / 1e9];
    });
    return { name: 'stages', columns: ['stage', 'parameters with predictor', 'steps', 'GFLOP'], rows };
  }

  encoders(): Encoders {
    return encodersOf(this.config, this.stores);
  }

  async save(): Promise<Checkpoint> {
    const tensors = new Map<string, TensorToWrite>();
    for (const [phase, store] of this.stores) {
      for (const [key, t] of await trainingTensors(store, `${phase}/`)) tensors.set(key, t);
    }
    const about = {
      kind: KIND,
      config: JSON.stringify(this.config),
      seed: String(this.context.seed),
      phase: String(this.index),
      step: String(this.current?.step ?? 0),
      flops: JSON.stringify(this.flops),
      ...precisionOf(this.context.gpu.conditions),
    };
    return { name: TRAINING_FILE, bytes: writeSafetensors(tensors, about) };
  }

  async load(checkpoint: Checkpoint): Promise<void> {
    const { config, seed } = runOf(checkpoint.bytes);
    if (JSON.stringify(config) !== JSON.stringify(this.config) || seed !== this.context.seed) {
      throw new CheckpointError('This checkpoint belongs to a run with another configuration or seed.');
    }
    const file = readSafetensors(checkpoint.bytes);
    checkPrecision(file.metadata, this.context.gpu.conditions);
    for (const [phase, store] of this.stores) restoreTraining(store, file, `${phase}/`);
    this.current?.dispose();
    this.current = null;
    this.index = Number(file.metadata.phase);
    Object.assign(this.flops, JSON.parse(file.metadata.flops));
    const step = Number(file.metadata.step);
    if (step > 0) this.trainer().step = step;
  }

  /** The encoders of all stages, in half precision. */
  async export(title: string): Promise<Checkpoint> {
    if (!this.state().done) throw new Error('There is nothing to use before all stages are done.');
    const tensors = new Map<string, TensorToWrite>();
    for (const [phase, store] of this.stores) {
      for (const [key, t] of await shippedTensors(store, ENCODERS[phase].slab)) {
        if (key.startsWith('enc.')) tensors.set(`${phase}/${key}`, t);
      }
    }
    const about = { kind: 'salt', title, config: JSON.stringify(this.config), seed: String(this.context.seed) };
    return { name: `salt-${this.config.rung}.safetensors`, bytes: writeSafetensors(tensors, about) };
  }

  async inspect(_: Query): Promise<View> {
    throw new Error('This method has no pictures yet.');
  }

  dispose(): void {
    this.current?.dispose();
    this.untrained.dispose();
    for (const store of this.stores.values()) store.dispose();
  }
}

/** Configuration and seed of a training checkpoint. */
export function runOf(bytes: Uint8Array<ArrayBuffer>): { config: SaltConfig; seed: number } {
  const { metadata } = readSafetensors(bytes);
  if (metadata.kind !== KIND) {
    throw new CheckpointError(`This is a checkpoint of '${metadata.kind ?? 'something else'}', not of a run of salt.`);
  }
  return { config: checkConfig(JSON.parse(metadata.config)), seed: Number(metadata.seed) };
}

export interface SaltModels {
  config: SaltConfig;
  encoders: Encoders;
  dispose(): void;
}

/** The encoders of an exported checkpoint; throws CheckpointError if the file is something else. */
export function loadEncoders(gpu: Gpu, bytes: Uint8Array<ArrayBuffer>): SaltModels {
  const file = readSafetensors(bytes);
  if (file.metadata.kind !== 'salt') {
    throw new CheckpointError(`This is a checkpoint of '${file.metadata.kind ?? 'something else'}', not of salt.`);
  }
  const c = checkConfig(JSON.parse(file.metadata.config));
  const stores = new Map<SaltPhase, ParamStore>();
  for (const phase of Object.keys(ENCODERS) as SaltPhase[]) {
    const own = tensorsOf(file, `${phase}/`);
    // A run may have left its controls out.
    if (own.tensors.size === 0 && CONTROLS.some((id) => id === phase)) continue;
    const store = new ParamStore();
    declareEncoder(gpu, c, networkOf(c, phase), store);
    store.allocate(gpu, 0, false);
    restoreShipped(store, own);
    stores.set(phase, store);
  }
  return {
    config: c,
    encoders: encodersOf(c, stores, 'value'),
    dispose: () => {
      for (const store of stores.values()) store.dispose();
    },
  };
}

const tensorsOf = (file: SafetensorsFile, prefix: string): SafetensorsFile => ({
  ...file,
  tensors: new Map(
    [...file.tensors].filter(([key]) => key.startsWith(prefix)).map(([key, t]) => [key.slice(prefix.length), t]),
  ),
});
