// The train worker's half of a training page: owns a device, holds one session, gives it time slices, lets commands in
// between two slices, and carries the run over a lost device from its last checkpoint, also the finished one. Keeps the run
// in the browser: every so often, when a phase ends, and whenever it stands still. Drives any method through its contract.

import type { Storage } from '../../data/storage.ts';
import { type Gpu, type GpuResult, isBroken } from '../../gpu/device.ts';
import type { Checkpoint, Method, RunEvent, Session, View } from '../../methods/contract.ts';
import type { Dream, DreamInfo } from '../../methods/dreamer4/play-contract.ts';
import { SafeSession } from '../../methods/safe-session.ts';
import { DreamSession } from '../playground/dream-session.ts';
import type { DreamReport, Failure, GpuApi, Outcome } from '../playground/protocol.ts';
import { configure, fieldValues } from './run-config.ts';
import { listRuns, type RunFile, readRun, removeRun } from './run-file.ts';
import { type Release, RunKeeper } from './run-keeper.ts';
import type {
  KeptRun,
  LiveReport,
  MethodCard,
  RunIdentity,
  RunOpened,
  RunRequest,
  RunStatus,
  TrainApi,
  TrainMessage,
} from './train-protocol.ts';

export interface TrainHostParts {
  openGpu(): Promise<GpuResult>;
  method(): Promise<Method<unknown>>;
  /** A dream on the weights that are being trained and how many steps they have seen; null while there is none. */
  live(session: Session): { steps: number; open(): Dream } | null;
  /** Where runs are kept. */
  storage(): Promise<Storage>;
  /** The lock of a run; null if another tab has it. */
  claim(id: string): Promise<Release | null>;
  now(): number;
}

/** A slice is short enough for a pause to feel immediate. */
const SLICE_MS = 150;
/** While somebody plays, the training gives way after a step or so. */
const PLAYED_SLICE_MS = 40;
/** So long after a dreamed frame somebody still plays. */
const PLAYED_MS = 1000;
/** What a lost device, or a tab that is killed, may cost at most. */
const SAFETY_MS = 30_000;

class NoDevice extends Error {
  readonly advice: string;
  constructor(reason: string, advice: string) {
    super(reason);
    this.advice = advice;
  }
}

