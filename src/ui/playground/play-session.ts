// The playground while it is on screen: starts the two workers, runs the clock, moves results into the store and the
// settings into the address. One per mounted stage; dispose() ends everything it started.

import { type Remote, releaseProxy, transfer, wrap } from 'comlink';
import type { AdapterReport } from '../../gpu/device.ts';
import type { DreamInfo } from '../../methods/dreamer4/play-contract.ts';
import { replaceQuery } from '../shell/hash-location.ts';
import { ActionSampler } from './action-sampler.ts';
import { CLIP_SECONDS, ClipRing, download } from './clip.ts';
import { GamepadReader } from './gamepad.ts';
import { handedOver } from './handover.ts';
import { LockStep } from './lock-step.ts';
import { modelsFolder } from './model-card.ts';
import { type DreamPhase, INITIAL, type PlayState, usePlay } from './play-store.ts';
import type { DreamReport, Failure, GpuApi, Outcome, SimApi, TruthTick } from './protocol.ts';
import { RateMeter } from './rate.ts';
import { type PlaySettings, RENEW_STEPS, settingsToQuery } from './share.ts';
import { StageInput } from './stage-input.ts';
import { onlyTab } from './tab-lock.ts';
import { TraceLog } from './trace-log.ts';

export interface StageElements {
  stage: HTMLElement;
  dream: HTMLCanvasElement;
  truth: HTMLCanvasElement;
}

/** How often the clock is looked at. Not an animation frame: a slow compositor must not slow the worlds down. */
const BEAT_MS = 8;

const LEFT: Failure = { ok: false, code: 'internal', reason: 'The playground was left.', advice: '' };

const newSimWorker = () =>
  new Worker(new URL('../../../workers/sim.ts', import.meta.url), { type: 'module', name: 'sim' });

const set = (change: Partial<PlayState>) => usePlay.setState(change);

