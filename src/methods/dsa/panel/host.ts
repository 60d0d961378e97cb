// The worker's half of the page: owns a device, the weights that are looked at, and the run that may replace them. A lost device
// is replaced when it is next needed; weights are read again from their file.

import { memoryStorage, opfsStorage, orMemory, type Storage } from '../../../data/storage.ts';
import { openWithTiles } from '../../../data/tile-cache.ts';
import { type Gpu, type GpuResult, isBroken, openGpu } from '../../../gpu/device.ts';
import type { ParamStore } from '../../../nn/params.ts';
import { NONE, type Selector, topK } from '../../../tensor/ops/topk.ts';
import { compile } from '../../../tensor/program.ts';
import { Arm } from '../arm.ts';
import { type CodedRow, CodesBench } from '../codes.ts';
import { type DsaConfig, SPECIFIED } from '../config.ts';
import { costAt } from '../cost.ts';
import { type ArmOf, armsFor } from '../eval.ts';
import { Inspector } from '../inspect.ts';
import { INDEX } from '../model.ts';
import type { Quant } from '../ops.ts';
import { configurePost } from '../posttrain/config.ts';
import { Journal } from '../posttrain/journal.ts';
import { postTrain } from '../posttrain/pipeline.ts';
import { postReport } from '../posttrain/report.ts';
import { armsOf, type DsaSession, loadModels } from '../session.ts';
import { rowOf, tasksOf } from '../tasks.ts';
import type {
  Answer,
  ArmScores,
  Choice,
  DsaApi,
  Opened,
  PostNews,
  PostReport,
  PostRequest,
  ProbeRequest,
  RunRequest,
  SavedPost,
} from './protocol.ts';
import { TrainingRun } from './run.ts';

/** The seed of the rows that the inspector shows. */
const SEED = 7;
const SELECTORS: readonly Selector[] = ['radix', 'split', 'bisect'];

export interface HostParts {
  openGpu(): Promise<GpuResult>;
  storage(): Promise<Storage>;
}

const BROWSER: HostParts = {
  openGpu: () => openWithTiles(openGpu, () => opfsStorage('adapters')),
  storage: () => opfsStorage('dsa'),
};

/** What is looked at: the weights of a file or those of the run. */
interface Weights {
  title: string;
  config: DsaConfig;
  arms: ArmOf[];
  sparse: ParamStore;
}

async function answer<T>(body: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await body() };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

