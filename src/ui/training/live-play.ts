// The dream on the training page while somebody plays: a true world of its own beside it, the playground's clock and keys,
// and frames from the worker that trains. Not the playground: nothing is recorded, shared or set here.

import { type Remote, releaseProxy, transfer, wrap } from 'comlink';
import { ActionSampler } from '../playground/action-sampler.ts';
import { GamepadReader } from '../playground/gamepad.ts';
import { LockStep } from '../playground/lock-step.ts';
import type { DreamReport, Failure, SimApi, TruthTick } from '../playground/protocol.ts';
import { RateMeter } from '../playground/rate.ts';
import { DEFAULTS } from '../playground/share.ts';
import { StageInput } from '../playground/stage-input.ts';
import type { LiveDreamApi } from './train-protocol.ts';
import { type LiveState, useTraining } from './train-store.ts';

/** How often the clock is looked at. */
const BEAT_MS = 8;

const OPENING: LiveState = {
  info: null,
  index: 0,
  weightSteps: 0,
  psnr: null,
  fps: null,
  driver: 'script',
  paused: false,
  captured: false,
  touch: false,
  problem: '',
};

const get = (): LiveState => useTraining.getState().live ?? OPENING;

export interface LiveElements {
  stage: HTMLElement;
  dream: HTMLCanvasElement;
  truth: HTMLCanvasElement;
}

export class LivePlay {
  readonly sampler = new ActionSampler();
  readonly #host: Remote<LiveDreamApi>;
  readonly #worker: Worker;
  readonly #sim: Remote<SimApi>;
  readonly #clock: LockStep;
  readonly #input: StageInput;
  readonly #pad = new GamepadReader(this.sampler);
  readonly #rate = new RateMeter();
  readonly #timer: ReturnType<typeof setInterval>;
  #lastBeat = 0;
  #seed = DEFAULTS.seed;
  #started = false;
  #ended = false;
  /** Of the frame that is on its way. */
  #weightSteps = 0;

  constructor(elements: LiveElements, host: Remote<LiveDreamApi>, showKeys: () => void) {
    useTraining.setState({ live: { ...OPENING, touch: matchMedia('(pointer: coarse)').matches } });
    this.#host = host;
    this.#worker = new Worker(new URL('../../../workers/sim.ts', import.meta.url), { type: 'module', name: 'sim' });
    this.#worker.onerror = (event) => this.#set({ problem: `A part of the page failed: ${event.message}.` });
    this.#sim = wrap<SimApi>(this.#worker);
    this.#clock = new LockStep({
      sim: this.#sim,
      dream: {
        dreamFromTruth: (episode, index) => host.dreamFromTruth(episode, index),
        rebuild: () => host.rebuild(),
        step: async (...step) => {
          const report = await host.dream(...step);
          if (report.ok) this.#weightSteps = report.value.weightSteps;
          return report;
        },
      },
      chooseAction: () => this.#chooseAction(),
      settings: () => ({ dream: this.#settings(), film: false, speed: 1 }),
      onTruth: (tick) => this.#onTruth(tick),
      onDream: (report) => this.#onDream(report),
      onDreamFailure: (failure) => this.#fail(failure),
      onNotice: () => undefined,
    });
    const commands = {
      takeOver: () => this.takeOver(),
      togglePlay: () => this.#set({ paused: !get().paused }),
      singleStep: () => {
        this.#set({ paused: true });
        if (this.#clock.pending < 2) void this.#run(this.#clock.step());
      },
      continueDream: () => void this.#run(this.#clock.dreamFromHere()),
      newStart: () => {
        // Training worlds have even seeds, so an odd one was never learned from.
        this.#seed = (crypto.getRandomValues(new Uint32Array(1))[0] | 1) >>> 0;
        void this.#run(this.#clock.start(this.#seed));
      },
      showKeys,
      captured: (captured: boolean) => this.#set({ captured }),
      captureRefused: () => undefined,
      touched: () => this.#set({ touch: true }),
    };
    this.#input = new StageInput(elements.stage, this.sampler, commands, true);
    this.#timer = setInterval(() => this.#beat(), BEAT_MS);
    void this.#run(this.#open(elements));
  }

  dispose(): void {
    this.#ended = true;
    clearInterval(this.#timer);
    this.#input.dispose();
    void this.#host.closeDream();
    this.#sim[releaseProxy]();
    this.#worker.terminate();
    useTraining.setState({ live: null });
  }

  takeOver(): void {
    if (get().driver !== 'visitor') this.#set({ driver: 'visitor' });
  }

  async #open({ dream, truth }: LiveElements): Promise<void> {
    const channel = new MessageChannel();
    const [dreamed, seen] = [dream.transferControlToOffscreen(), truth.transferControlToOffscreen()];
    const opening = this.#host.openDream(transfer(dreamed, [dreamed]), transfer(channel.port2, [channel.port2]));
    const sim = await this.#sim.open(transfer(seen, [seen]), transfer(channel.port1, [channel.port1]));
    const opened = await opening;
    if (this.#ended) return;
    if (!opened.ok) return this.#fail(opened);
    const info = opened.value;
    const framed = await this.#sim.suit(info);
    if (!framed.ok) return this.#fail(framed);
    this.#clock.hz = sim.hz;
    await this.#clock.start(this.#seed);
    await this.#clock.dreamFromHere();
    this.#started = true;
    this.#set({ info });
  }

  #settings(): typeof DEFAULTS.dream {
    const { k } = DEFAULTS.dream;
    return { ...DEFAULTS.dream, k: Math.min(k, get().info?.kMax ?? k) };
  }

  #beat(): void {
    const now = performance.now();
    const seconds = Math.min(0.1, (now - this.#lastBeat) / 1000);
    this.#lastBeat = now;
    const pad = navigator.getGamepads?.().find((candidate) => candidate?.connected && candidate.mapping === 'standard');
    if (pad && this.#pad.read(pad, seconds, now)) this.takeOver();
    const { paused, problem } = get();
    if (this.#started && !paused && !problem && !document.hidden) this.#clock.pump(now);
  }

  #chooseAction(): number | null {
    if (get().driver === 'script') return null;
    this.#input.applyLookKeys();
    return this.sampler.sample();
  }

  #onTruth(tick: TruthTick): void {
    this.sampler.body = { guiOpen: tick.guiOpen, cursor: tick.cursor, slot: tick.slot, slots: 8 };
  }

  #onDream(report: DreamReport): void {
    const fps = this.#rate.mark(performance.now());
    this.#set({ index: report.index, psnr: report.psnr, weightSteps: this.#weightSteps, fps });
  }

  #fail(failure: Failure): void {
    this.#set({ problem: `${failure.reason} ${failure.advice}` });
  }

  async #run(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#set({ problem: `The simulator stopped: ${error instanceof Error ? error.message : String(error)}` });
    }
  }

  #set(change: Partial<LiveState>): void {
    if (!this.#ended) useTraining.setState({ live: { ...get(), ...change } });
  }
}
