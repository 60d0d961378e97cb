// The train worker's half of a training page: owns a device, holds one session, gives it time slices, lets commands in between two slices,
// and carries the run over a lost device from its last checkpoint. Drives any method through its contract.

import type { Gpu, GpuResult } from '../../gpu/device.ts';
import type { Checkpoint, Method, Session, View } from '../../methods/contract.ts';
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
const MAX_REBUILDS = 3;

export class TrainHost implements TrainApi {
  readonly #parts: TrainHostParts;
  #gpu: Gpu | null = null;
  #session: Session | null = null;
  #request: RunRequest | null = null;
  #events: MessagePort | null = null;
  #status: RunStatus = 'paused';
  #abort = new AbortController();
  #safe: Checkpoint | null = null;
  #safeAt = 0;
  #rebuilds = 0;
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
    this.#request = request;
    this.#events = events;
    this.#abort = new AbortController();
    this.#safe = null;
    this.#rebuilds = 0;
    const opened = await this.#exclusive(() => this.#create());
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
    if (this.#status !== 'paused' || !this.#session) return;
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
      this.#session?.dispose();
      this.#session = null;
    });
  }

  save(): Promise<Outcome<Checkpoint>> {
    return this.#ask((session) => session.save());
  }

  export(title: string): Promise<Outcome<Checkpoint>> {
    return this.#ask((session) => {
      if (!session.export) throw new Error('This method has no weights to hand on.');
      return session.export(title);
    });
  }

  load(bytes: Uint8Array<ArrayBuffer>): Promise<Outcome<null>> {
    return this.#ask(async (session) => {
      await session.load({ name: 'resumed.safetensors', bytes });
      this.#progress(0);
      return null;
    });
  }

  samples(): Promise<Outcome<View>> {
    return this.#ask((session) => session.inspect({ kind: 'samples' }));
  }

  async #create(): Promise<Outcome<RunOpened>> {
    const method = await this.#parts.method();
    const request = this.#request as RunRequest;
    const preset = method.presets[request.preset];
    if (preset === undefined)
      return failure('internal', `There is no preset "${request.preset}".`, 'Choose another one.');
    if (!this.#gpu || this.#gpu.lostReason !== null) {
      const result = await this.#parts.openGpu();
      if (!result.ok) return failure('no-webgpu', result.reason, result.advice);
      this.#gpu = result.gpu;
    }
    const { report } = this.#gpu;
    try {
      this.#session = await method.create(
        {
          gpu: this.#gpu,
          seed: request.seed,
          emit: (event) => this.#post(event),
          signal: this.#abort.signal,
        },
        configure(preset, method.fields, request.set),
      );
    } catch (error) {
      return failure(
        'internal',
        `The run could not start: ${message(error)}`,
        'Choose a smaller preset or reload the page.',
      );
    }
    return {
      ok: true,
      value: {
        phases: this.#session.phases,
        adapter: report.description || report.device || `${report.vendor} ${report.architecture}`.trim(),
      },
    };
  }

  async #run(): Promise<void> {
    while (this.#status === 'running') {
      await this.#slice({ ms: SLICE_MS });
      // Lets the worker's messages in.
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  #slice(budget: { ms?: number; steps?: number }): Promise<void> {
    return this.#exclusive(async () => {
      const session = this.#session;
      if (!session || this.#status === 'done' || this.#status === 'failed') return;
      const began = this.#parts.now();
      try {
        const more = await session.advance(budget);
        if (more === 'done') this.#status = 'done';
        this.#progress(this.#parts.now() - began);
        if (more === 'more' && this.#parts.now() - this.#safeAt > SAFETY_MS) await this.#keepSafe(session);
      } catch (error) {
        await this.#recover(error);
      }
    });
  }

  async #keepSafe(session: Session): Promise<void> {
    this.#safe = await session.save();
    this.#safeAt = this.#parts.now();
  }

  /** A lost device costs at most the work since the last checkpoint; anything else ends the run. */
  async #recover(error: unknown): Promise<void> {
    if (!this.#gpu || this.#gpu.lostReason === null || this.#rebuilds >= MAX_REBUILDS) {
      this.#status = 'failed';
      this.#post({ kind: 'log', text: `Stopped: ${message(error)}` });
      this.#progress(0);
      return;
    }
    this.#rebuilds++;
    this.#post({ kind: 'log', text: `The GPU device was lost (${this.#gpu.lostReason}). Rebuilding it.` });
    this.#session = null;
    const opened = await this.#create();
    if (!opened.ok || !this.#session) {
      this.#status = 'failed';
      this.#post({ kind: 'log', text: opened.ok ? 'The run is gone.' : `${opened.reason} ${opened.advice}` });
      this.#progress(0);
      return;
    }
    const session = this.#session as Session;
    if (this.#safe) await session.load(this.#safe);
    const { phase, step } = session.state();
    this.#post({ kind: 'log', text: `Going on from step ${step} of ${phase}.` });
  }

  /** A question to the session between two slices. */
  #ask<T>(question: (session: Session) => Promise<T>): Promise<Outcome<T>> {
    return this.#exclusive(async () => {
      if (!this.#session) return failure('internal', 'No run is open.', 'Start one first.');
      try {
        return { ok: true as const, value: await question(this.#session) };
      } catch (error) {
        return failure('internal', message(error), 'The run itself goes on.');
      }
    });
  }

  #progress(workMs: number): void {
    const state = this.#session?.state();
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