export class DsaHost implements DsaApi {
  readonly #parts: HostParts;
  readonly #run: TrainingRun;
  #gpu: Gpu | null = null;
  /** The file whose weights are looked at; null: those of the run. */
  #file: Uint8Array<ArrayBuffer> | null = null;
  #weights: Weights | null = null;
  #inspector: { key: string; inspector: Inspector } | null = null;
  /** Commands take turns: a device is never asked two things at once. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: HostParts = BROWSER) {
    this.#parts = parts;
    this.#run = new TrainingRun({
      device: () => this.#device(),
      storage: parts.storage,
      now: () => performance.now(),
    });
  }

  open(checkpoint: Uint8Array<ArrayBuffer>): Promise<Answer<Opened>> {
    return this.#exclusive(async () => {
      const weights = weightsOf(await this.#device(), checkpoint);
      this.#file = checkpoint;
      this.#use(weights);
      return this.#opened();
    });
  }

  openRun(): Promise<Answer<Opened>> {
    return this.#exclusive(async () => {
      this.#file = null;
      this.#use(weightsOfRun(await this.#run.alive()));
      return this.#opened();
    });
  }

  probe({ task, index, quant, hadamard, k }: ProbeRequest) {
    return this.#exclusive(async () => {
      const { config, sparse } = await this.#current();
      const shown = { ...config, quant, hadamard };
      const key = `${quant} ${hadamard} ${k}`;
      if (this.#inspector?.key !== key) {
        this.#inspector?.inspector.dispose();
        this.#inspector = { key, inspector: new Inspector(await this.#device(), shown, sparse, k) };
      }
      return this.#inspector.inspector.probe(rowOf(config, task, 'eval', SEED, index));
    });
  }

  select(scores: Float32Array<ArrayBuffer>, k: number): Promise<Answer<Choice[]>> {
    return this.#exclusive(async () => {
      const program = compile(await this.#device(), (g) => {
        const [row, seen] = [g.input('scores', [1, scores.length]), g.input('bounds', [1, 2])];
        for (const kind of SELECTORS) g.output(kind, topK(row, seen, k, kind));
      });
      program.run({ scores, bounds: new Uint32Array([0, scores.length]) });
      const choices: Choice[] = [];
      for (const selector of SELECTORS) {
        const chosen = Array.from(new Uint32Array(await program.readBytes(selector)));
        choices.push({ selector, chosen: chosen.filter((s) => s !== NONE) });
      }
      program.dispose();
      return choices;
    });
  }

  codes(values: number[], quant: Exclude<Quant, 'f32'>): Promise<Answer<CodedRow[]>> {
    return this.#exclusive(async () => {
      const bench = new CodesBench(await this.#device(), values.length, quant);
      const rows = await bench.run(values);
      bench.dispose();
      return rows;
    });
  }

  arm(name: string, seed: number, rows: number): Promise<Answer<ArmScores>> {
    return this.#exclusive(async () => {
      const { config, arms } = await this.#current();
      const arm = arms.find((a) => a.name === name);
      if (!arm) throw new Error(`These weights have no arm “${name}”.`);
      const runner = new Arm(await this.#device(), { ...config, ...arm.change }, arm.store, arm.chooser, arm.k);
      const scores: ArmScores = [];
      for (const task of tasksOf(config)) {
        const fresh = Array.from({ length: rows }, (_, i) => rowOf(config, task, 'eval', seed, i));
        scores.push({ task, scores: await runner.run(fresh, seed) });
      }
      runner.dispose();
      return scores;
    });
  }

  cost(position: number, phase: 'decode' | 'prefill', k: number) {
    return this.#exclusive(async () => costAt(await this.#device(), SPECIFIED, position, phase, k, { rounds: 3 }));
  }

  saved = () => this.#exclusive(() => this.#run.saved());
  start = (request: RunRequest) => this.#exclusive(() => this.#train((run) => run.start(request)));
  resume = () => this.#exclusive(() => this.#train((run) => run.resume()));
  advance = (ms: number) => this.#exclusive(() => this.#train((run) => run.advance(ms)));
  isolation = () =>
    this.#exclusive(async () => {
      await this.#alive();
      return this.#run.measureIsolation();
    });

  forget(): Promise<Answer<null>> {
    return this.#exclusive(async () => {
      await this.#run.forget();
      return null;
    });
  }

  keep(): Promise<Answer<null>> {
    return this.#exclusive(async () => {
      await this.#alive();
      await this.#run.save();
      return null;
    });
  }

  postTrain(request: PostRequest | null, listen: (event: PostNews) => void): Promise<Answer<PostReport>> {
    return this.#exclusive(async () => {
      // Before the journal begins: that forgets the run that was kept.
      const gpu = await this.#device();
      const kept = await this.#parts.storage().catch(memoryStorage);
      const storage = orMemory(kept, (reason) => listen({ kind: 'unkept', reason }));
      const journal = request
        ? await Journal.begin(storage, configurePost(request.preset, request.set), request.seed)
        : await Journal.resume(storage);
      if (!journal) throw new Error('This browser keeps no post-training.');
      return postReport(journal.config, await postTrain(gpu, journal, listen), journal.seed);
    });
  }

  savedPost(): Promise<Answer<SavedPost | null>> {
    return this.#exclusive(async () => {
      const kept = await Journal.kept(await this.#parts.storage());
      if (!kept) return null;
      const { config, seed, stages } = kept;
      return { preset: config.rung, seed, ...config.reward, stages };
    });
  }

  forgetPost(): Promise<Answer<null>> {
    return this.#exclusive(async () => {
      await Journal.forget(await this.#parts.storage());
      return null;
    });
  }

  exportWeights() {
    return this.#exclusive(async () => {
      const session = await this.#alive();
      const { preset, seed } = this.#run.state();
      return session.export(`${preset} seed ${seed}, trained in a browser`);
    });
  }

  /** A run that opens another session makes the weights of the one before it useless. */
  async #train<T>(step: (run: TrainingRun) => Promise<T>): Promise<T> {
    const before = this.#run.session;
    const result = await step(this.#run);
    const { session } = this.#run;
    if (!this.#file && session && session !== before) this.#use(weightsOfRun(session));
    return result;
  }

  /** The run, on a device that is there. Throws when none is open. */
  #alive(): Promise<DsaSession> {
    return this.#train((run) => run.alive());
  }

  /** The weights to look at, on a device that is there. */
  async #current(): Promise<Weights> {
    const gpu = await this.#device();
    if (!this.#weights) this.#use(this.#file ? weightsOf(gpu, this.#file) : weightsOfRun(await this.#run.alive()));
    return this.#weights as Weights;
  }

  async #opened(): Promise<Opened> {
    const { report } = await this.#device();
    const { title, config, arms, sparse } = await this.#current();
    return {
      adapter: report.description || report.device || `${report.vendor} ${report.architecture}`.trim(),
      software: report.software,
      config,
      title,
      parameters: countOf(sparse),
      rowSeed: SEED,
      arms: arms.map(({ name }) => name),
      tasks: tasksOf(config),
    };
  }

  #use(weights: Weights | null): void {
    this.#inspector?.inspector.dispose();
    this.#inspector = null;
    this.#weights = weights;
  }

  async #device(): Promise<Gpu> {
    if (this.#gpu && !isBroken(this.#gpu)) return this.#gpu;
    const result = await this.#parts.openGpu();
    if (!result.ok) throw new Error(`${result.reason} ${result.advice}`);
    // What lived on a lost device is gone; the run brings its own weights back.
    if (this.#gpu) this.#use(null);
    this.#gpu = result.gpu;
    return this.#gpu;
  }

  #exclusive<T>(body: () => Promise<T>): Promise<Answer<T>> {
    const done = this.#turn.then(() => answer(body));
    this.#turn = done;
    return done;
  }
}

function weightsOf(gpu: Gpu, bytes: Uint8Array<ArrayBuffer>): Weights {
  const models = loadModels(gpu, bytes);
  return {
    title: models.title,
    config: models.config,
    arms: armsFor(models.config, models).arms,
    sparse: models.sparse,
  };
}

const weightsOfRun = ({ config, stores }: DsaSession): Weights => ({
  title: 'the run in this tab',
  config,
  arms: armsFor(config, { ...stores, more: armsOf(config, stores) }).arms,
  sparse: stores.sparse,
});

function countOf(store: ParamStore): Opened['parameters'] {
  let indexer = 0;
  for (const { name, shape } of store.specs.values()) {
    if (name.includes(INDEX)) indexer += shape.reduce((a, b) => a * b, 1);
  }
  return { all: store.count, indexer };
}
