// A training run of this page, in the worker: the session, what it measured so far, and a checkpoint that outlives a lost device
// and a reload. What was measured after the checkpoint is measured again: a step is a function of its number.

import { memoryStorage, type Storage } from '../../../data/storage.ts';
import type { Gpu } from '../../../gpu/device.ts';
import { Arm } from '../arm.ts';
import { configure, type DsaConfig } from '../config.ts';
import { gradientIsolation } from '../isolation.ts';
import { DsaSession } from '../session.ts';
import { rowOf, tasksOf } from '../tasks.ts';
import type { Point, RunRequest, SavedRun, TrainState } from './protocol.ts';
import { openingOf, type RunFile, readRun, removeRun, writeRun } from './run-file.ts';

/** Work that a lost device may cost, and the most devices that are opened for one run. */
const SAFE_MS = 15_000;
const MAX_REBUILDS = 3;
/** Rows of a mass recall, and how often it is measured in a phase. */
const RECALL_ROWS = 32;
const RECALLS = 8;
const RECALL_SEED = 11;

export interface RunParts {
  device(): Promise<Gpu>;
  storage(): Promise<Storage>;
  now(): number;
}

export class TrainingRun {
  readonly #parts: RunParts;
  #gpu: Gpu | null = null;
  #session: DsaSession | null = null;
  #recall: Arm | null = null;
  #file: RunFile | null = null;
  #safe: Uint8Array<ArrayBuffer> | null = null;
  #safeAt = 0;
  #rebuilds = 0;
  #note = '';

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  /** The weights of the run; null before it began. */
  get session(): DsaSession | null {
    return this.#session;
  }