export class TrainHost implements TrainApi {
  readonly #parts: TrainHostParts;
  #gpu: Gpu | null = null;
  #safe: SafeSession<Session> | null = null;
  #keeper: RunKeeper | null = null;
  /** Of the run that is open, or was last. */
  #lock: { id: string; release: Release } | null = null;
  /** Something was done since the run was kept. */
  #unkept = false;
  /** The dream that is played while the training goes on; `closed` ends a step that waits for a frame. */
  #dream: { session: DreamSession; closed: Promise<Failure>; close(): void } | null = null;
  #playedAt = Number.NEGATIVE_INFINITY;
  #events: MessagePort | null = null;
  #name = '';
  #status: RunStatus = 'paused';
  #abort = new AbortController();
  /** Of the loop that gives slices; a newer one ends the ones before. */
  #loop = 0;
  /** Slices and commands take turns here: a session is never asked two things at once. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: TrainHostParts) {
    this.#parts = parts;
  }

  async describe(): Promise<Outcome<MethodCard>> {
    const method = await this.#parts.method();
    const presets = Object.entries(method.presets).map(([name, config]) => ({
      name,
      values: fieldValues(config, method.fields),
    }));
    return { ok: true, value: { title: method.title, presets, fields: method.fields } };
  }

  async start(request: RunRequest, identity: RunIdentity, events: MessagePort): Promise<Outcome<RunOpened>> {
    await this.#close();
    this.#events = events;
    return this.#exclusive(async () => {
      const method = await this.#parts.method();
      const preset = method.presets[request.preset];
      if (preset === undefined)
        return failure('internal', `There is no preset "${request.preset}".`, 'Choose another one.');
      try {
        const config = configure(preset, method.fields, request.set);
        const file: RunFile = {
          ...identity,
          ...request,
          config,
          phase: '',
          title: '',
          step: 0,
          steps: 0,
          done: false,
          workMs: 0,
          lines: {},
        };
        return await this.#open(file, null);
      } catch (error) {
        return notOpened(error);
      }
    });
  }

  async kept(): Promise<readonly KeptRun[]> {
    try {
      return await listRuns(await this.#parts.storage());
    } catch {
      // No storage, so there is nothing in it.
      return [];
    }
  }

  async reopen(id: string, events: MessagePort): Promise<Outcome<RunOpened>> {
    await this.#close();
    this.#events = events;
    return this.#exclusive(async () => {
      try {
        const kept = await readRun(await this.#parts.storage(), id);
        return kept ? await this.#open(kept.file, kept.bytes) : noneKept;
      } catch (error) {
        return notOpened(error);
      }
    });
  }

  async forget(id: string): Promise<Outcome<null>> {
    // In its turn: a run that was just stopped is kept first, and would be there again.
    return this.#exclusive(async () => {
      const release = this.#lock?.id === id ? () => undefined : await this.#parts.claim(id);
      if (!release) return openElsewhere;
      try {
        await removeRun(await this.#parts.storage(), id);
        return { ok: true as const, value: null };
      } catch (error) {
        return failure('internal', message(error), 'Reload the page and try again.');
      } finally {
        release();
      }
    });
  }

  async pause(): Promise<void> {
    if (this.#status === 'running') this.#status = 'paused';
    await this.#exclusive(async () => {
      this.#progress(0);
      await this.#rest();
    });
  }

  async resume(): Promise<void> {
    if (this.#status !== 'paused' || !this.#safe) return;
    this.#status = 'running';
    void this.#run();
  }

  async step(): Promise<void> {
    if (this.#status === 'running') await this.pause();
    await this.#slice({ steps: 1 });
  }

  async stop(): Promise<void> {
    if (this.#status !== 'failed') this.#status = 'done';
    this.#abort.abort();
    await this.#exclusive(async () => {
      await this.#rest();
      this.#progress(0);
    });
  }

  save(): Promise<Outcome<Checkpoint>> {
    const bytes = this.#status === 'failed' && this.#safe?.copy;
    // What failed may hold numbers that are none, or have no device; its last copy is good.
    if (bytes)
      return this.#exclusive(async () => ({ ok: true, value: { name: `${this.#name}-training.safetensors`, bytes } }));
    return this.#ask((_, safe) => safe.save());
  }

  export(title: string): Promise<Outcome<Checkpoint>> {
    return this.#ask((session) => {
      if (!session.export) throw new Error('This method has no weights to hand on.');
      return session.export(title);
    });
  }

  load(bytes: Uint8Array<ArrayBuffer>): Promise<Outcome<null>> {
    return this.#ask(async (_, safe) => {
      // The statistics that a dream was built with may be others now.
      this.#endDream();
      await safe.load(bytes);
      this.#progress(0);
      return null;
    });
  }

  samples(): Promise<Outcome<View>> {
    return this.#ask((session) => session.inspect({ kind: 'samples' }));
  }

  async openDream(canvas: OffscreenCanvas | null, truth: MessagePort): Promise<Outcome<DreamInfo>> {
    await this.closeDream();
    return this.#ask(async () => {
      if (!this.#live()) throw new Error(NOTHING_TO_DREAM);
      const dream = new DreamSession({
        // The device of the training: after a loss the one that took its place, with the session that lives there.
        openGpu: async () => {
          const safe = this.#safe as SafeSession<Session>;
          const lost = await safe.survive(async () => {});
          if (lost !== null) this.#replaced(safe, lost);
          return { ok: true, gpu: safe.gpu };
        },
        factory: async () => async () => {
          const live = this.#live();
          if (!live) throw new Error(NOTHING_TO_DREAM);
          return live.open();
        },
        fetch,
      });
      const opened = await dream.open(canvas, truth);
      if (!opened.ok) throw new Error(opened.reason);
      const loaded = await dream.loadBytes(NO_BYTES);
      if (!loaded.ok) throw new Error(loaded.reason);
      let close = (): void => undefined;
      const closed = new Promise<Failure>((resolve) => {
        close = () => resolve(dreamClosed);
      });
      this.#dream = { session: dream, closed, close };
      return loaded.value;
    });
  }

  dreamFromTruth(episode: number, index: number): Promise<Outcome<DreamReport | null>> {
    return this.#played((dream) => dream.dreamFromTruth(episode, index));
  }

  dream(...step: Parameters<GpuApi['step']>): Promise<Outcome<LiveReport>> {
    return this.#played(async (dream) => {
      const weightSteps = this.#live()?.steps ?? 0;
      const report = await dream.step(...step);
      return report.ok ? { ok: true, value: { ...report.value, weightSteps } } : report;
    });
  }

  rebuild(): Promise<Outcome<DreamInfo>> {
    return this.#played((dream) => dream.rebuild());
  }

  async closeDream(): Promise<void> {
    this.#dream?.close();
    await this.#exclusive(async () => this.#endDream());
  }

  #endDream(): void {
    this.#dream?.close();
    this.#dream?.session.dispose();
    this.#dream = null;
    this.#playedAt = Number.NEGATIVE_INFINITY;
  }

  /** Work of the dream, in its turn among the slices of the training. */
  #played<T>(work: (dream: DreamSession) => Promise<Outcome<T>>): Promise<Outcome<T>> {
    return this.#exclusive(async () => {
      if (!this.#dream) return dreamClosed;
      const result = await Promise.race([work(this.#dream.session), this.#dream.closed]);
      this.#playedAt = this.#parts.now();
      return result;
    });
  }

  #live(): ReturnType<TrainHostParts['live']> {
    return this.#safe && this.#parts.live(this.#safe.session);
  }

