// A training run of this page, in the worker: the session, what it measured so far, and a checkpoint that outlives a reload.
// What was measured after the checkpoint is measured again: a step is a function of its number.

import { memoryStorage, type Storage } from '../../../data/storage.ts';
import type { Gpu } from '../../../gpu/device.ts';
import type { RunEvent } from '../../contract.ts';
import { SafeSession } from '../../safe-session.ts';
import { Arm } from '../arm.ts';
import { configure, type DsaConfig } from '../config.ts';
import { gradientIsolation } from '../isolation.ts';
import { DsaSession } from '../session.ts';
import { rowOf, tasksOf } from '../tasks.ts';
import type { Point, RunRequest, SavedRun, TrainState } from './protocol.ts';
import { openingOf, type RunFile, readRun, removeRun, writeRun } from './run-file.ts';

/** Work that a lost device may cost. */
const SAFE_MS = 15_000;
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
  #safe: SafeSession<DsaSession> | null = null;
  #recall: Arm | null = null;
  #file: RunFile | null = null;
  #note = '';

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  /** The weights of the run; null before it began. */
  get session(): DsaSession | null {
    return this.#safe?.session ?? null;
  }

  async start(request: RunRequest): Promise<TrainState> {
    const config = configure(request.preset, request.set);
    this.#file = { request, points: [], workMs: 0, isolation: null };
    this.#note = '';
    await removeRun(await this.#storage());
    await this.#open(config, null);
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
    this.#note = '';
    await this.#open(configure(kept.file.request.preset, kept.file.request.set), kept.bytes);
    return this.state();
  }

  async forget(): Promise<void> {
    await removeRun(await this.#storage());
  }

  /** Trains for about `ms`; a lost device is replaced and the run goes on from its checkpoint. */
  async advance(ms: number): Promise<TrainState> {
    const safe = this.#running();
    const began = this.#parts.now();
    await this.#survive(async (session) => {
      const before = session.state();
      // Not past the end of a stage: what is measured there belongs to these weights.
      const total = session.phases.find(({ id }) => id === before.phase)?.steps ?? 0;
      const more = await session.advance({ ms, steps: total - before.step });
      const { phase } = session.state();
      await this.#measure(session, before);
      (this.#file as RunFile).workMs += this.#parts.now() - began;
      if (more === 'done' || phase !== before.phase || safe.due) await this.save();
    });
    return this.state();
  }

  /** The session, on a device that is there. */
  async alive(): Promise<DsaSession> {
    await this.#survive(async () => {});
    return this.#running().session;
  }

  /** Keeps the run as it is now. */
  async save(): Promise<void> {
    const { bytes } = await this.#running().save();
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
    const { gpu, session } = this.#running();
    const { request } = this.#file as RunFile;
    const norms = await gradientIsolation(gpu, session.config, session.stores.sparse, request.seed);
    const { phase, step } = session.state();
    (this.#file as RunFile).isolation = { phase, step, norms };
    return this.state();
  }

  state(): TrainState {
    const { session } = this.#running();
    const { request, points, workMs, isolation } = this.#file as RunFile;
    const { phase, step, done } = session.state();
    return {
      ...request,
      config: session.config,
      phases: [...session.phases],
      phase,
      step,
      done,
      workMs,
      points,
      isolation,
      note: this.#note,
    };
  }

  async #open(config: DsaConfig, copy: Uint8Array<ArrayBuffer> | null): Promise<void> {
    this.#unmeasure();
    this.#safe?.dispose();
    this.#safe = null;
    const context = {
      seed: (this.#file as RunFile).request.seed,
      signal: new AbortController().signal,
      emit: (event: RunEvent) => {
        if (event.kind === 'metrics') this.#add(event.phase, event.step, event.values);
      },
    };
    const { device, now } = this.#parts;
    const create = (gpu: Gpu): DsaSession => new DsaSession({ ...context, gpu }, config);
    this.#safe = await SafeSession.open({ device, create, now, everyMs: SAFE_MS }, copy);
    this.#forgetAfter(this.#safe.session);
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

  /** Work that a lost device leaves undone, with a note about it. */
  async #survive(work: (session: DsaSession) => Promise<void>): Promise<void> {
    const safe = this.#running();
    const reason = await safe.survive(work);
    if (reason === null) return;
    this.#unmeasure();
    this.#forgetAfter(safe.session);
    const { phase, step } = safe.session.state();
    const title = safe.session.phases.find(({ id }) => id === phase)?.title ?? phase;
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
    this.#recall ??= new Arm(this.#running().gpu, session.config, session.stores.sparse, 'indexer');
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

  #running(): SafeSession<DsaSession> {
    if (!this.#safe) throw new Error('No run is open.');
    return this.#safe;
  }

  /** What measured another session is of no use. */
  #unmeasure(): void {
    this.#recall?.dispose();
    this.#recall = null;
  }
}
