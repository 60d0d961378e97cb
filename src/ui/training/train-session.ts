// The training page while it is open: owns the worker, turns its messages into the store, keeps the run record.

import { type Remote, releaseProxy, transfer, wrap } from 'comlink';
import { partFailed } from '../part-failed.ts';
import { download } from '../playground/clip.ts';
import { handOver } from '../playground/handover.ts';
import type { Outcome } from '../playground/protocol.ts';
import { keepRun } from '../runs-shelf.ts';
import { RateEstimate } from './rate-estimate.ts';
import { Series } from './series.ts';
import type { LiveDreamApi, RunOpened, RunRequest, TrainApi, TrainMessage } from './train-protocol.ts';
import { INITIAL, type TrainState, useTraining } from './train-store.ts';

/** How often pictures of the present model are asked for while it trains. */
const SAMPLES_MS = 5000;
const LOG_LINES = 200;
/** A run is kept when the page is left; the worker gets so long for it. */
const LEAVE_MS = 15_000;

const set = (change: Partial<TrainState>) => useTraining.setState(change);
const get = () => useTraining.getState();

const startWorker = (): Worker =>
  new Worker(new URL('../../../workers/train.ts', import.meta.url), { type: 'module', name: 'train' });

export class TrainSession {
  readonly #worker: Worker;
  readonly #host: Remote<TrainApi>;
  readonly #rate = new RateEstimate();
  readonly #abort = new AbortController();
  #timer: ReturnType<typeof setInterval>;
  #events: MessagePort | null = null;
  #asking = false;
  #startedAt = 0;
  /** One record per run: a run that ends by itself and is then stopped is still one. */
  #runId = '';
  /** Who paused the run. The worker is told at once, the store hears of it when a slice ends: it may say `running` till then. */
  #pausedBy: 'hiding' | 'visitor' | null = null;
  #latest: Record<string, number> = {};

  constructor(request: Partial<RunRequest>, worker: () => Worker = startWorker) {
    useTraining.setState({ ...INITIAL, request: { ...INITIAL.request, ...request }, series: new Map() }, true);
    this.#worker = worker();
    this.#worker.onerror = (event) => set({ failure: partFailed(event) });
    this.#host = wrap<TrainApi>(this.#worker);
    this.#timer = setInterval(() => void this.#lookAtSamples(), SAMPLES_MS);
    document.addEventListener('visibilitychange', () => this.#visibility(), { signal: this.#abort.signal });
    void this.#describe();
  }

  dispose(): void {
    this.#abort.abort();
    clearInterval(this.#timer);
    this.#events?.close();
    const late = new Promise((resolve) => setTimeout(resolve, LEAVE_MS));
    void Promise.race([this.#host.stop(), late]).finally(() => {
      this.#host[releaseProxy]();
      this.#worker.terminate();
    });
  }

  /** What a dream on the live weights is asked of. */
  get live(): Remote<LiveDreamApi> {
    return this.#host;
  }

  choose(change: Partial<RunRequest>): void {
    set({ request: { ...get().request, ...change } });
  }

  async start(): Promise<void> {
    const id = Array.from(crypto.getRandomValues(new Uint32Array(2)), (word) => word.toString(36)).join('');
    const identity = { id, at: Date.now() };
    await this.#open((events) => this.#host.start(get().request, identity, events));
  }

  /** Goes on with a run that this browser kept. */
  async reopen(id: string): Promise<void> {
    await this.#open((events) => this.#host.reopen(id, events));
  }

  async forget(id: string): Promise<void> {
    const forgotten = await this.#host.forget(id);
    set({ failure: forgotten.ok ? null : forgotten });
    await this.#listKept();
  }

  async #open(opening: (events: MessagePort) => Promise<Outcome<RunOpened>>): Promise<void> {
    this.#events?.close();
    const channel = new MessageChannel();
    this.#events = channel.port1;
    this.#rate.clear();
    this.#pausedBy = null;
    this.#latest = {};
    channel.port1.onmessage = (event: MessageEvent<TrainMessage>) => this.#accept(event.data);
    set({
      status: 'opening',
      failure: null,
      phases: [],
      series: new Map(),
      drawn: 0,
      log: [],
      samples: null,
      dreamSteps: 0,
      live: null,
      step: 0,
      workMs: 0,
      notice: '',
      keptAt: null,
      unkept: '',
    });
    const opened = await opening(transfer(channel.port2, [channel.port2]));
    if (this.#abort.signal.aborted) return;
    if (!opened.ok) return set({ status: 'idle', failure: opened });
    const { id, at, request, phases, adapter, status, phase, step, workMs, lines } = opened.value;
    this.#startedAt = at;
    this.#runId = id;
    // What the run said in the meantime is newer.
    const early = get();
    for (const [name, points] of Object.entries(lines)) {
      for (const { step: x, value } of points) this.#point(name, x, value);
    }
    set({
      request,
      phases,
      adapter,
      workMs: early.workMs + workMs,
      drawn: get().drawn + 1,
      ...(early.status === 'opening' && { status, phase: phase || (phases[0]?.id ?? ''), step }),
    });
    this.#say(`Training on ${adapter}.`);
    if (status === 'done') void this.#lookAtSamples(true);
  }

  async togglePause(): Promise<void> {
    if (get().status !== 'running') return this.#goOn();
    this.#pausedBy = 'visitor';
    this.#rate.clear();
    await this.#host.pause();
  }

  async step(): Promise<void> {
    this.#pausedBy = 'visitor';
    await this.#host.step();
    await this.#lookAtSamples(true);
  }

  async stop(): Promise<void> {
    await this.#host.stop();
  }

  async saveFile(): Promise<void> {
    const saved = await this.#host.save();
    if (!saved.ok) return set({ notice: saved.reason });
    download(new Blob([saved.value.bytes]), saved.value.name);
  }

  async loadFile(file: File): Promise<void> {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const loaded = await this.#host.load(transfer(bytes, [bytes.buffer]));
    set({ notice: loaded.ok ? '' : `${file.name} cannot be resumed here: ${loaded.reason}` });
  }

  /** The present weights become the dream of the playground. */
  async play(): Promise<boolean> {
    const saved = await this.#host.export(`grown here, seed ${get().request.seed}`);
    if (!saved.ok) {
      set({ notice: saved.reason });
      return false;
    }
    handOver(saved.value.bytes);
    return true;
  }

  async #describe(): Promise<void> {
    const described = await this.#host.describe().catch(partFailed);
    if (this.#abort.signal.aborted) return;
    if (!described.ok) return set({ failure: described });
    const card = described.value;
    const wanted = get().request.preset;
    const preset = card.presets.some(({ name }) => name === wanted) ? wanted : card.presets[0]?.name;
    set({ card, request: { ...get().request, preset } });
    await this.#listKept();
  }

  async #listKept(): Promise<void> {
    const kept = await this.#host.kept();
    if (!this.#abort.signal.aborted) set({ kept });
  }

  #accept(message: TrainMessage): void {
    if (message.kind === 'log') this.#say(message.text);
    else if (message.kind === 'metrics') this.#measure(message);
    else if (message.kind === 'kept') this.#kept(message);
    else this.#advance(message);
  }

  #measure(message: Extract<TrainMessage, { kind: 'metrics' }>): void {
    for (const [name, value] of Object.entries(message.values)) {
      this.#point(`${message.phase}/${name}`, message.step, value);
    }
    set({ drawn: get().drawn + 1 });
  }

