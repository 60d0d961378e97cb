// The train worker's half of a training page: owns a device, holds one session, gives it time slices, lets commands in
// between two slices, and carries the run over a lost device from its last checkpoint, also the finished one. Drives any
// method through its contract.

import type { Gpu, GpuResult } from '../../gpu/device.ts';
import type { Checkpoint, Method, RunEvent, Session, View } from '../../methods/contract.ts';
import { SafeSession } from '../../methods/safe-session.ts';
import type { Failure, Outcome } from '../playground/protocol.ts';
import { configure, fieldValues } from './run-config.ts';
import type { MethodCard, RunOpened, RunRequest, RunStatus, TrainApi, TrainMessage } from './train-protocol.ts';

export interface TrainHostParts {
  openGpu(): Promise<GpuResult>;
  method(): Promise<Method<unknown>>;
  now(): number;
}

/** A slice is short enough for a pause to feel immediate. */
const SLICE_MS = 150;
/** What a lost device may cost at most. */
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
  #events: MessagePort | null = null;
  #status: RunStatus = 'paused';
  #abort = new AbortController();
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

  async start(request: RunRequest, events: MessagePort): Promise<Outcome<RunOpened>> {
    await this.stop();
    this.#events = events;
    this.#abort = new AbortController();
    const opened = await this.#exclusive(() => this.#create(request));
    if (!opened.ok) return opened;
    this.#status = 'running';
    void this.#run();
    return opened;
  }

  async pause(): Promise<void> {
    if (this.#status === 'running') this.#status = 'paused';
    await this.#exclusive(async () => this.#progress(0));
  }

  async resume(): Promise<void> {
    if (this.#status !== 'paused' || !this.#safe) return;
    this.#status = 'running';
    void this.#run();
  }

  async step(): Promise<void> {
    await this.pause();
    await this.#slice({ steps: 1 });
  }

  async stop(): Promise<void> {
    this.#status = this.#status === 'failed' ? 'failed' : 'done';
    this.#abort.abort();
    await this.#exclusive(async () => {
      this.#safe?.dispose();
      this.#safe = null;
    });
  }

  save(): Promise<Outcome<Checkpoint>> {
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
      await safe.load(bytes);
      this.#progress(0);
      return null;
    });
  }

  samples(): Promise<Outcome<View>> {
    return this.#ask((session) => session.inspect({ kind: 'samples' }));
  }

  async #create(request: RunRequest): Promise<Outcome<RunOpened>> {
    const method = await this.#parts.method();
    const preset = method.presets[request.preset];
    if (preset === undefined)
      return failure('internal', `There is no preset "${request.preset}".`, 'Choose another one.');
    try {
      const config = configure(preset, method.fields, request.set);
      const context = {
        seed: request.seed,
        emit: (event: RunEvent) => this.#post(event),
        signal: this.#abort.signal,
      };
      const safe = await SafeSession.open<Session>({
        device: () => this.#device(),
        create: (gpu) => method.create({ ...context, gpu }, config),
        now: this.#parts.now,
        everyMs: SAFETY_MS,
      });
      this.#safe = safe;
      const { report } = safe.gpu;
      const adapter = report.description || report.device || `${report.vendor} ${report.architecture}`.trim();
      return { ok: true, value: { phases: safe.session.phases, adapter } };
    } catch (error) {
      if (error instanceof NoDevice) return failure('no-webgpu', error.message, error.advice);
      return failure(
        'internal',
        `The run could not start: ${message(error)}`,
        'Choose a smaller preset or reload the page.',
      );
    }
  }

  async #device(): Promise<Gpu> {
    if (this.#gpu && this.#gpu.lostReason === null) return this.#gpu;
    const result = await this.#parts.openGpu();
    if (!result.ok) throw new NoDevice(result.reason, result.advice);
    this.#gpu = result.gpu;
    return this.#gpu;
  }

  async #run(): Promise<void> {
    while (this.#status === 'running') {
      await this.#slice({ ms: SLICE_MS });
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
          const more = await session.advance(budget);
          const worked = this.#parts.now() - began;
          // Done once the end is kept: a device lost before that has the end to do again.
          if (more === 'done' || safe.due) await safe.save();
          if (more === 'done') this.#status = 'done';
          this.#progress(worked);
        });
        if (lost !== null) this.#replaced(safe, lost);
      } catch (error) {
        this.#status = 'failed';
        const advice = error instanceof NoDevice ? ` ${error.advice}` : '';
        this.#post({ kind: 'log', text: `Stopped: ${message(error)}${advice}` });
        this.#progress(0);
      }
    });
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
    if (state) this.#post({ kind: 'progress', status: this.#status, phase: state.phase, step: state.step, workMs });
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
const message = (error: unknown) => (error instanceof Error ? error.message : String(error));