export class PlaySession {
  readonly trace = new TraceLog();
  readonly sampler = new ActionSampler();
  readonly #workers: Worker[] = [];
  #gallery: Remote<SimApi> | null = null;
  readonly #sim: Remote<SimApi>;
  readonly #gpu: Remote<GpuApi>;
  readonly #clock: LockStep;
  readonly #input: StageInput;
  readonly #pad = new GamepadReader(this.sampler);
  readonly #rate = new RateMeter();
  readonly #abort = new AbortController();
  #clip = new ClipRing(CLIP_SECONDS * 10);
  /** What the worker dreams with since the last load that worked. */
  #model: DreamInfo | null = null;
  /** What the clock said last. */
  #said = '';
  /** The visitor has had a hand in the present episode: it is not what the link alone says any more. */
  #visited = false;
  #settle = (): void => undefined;
  /** The dream has begun, or will not: until then the processor has more urgent work than the gallery. */
  readonly #settled = new Promise<void>((resolve) => {
    this.#settle = resolve;
  });
  #timer: ReturnType<typeof setInterval>;
  #lastBeat = 0;
  #ended = false;
  #showKeys: () => void;

  constructor(elements: StageElements, settings: PlaySettings, showKeys: () => void) {
    usePlay.setState(
      { ...INITIAL, settings, hidden: document.hidden, touch: matchMedia('(pointer: coarse)').matches },
      true,
    );
    this.#showKeys = showKeys;
    this.#sim = this.#startWorker<SimApi>(newSimWorker());
    this.#gpu = this.#startWorker<GpuApi>(
      new Worker(new URL('../../../workers/gpu.ts', import.meta.url), { type: 'module', name: 'gpu' }),
    );
    this.#clock = new LockStep({
      sim: this.#sim,
      dream: this.#gpu,
      chooseAction: () => this.#chooseAction(),
      settings: () => {
        const { settings, driver } = usePlay.getState();
        return { ...settings, renew: settings.renew && driver === 'script' ? RENEW_STEPS : undefined };
      },
      onTruth: (tick) => this.#onTruth(tick),
      onDream: (report) => this.#onDream(report),
      onRenewal: () => this.trace.mark(),
      onDreamFailure: (failure) => this.#onDreamFailure(failure),
      onNotice: (notice) => this.#say(notice),
    });
    this.#input = new StageInput(elements.stage, this.sampler, {
      takeOver: () => this.takeOver(),
      togglePlay: () => this.togglePlay(),
      singleStep: () => this.singleStep(),
      continueDream: () => this.continueDream(),
      newStart: () => this.newStart(),
      showKeys: () => this.#showKeys(),
      captured: (captured) => set({ captured }),
      captureRefused: () =>
        set({ notice: 'The browser did not lend the mouse. Keys and arrow keys work; click again in a second.' }),
      touched: () => set({ touch: true }),
    });
    document.addEventListener('visibilitychange', () => this.#visibility(), { signal: this.#abort.signal });
    onlyTab(this.#abort.signal, (otherTab) => set({ otherTab }));
    this.#publish(settings);
    void this.#open(elements, settings.seed);
    this.#timer = setInterval(() => this.#beat(), BEAT_MS);
  }

  dispose(): void {
    this.#ended = true;
    clearInterval(this.#timer);
    this.#abort.abort();
    this.#input.dispose();
    this.#sim[releaseProxy]();
    this.#gpu[releaseProxy]();
    this.#gallery?.[releaseProxy]();
    for (const worker of this.#workers) worker.terminate();
  }

  // --- commands of the views ---

  takeOver(): void {
    const { driver, notice } = usePlay.getState();
    this.#visited = true;
    if (driver !== 'visitor') set({ driver: 'visitor' });
    if (notice && this.#clock.dreaming) set({ notice: '' });
  }

  letWalk(): void {
    this.sampler.clear();
    set({ driver: 'script' });
  }

  togglePlay(): void {
    set({ playing: !usePlay.getState().playing });
    this.#rate.clear();
  }

  singleStep(): void {
    set({ playing: false });
    // One more may wait while the dream works; a key that repeats must not pile up steps.
    if (this.#clock.pending < 2) void this.#run(this.#clock.step());
  }

  /** The last true frames become the dream's context. */
  continueDream(): void {
    if (usePlay.getState().dream.phase !== 'ready') return;
    this.trace.mark();
    void this.#run(this.#clock.dreamFromHere());
  }

  reset(): void {
    this.startFrom(usePlay.getState().settings.seed);
  }

  newStart(): void {
    // Training worlds have even seeds, so an odd one was never learned from.
    this.startFrom((crypto.getRandomValues(new Uint32Array(1))[0] | 1) >>> 0);
  }

  startFrom(seed: number): void {
    this.sampler.clear();
    this.change({ seed });
    void this.#run(this.#clock.start(seed));
    const { dream } = usePlay.getState();
    // The model is still there: what stopped was one piece of its work.
    if (dream.phase === 'failed' && dream.failure.code === 'internal' && this.#model) {
      set({ dream: { phase: 'ready', info: this.#model } });
      this.continueDream();
    }
  }

  change(change: Partial<PlaySettings>): void {
    const settings = { ...usePlay.getState().settings, ...change };
    set({ settings });
    this.#publish(settings);
  }

  /** The address changed under a running session: a share link was followed, and plays as it would on a fresh page. */
  follow(settings: PlaySettings): void {
    const now = usePlay.getState().settings;
    if (settingsToQuery(settings) === settingsToQuery(now)) return;
    set({ settings, driver: 'script' });
    this.startFrom(settings.seed);
    if (settings.model !== now.model) void this.#loadShipped(settings.model);
  }

  /** Another of the models that came with the page. */
  changeModel(rung: string): void {
    this.change({ model: rung });
    void this.#loadShipped(rung);
  }

  async loadFile(file: File): Promise<void> {
    set({ dream: { phase: 'loading' } });
    const bytes = new Uint8Array(await file.arrayBuffer());
    set({ model: null });
    await this.#adopt(this.#gpu.loadBytes(transfer(bytes, [bytes.buffer])));
  }

  /** Pictures of the gallery come from a simulator of their own: building eight worlds must not hold up the one in play. */
  async preview(seed: number): Promise<Uint8Array> {
    await this.#settled;
    if (this.#ended) throw new Error('the playground was left');
    const { sim } = usePlay.getState();
    this.#gallery ??= this.#startWorker(newSimWorker());
    if (sim) await this.#gallery.suit(sim);
    return this.#gallery.preview(seed);
  }

  get sim(): Remote<SimApi> {
    return this.#sim;
  }

  async saveVideo(): Promise<void> {
    const { sim, saving } = usePlay.getState();
    if (!sim || saving) return;
    set({ saving: true });
    try {
      const { makeVideo } = await import('./video.ts');
      const video = await makeVideo(this.#clip.frames(), sim.width, sim.height, sim.hz);
      download(video, `tenfold-${usePlay.getState().settings.seed}.webm`);
    } catch (error) {
      set({ notice: `No video: ${error instanceof Error ? error.message : String(error)}` });
    } finally {
      set({ saving: false });
    }
  }

  // --- inside ---

  async #open(elements: StageElements, seed: number): Promise<void> {
    const channel = new MessageChannel();
    const truth = elements.truth.transferControlToOffscreen();
    const dream = elements.dream.transferControlToOffscreen();
    const device = this.#gpu.open(transfer(dream, [dream]), transfer(channel.port2, [channel.port2]));
    // Kernels are compiled while the simulator builds its world.
    const loading = device.then((opened) => this.#firstDream(opened));
    try {
      const sim = await this.#sim.open(transfer(truth, [truth]), transfer(channel.port1, [channel.port1]));
      this.#clip = new ClipRing(CLIP_SECONDS * sim.hz);
      this.#clock.hz = sim.hz;
      set({ sim });
      await this.#clock.start(seed);
    } catch (error) {
      set({ simFailure: `The simulator could not start: ${error instanceof Error ? error.message : String(error)}` });
      return;
    }
    await this.#adopt(loading);
  }

  /** The model that was trained in this tab, or the one that the link names. */
  async #firstDream(opened: Outcome<AdapterReport>): Promise<Outcome<DreamInfo>> {
    if (!opened.ok) return opened;
    if (this.#ended) return LEFT;
    set({ adapter: opened.value, dream: { phase: 'loading' } });
    const trained = handedOver();
    return trained ? this.#gpu.loadBytes(trained) : this.#shipped(usePlay.getState().settings.model);
  }

  async #shipped(rung: string): Promise<Outcome<DreamInfo>> {
    set({ dream: { phase: 'loading' } });
    const loaded = await this.#gpu.loadShipped(modelsFolder(), rung);
    if (!loaded.ok) return loaded;
    if (!this.#ended) set({ models: loaded.value.models, model: loaded.value.model });
    return { ok: true, value: loaded.value.info };
  }

  #loadShipped(rung: string): Promise<void> {
    return this.#adopt(this.#shipped(rung));
  }

  async #adopt(loading: Outcome<DreamInfo> | Promise<Outcome<DreamInfo>>): Promise<void> {
    const loaded = await loading;
    if (this.#ended) return;
    if (!loaded.ok) return this.#onDreamFailure(loaded);
    const info = loaded.value;
    const { sim } = usePlay.getState();
    const fits = sim?.world === info.world && sim.width === info.width && sim.height === info.height;
    if (!fits && !(await this.#suit(info))) return;
    this.#model = info;
    set({ dream: { phase: 'ready', info } });
    const { settings } = usePlay.getState();
    if (settings.dream.k > info.kMax) this.change({ dream: { ...settings.dream, k: info.kMax } });
    // What a link shows must not depend on how long the model took to load. Who walks already is not sent back, unless
    // the model knows other worlds.
    if (this.#visited && fits) this.continueDream();
    else void this.#run(this.#clock.begin(settings.seed));
  }

  /** A model of other worlds or of another frame size changes what the simulator plays and draws from the next start on. */
  async #suit(info: DreamInfo): Promise<boolean> {
    const changed = await this.#sim.suit(info);
    if (changed.ok) set({ sim: changed.value });
    else this.#onDreamFailure(changed);
    return changed.ok;
  }

  #beat(): void {
    const now = performance.now();
    const seconds = Math.min(0.1, (now - this.#lastBeat) / 1000);
    this.#lastBeat = now;
    const pad = navigator.getGamepads?.().find((candidate) => candidate?.connected && candidate.mapping === 'standard');
    if (pad && this.#pad.read(pad, seconds, now)) this.takeOver();
    const { playing, hidden, truth } = usePlay.getState();
    if (playing && !hidden && truth) this.#clock.pump(now);
  }

  #chooseAction(): number | null {
    if (usePlay.getState().driver === 'script') return null;
    this.#input.applyLookKeys();
    return this.sampler.sample();
  }

  #onTruth(tick: TruthTick): void {
    const { sim, dream, driver } = usePlay.getState();
    this.sampler.body = { guiOpen: tick.guiOpen, cursor: tick.cursor, slot: tick.slot, slots: 8 };
    if (tick.index === 0) {
      this.#visited = driver === 'visitor';
      this.#clip.clear();
      this.trace.clear();
    }
    this.#clip.push({ index: tick.index, truth: tick.rgb, dream: null, psnr: null });
    this.trace.step(tick.index, tick.action);
    const fps =
      dream.phase === 'ready' && this.#clock.dreaming ? usePlay.getState().fps : this.#rate.mark(performance.now());
    set({ truth: tick, fps, clipFrames: this.#clip.length, sim, ...(tick.index === 0 ? { report: null } : {}) });
  }

  #onDream(report: DreamReport): void {
    this.#settle();
    this.#clip.attachDream(report.index, report.rgb, report.psnr);
    this.trace.attach(report.index, report.psnr);
    set({ report, fps: this.#rate.mark(performance.now()) });
  }

  #onDreamFailure(failure: Failure): void {
    this.#settle();
    if (this.#ended) return;
    const dream: DreamPhase = { phase: 'failed', failure };
    this.#clock.stopDreaming();
    set({ dream, report: null, notice: '' });
  }

  /** What the clock says gives way to what others said, e.g. that there is no WebGL, and takes back only its own words. */
  #say(notice: string): void {
    const shown = usePlay.getState().notice;
    if (shown !== '' && shown !== this.#said) return;
    this.#said = notice;
    set({ notice });
  }

  #visibility(): void {
    if (document.hidden) this.sampler.clear();
    this.#rate.clear();
    set({ hidden: document.hidden });
  }

  async #run(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      set({
        simFailure: `The simulator stopped: ${error instanceof Error ? error.message : String(error)}. Reload the page.`,
      });
    }
  }

  #startWorker<Api>(worker: Worker): Remote<Api> {
    worker.onerror = (event) => this.#workerFailed(event);
    this.#workers.push(worker);
    return wrap<Api>(worker);
  }

  #workerFailed(event: ErrorEvent): void {
    set({ simFailure: `A part of the page failed: ${event.message || 'a worker did not load'}. Reload the page.` });
  }

  #publish(settings: PlaySettings): void {
    replaceQuery(settingsToQuery(settings));
  }
}