  #point(name: string, step: number, value: number): void {
    const { series } = get();
    let line = series.get(name);
    if (!line) {
      line = new Series();
      series.set(name, line);
    }
    line.add(step, value);
    this.#latest[name] = value;
  }

  #kept({ phase, step, problem }: Extract<TrainMessage, { kind: 'kept' }>): void {
    set(problem ? { unkept: problem } : { unkept: '', keptAt: { phase, step } });
    if (get().status !== 'running') void this.#listKept();
  }

  #advance(message: Extract<TrainMessage, { kind: 'progress' }>): void {
    const { status, phase, step, workMs, dreamSteps } = message;
    if (status === 'running') this.#rate.report(phase, step, performance.now());
    const steps = get().phases.find((candidate) => candidate.id === phase)?.steps ?? 0;
    const ended = (status === 'done' || status === 'failed') && get().status !== status;
    set({
      status,
      phase,
      step,
      dreamSteps,
      workMs: get().workMs + workMs,
      perSecond: this.#rate.perSecond(),
      secondsLeft: this.#rate.secondsLeft(steps),
    });
    if (ended) {
      void this.#keepRecord();
      void this.#listKept();
      void this.#lookAtSamples(true);
    }
  }

  async #lookAtSamples(even = false): Promise<void> {
    const { live, status, series } = get();
    // Who plays sees more than a strip, and should not wait for one.
    if (this.#asking || live) return;
    // Nothing is learned before the first measurement.
    if (!even && (status !== 'running' || series.size === 0)) return;
    this.#asking = true;
    try {
      const samples = await this.#host.samples();
      if (samples.ok && !this.#abort.signal.aborted) set({ samples: samples.value });
    } finally {
      this.#asking = false;
    }
  }

  async #keepRecord(): Promise<void> {
    const { request, adapter, workMs, step } = get();
    if (step === 0) return;
    try {
      await keepRun({
        id: this.#runId,
        at: this.#startedAt,
        method: 'dreamer4',
        preset: request.preset,
        seed: request.seed,
        adapter,
        wallMs: workMs,
        config: request.set,
        metrics: { ...this.#latest, step },
      });
    } catch (error) {
      const full = error instanceof DOMException && error.name === 'QuotaExceededError';
      set({
        notice: full
          ? 'The browser’s storage is full, so this run is not kept. Save the checkpoint as a file.'
          : `The run could not be kept: ${error instanceof Error ? error.message : String(error)}`,
      });
    }
  }

  /** Not while a run opens, and not after its end. */
  get #underWay(): boolean {
    const { status } = get();
    return status === 'running' || status === 'paused';
  }

  async #goOn(): Promise<void> {
    this.#pausedBy = null;
    if (!this.#underWay) return;
    this.#rate.clear();
    set({ status: 'running' });
    await this.#host.resume();
  }

  #visibility(): void {
    if (document.hidden && this.#underWay) {
      // One that stands still may have made single steps.
      void this.#host.pause();
      if (this.#pausedBy) return;
      this.#pausedBy = 'hiding';
      this.#rate.clear();
      set({ notice: 'Paused while this tab is hidden.' });
    } else if (!document.hidden && this.#pausedBy === 'hiding') {
      set({ notice: '' });
      void this.#goOn();
    }
  }

  #say(text: string): void {
    set({ log: [...get().log, text].slice(-LOG_LINES) });
  }
}