  /** A session for a new run, or for a kept one with its copy. Throws what the device and the method throw. */
  async #open(file: RunFile, copy: Uint8Array<ArrayBuffer> | null): Promise<Outcome<RunOpened>> {
    if (!(await this.#claim(file.id))) return openElsewhere;
    const keeper = new RunKeeper(file, this.#parts.storage);
    this.#abort = new AbortController();
    const context = {
      seed: file.seed,
      emit: (event: RunEvent) => {
        if (event.kind === 'metrics') keeper.measured(event);
        this.#post(event);
      },
      signal: this.#abort.signal,
    };
    const method = await this.#parts.method();
    try {
      this.#safe = await SafeSession.open<Session>(
        {
          device: () => this.#device(),
          create: (gpu) => method.create({ ...context, gpu }, file.config),
          now: this.#parts.now,
          everyMs: SAFETY_MS,
        },
        copy,
      );
    } catch (error) {
      this.#unlock();
      throw error;
    }
    this.#keeper = keeper;
    this.#name = method.id;
    this.#unkept = false;
    const { report } = this.#safe.gpu;
    const adapter = report.description || report.device || `${report.vendor} ${report.architecture}`.trim();
    // A finished run has nothing to prepare: it is there to be played and saved.
    this.#status = file.done ? 'done' : 'running';
    if (!file.done) void this.#run();
    return { ok: true, value: { ...keeper.opened(this.#safe.session), adapter, status: this.#status } };
  }

  async #claim(id: string): Promise<boolean> {
    if (this.#lock?.id === id) return true;
    const release = await this.#parts.claim(id);
    if (!release) return false;
    this.#unlock();
    this.#lock = { id, release };
    return true;
  }

  #unlock(): void {
    this.#lock?.release();
    this.#lock = null;
  }

  async #close(): Promise<void> {
    await this.stop();
    await this.#exclusive(async () => {
      this.#endDream();
      this.#safe?.dispose();
      this.#safe = null;
      this.#keeper = null;
      this.#status = 'paused';
    });
  }

  /** A run that stands still is kept as it is. */
  async #rest(): Promise<void> {
    if (!this.#safe || !this.#unkept || this.#status === 'failed') return;
    try {
      await this.#keep(this.#safe);
    } catch (error) {
      // The next slice finds out what is wrong with the device or the numbers.
      const { phase, step } = this.#safe.session.state();
      this.#post({ kind: 'kept', phase, step, problem: message(error) });
    }
  }

  async #keep(safe: SafeSession<Session>): Promise<void> {
    const { bytes } = await safe.save();
    if (!this.#keeper) return;
    const kept = await this.#keeper.keep(safe.session, bytes);
    this.#unkept = kept.kind === 'kept' && kept.problem !== '';
    this.#post(kept);
  }

  async #device(): Promise<Gpu> {
    if (this.#gpu && !isBroken(this.#gpu)) return this.#gpu;
    // One with a full memory would still hold it.
    this.#gpu?.dispose();
    const result = await this.#parts.openGpu();
    if (!result.ok) throw new NoDevice(result.reason, result.advice);
    this.#gpu = result.gpu;
    return this.#gpu;
  }