  async start(request: RunRequest): Promise<TrainState> {
    const config = configure(request.preset, request.set);
    this.#file = { request, points: [], isolation: null };
    this.#safe = null;
    this.#rebuilds = 0;
    this.#note = '';
    await removeRun(await this.#storage());
    await this.#open(config);
    return this.state();
  }

  /** A run that this browser kept, if there is one. */
  async saved(): Promise<SavedRun | null> {
    const kept = await readRun(await this.#storage());
    return kept && openingOf(kept);
  }

  /** Goes on with the run that this browser kept. */
  async resume(): Promise<TrainState> {
    const kept = await readRun(await this.#storage());
    if (!kept) throw new Error('This browser keeps no run of sparse attention.');
    this.#file = kept.file;
    this.#safe = kept.bytes;
    this.#rebuilds = 0;
    this.#note = '';
    await this.#open(configure(kept.file.request.preset, kept.file.request.set));
    return this.state();
  }

  async forget(): Promise<void> {
    await removeRun(await this.#storage());
  }

  /** Trains for about `ms`; a lost device is replaced and the run goes on from its checkpoint. */
  async advance(ms: number): Promise<TrainState> {
    const session = this.#running();
    try {
      const before = session.state();
      const more = await session.advance({ ms });
      const { phase } = session.state();
      await this.#measure(session, before);
      const settled = more === 'done' || phase !== before.phase;
      if (settled || this.#parts.now() - this.#safeAt > SAFE_MS) await this.save();
    } catch (error) {
      await this.#recover(error);
    }
    return this.state();
  }

  /** The session, on a device that is there. */
  async alive(): Promise<DsaSession> {
    this.#running();
    if (this.#gpu?.lostReason) await this.#recover(new Error(`The GPU device was lost: ${this.#gpu.lostReason}`));
    return this.#running();
  }

  /** Keeps the run as it is now. */
  async save(): Promise<void> {
    const session = this.#running();
    const { bytes } = await session.save();
    this.#safe = bytes;
    this.#safeAt = this.#parts.now();
    try {
      await writeRun(await this.#storage(), { file: this.#file as RunFile, bytes });
    } catch (error) {
      this.#unkept(error);
    }
  }

  /** Without storage a run still survives a lost device, from memory. */
  async #storage(): Promise<Storage> {
    try {
      return await this.#parts.storage();
    } catch (error) {
      this.#unkept(error);
      return memoryStorage();
    }
  }

  #unkept(error: unknown): void {
    this.#note = `This run will not survive a reload: ${error instanceof Error ? error.message : String(error)}`;
  }

  /** Norms of the gradients that must not be, and of those that must. */
  async measureIsolation(): Promise<TrainState> {
    const session = this.#running();
    const { request } = this.#file as RunFile;
    const norms = await gradientIsolation(this.#device(), session.config, session.stores.sparse, request.seed);
    const { phase, step } = session.state();
    (this.#file as RunFile).isolation = { phase, step, norms };
    return this.state();
  }

  state(): TrainState {
    const session = this.#running();
    const { request, points, isolation } = this.#file as RunFile;
    const { phase, step, done } = session.state();
    return {
      ...request,
      config: session.config,
      phases: [...session.phases],
      phase,
      step,
      done,
      points,
      isolation,
      note: this.#note,
    };
  }

  async #open(config: DsaConfig): Promise<void> {
    this.#close();
    const { request } = this.#file as RunFile;
    const gpu = await this.#parts.device();
    this.#gpu = gpu;
    const session = new DsaSession(
      {
        gpu,
        seed: request.seed,
        signal: new AbortController().signal,
        emit: (event) => {
          if (event.kind === 'metrics') this.#add(event.phase, event.step, event.values);
        },
      },
      config,
    );
    this.#session = session;
    if (this.#safe) await session.load({ name: 'kept.safetensors', bytes: this.#safe });
    this.#forgetAfter(session);
    this.#safeAt = this.#parts.now();
  }

  /** Points behind the checkpoint will be measured again. */
  #forgetAfter(session: DsaSession): void {
    const { phase, step, done } = session.state();
    const order = session.phases.map(({ id }) => id);
    const file = this.#file as RunFile;
    file.points = file.points.filter(
      (p) => done || order.indexOf(p.phase) < order.indexOf(phase) || (p.phase === phase && p.step <= step),
    );
  }

  async #recover(error: unknown): Promise<void> {
    // A failed command may be heard of before the loss itself.
    await Promise.race([this.#gpu?.lost, new Promise((resolve) => setTimeout(resolve, 200))]);
    const reason = this.#gpu?.lostReason;
    if (!reason || this.#rebuilds >= MAX_REBUILDS) throw error;
    this.#rebuilds += 1;
    await this.#open((this.#session as DsaSession).config);
    const { phase, step } = this.#running().state();
    const title = this.#running().phases.find(({ id }) => id === phase)?.title ?? phase;
    this.#note = `The GPU device was lost (${reason}). A new one goes on from step ${step} of ${title}; nothing else is lost.`;
  }

  /** Mass recall at even places of the stages that have an indexer, gradients where such a stage begins. */
  async #measure(session: DsaSession, before: { phase: string; step: number }): Promise<void> {
    const { phase, step, done } = session.state();
    const at =
      phase === before.phase && !done ? step : (session.phases.find(({ id }) => id === before.phase)?.steps ?? step);
    if (before.phase === 'warmup' || before.phase === 'sparse') {
      const steps = session.phases.find(({ id }) => id === before.phase)?.steps ?? 1;
      const part = (n: number): number => Math.floor((n * RECALLS) / steps);
      if (part(at) !== part(before.step) || before.step === 0) await this.#measureRecall(session, before.phase, at);
    }
    if (
      phase !== before.phase &&
      (phase === 'warmup' || phase === 'sparse') &&
      session.config.k < session.config.time
    ) {
      await this.measureIsolation();
    }
  }

  async #measureRecall(session: DsaSession, phase: string, step: number): Promise<void> {
    const [task] = tasksOf(session.config);
    const rows = Array.from({ length: RECALL_ROWS }, (_, i) => rowOf(session.config, task, 'eval', RECALL_SEED, i));
    this.#recall ??= new Arm(this.#device(), session.config, session.stores.sparse, 'indexer');
    const scores = await this.#recall.run(rows, RECALL_SEED);
    const { massRecall, massOracle, overlap, accuracy } = scores;
    this.#add(phase, step, { massRecall, massOracle, overlap, accuracy });
  }

  #add(phase: string, step: number, values: Point['values']): void {
    const { points } = this.#file as RunFile;
    const known = points.find((p) => p.phase === phase && p.step === step);
    if (known) Object.assign(known.values, values);
    else points.push({ phase, step, values });
  }

  #running(): DsaSession {
    if (!this.#session) throw new Error('No run is open.');
    return this.#session;
  }

  #device(): Gpu {
    if (!this.#gpu) throw new Error('No run is open.');
    return this.#gpu;
  }

  #close(): void {
    this.#recall?.dispose();
    this.#session?.dispose();
    this.#recall = null;
    this.#session = null;
  }
}