  async #run(): Promise<void> {
    const own = ++this.#loop;
    while (this.#status === 'running' && own === this.#loop) {
      const played = this.#parts.now() - this.#playedAt < PLAYED_MS;
      await this.#slice({ ms: played ? PLAYED_SLICE_MS : SLICE_MS });
      // Lets the worker's messages in.
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  /** A lost device costs at most the work since the last copy; anything else ends the run. */
  #slice(budget: { ms?: number; steps?: number }): Promise<void> {
    return this.#exclusive(async () => {
      const safe = this.#safe;
      if (!safe || this.#status === 'done' || this.#status === 'failed') return;
      const began = this.#parts.now();
      try {
        const lost = await safe.survive(async (session) => {
          const before = session.state().phase;
          const more = await session.advance(budget);
          const worked = this.#parts.now() - began;
          this.#unkept = true;
          this.#keeper?.worked(worked);
          // Done once the end is kept: a device lost before that has the end to do again.
          if (more === 'done' || safe.due || session.state().phase !== before) await this.#keep(safe);
          if (more === 'done') this.#status = 'done';
          this.#progress(worked);
        });
        if (lost !== null) this.#replaced(safe, lost);
      } catch (error) {
        this.#status = 'failed';
        const advice = error instanceof NoDevice ? ` ${error.advice}` : '';
        this.#post({ kind: 'log', text: `Stopped: ${message(error)}${advice}` });
        await this.#backToCopy(safe);
        this.#progress(0);
      }
    });
  }

  /** What failed is not what is played and saved afterwards. Without a device the copy can still be saved. */
  async #backToCopy(safe: SafeSession<Session>): Promise<void> {
    try {
      if (!(await safe.restore())) return;
      const { phase, step } = safe.session.state();
      this.#post({ kind: 'log', text: `Back at the last good copy, step ${step} of ${phase}.` });
    } catch (error) {
      this.#post({ kind: 'log', text: `The last copy can only be saved: ${message(error)}` });
    }
  }

  #replaced(safe: SafeSession<Session>, lost: string): void {
    const { phase, step } = safe.session.state();
    const text = `The GPU device was lost (${lost}). A new one goes on from step ${step} of ${phase}.`;
    this.#post({ kind: 'log', text });
    this.#progress(0);
  }

  /** A question to the session between two slices, on a device that is there. */
  #ask<T>(question: (session: Session, safe: SafeSession<Session>) => Promise<T>): Promise<Outcome<T>> {
    return this.#exclusive(async () => {
      const safe = this.#safe;
      if (!safe) return failure('internal', 'No run is open.', 'Start one first.');
      try {
        const lost = await safe.survive(async () => {});
        if (lost !== null) this.#replaced(safe, lost);
        return { ok: true as const, value: await question(safe.session, safe) };
      } catch (error) {
        return failure('internal', message(error), 'The run itself goes on.');
      }
    });
  }

  #progress(workMs: number): void {
    const state = this.#safe?.session.state();
    if (!state) return;
    const { phase, step } = state;
    this.#post({ kind: 'progress', status: this.#status, phase, step, workMs, dreamSteps: this.#live()?.steps ?? 0 });
  }

  #post(event: TrainMessage): void {
    this.#events?.postMessage(event);
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

const failure = (code: Failure['code'], reason: string, advice: string): Failure => ({
  ok: false,
  code,
  reason,
  advice,
});
const NO_BYTES = new Uint8Array();
const NOTHING_TO_DREAM = 'There is nothing to dream with before the dynamics phase has begun.';
const dreamClosed = failure('internal', 'The dream has ended.', 'Play again.');
const noneKept = failure('internal', 'This browser keeps no such run.', 'Reload the page.');
const openElsewhere = failure(
  'internal',
  'This run is still open: in another tab, or in this one for a few seconds more.',
  'Close the other tab, or try again.',
);
function notOpened(error: unknown): Failure {
  if (error instanceof NoDevice) return failure('no-webgpu', error.message, error.advice);
  const advice = 'Choose a smaller preset or reload the page.';
  return failure('internal', `The run could not start: ${message(error)}`, advice);
}
const message = (error: unknown) => (error instanceof Error ? error.message : String(error));
