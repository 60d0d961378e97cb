// The gpu worker's half of the playground: owns the device, the loaded dream and the canvas of the dream pane. Every call
// answers with an Outcome; nothing throws across the thread. Knows nothing of the page.

import { type AdapterReport, type Gpu, type GpuResult, isBroken } from '../../gpu/device.ts';
import { type Dream, type DreamInfo, type DreamSettings, NO_ACTION } from '../../methods/dreamer4/play-contract.ts';
import { fetchShipped } from './checkpoint-source.ts';
import { type DreamScreen, dreamScreen } from './dream-screen.ts';
import { compareImages, pixelMoments } from './image-metrics.ts';
import {
  type DreamReport,
  type Failure,
  type GpuApi,
  type Outcome,
  type ShippedDream,
  SOFTWARE_CONTEXT,
  type TruthMessage,
} from './protocol.ts';
import { packContext, type TrueFrame, TruthFeed } from './truth-feed.ts';

export type DreamFactory = (
  gpu: Gpu,
  checkpoint: Uint8Array<ArrayBuffer>,
  options: { streams: number; k?: number },
) => Promise<Dream>;

export interface DreamSessionParts {
  openGpu(): Promise<GpuResult>;
  factory(): Promise<DreamFactory>;
  fetch: typeof fetch;
}

const LOSS_GRACE_MS = 250;

export class DreamSession implements GpuApi {
  readonly #parts: DreamSessionParts;
  readonly #feed = new TruthFeed();
  #gpu: Gpu | null = null;
  #canvas: OffscreenCanvas | null = null;
  #screen: DreamScreen | null = null;
  #checkpoint: Uint8Array<ArrayBuffer> | null = null;
  #dream: Dream | null = null;
  /** What the dream has seen and dreamed, newest last: its context if the device has to be rebuilt. */
  #past: TrueFrame[] = [];
  /** Work on the dream, one after the other: another model must not take the device's buffers from a step in flight. */
  #turn: Promise<unknown> = Promise.resolve();
  #start = { mean: 0, deviation: 0 };

  constructor(parts: DreamSessionParts) {
    this.#parts = parts;
  }

  async open(canvas: OffscreenCanvas | null, truth: MessagePort): Promise<Outcome<AdapterReport>> {
    truth.onmessage = (event: MessageEvent<TruthMessage>) => this.#feed.accept(event.data);
    this.#canvas = canvas;
    return this.#openDevice();
  }

  async loadShipped(base: string, wanted: string): Promise<Outcome<ShippedDream>> {
    const fetched = await fetchShipped(base, wanted, this.#parts.fetch);
    if (!fetched.ok) return fetched;
    const { bytes, model, models } = fetched.value;
    const loaded = await this.loadBytes(bytes);
    return loaded.ok ? { ok: true, value: { info: loaded.value, model, models } } : loaded;
  }

  async loadBytes(bytes: Uint8Array<ArrayBuffer>): Promise<Outcome<DreamInfo>> {
    if (!this.#gpu) return noDevice;
    const device = isBroken(this.#gpu) ? await this.#openDevice() : null;
    if (device?.ok === false) return device;
    let dream: Dream;
    try {
      const factory = await this.#parts.factory();
      dream = await factory(this.#gpu, bytes, { streams: 1 });
    } catch (error) {
      if (this.#gpu.lostReason !== null) return lost(this.#gpu);
      return failure(
        'bad-checkpoint',
        `The checkpoint cannot be played: ${sentence(error)}`,
        'Choose another file, or reload for the shipped one.',
      );
    }
    // Only a checkpoint that works replaces the one that is there.
    return this.#inTurn(async () => {
      this.#dream?.dispose();
      this.#dream = dream;
      this.#checkpoint = bytes;
      this.#past = [];
      this.#screen?.resize(dream.info.width, dream.info.height);
      return { ok: true, value: dream.info };
    });
  }

  async dreamFromTruth(episode: number, index: number): Promise<Outcome<DreamReport | null>> {
    if (!this.#dream) return noDevice;
    // The page's call may overtake the simulator's frames: without them the dream would begin from an older past.
    await this.#feed.frame(episode, index);
    const { contextFrames } = this.#dream.info;
    const software = this.#gpu?.report.software ?? false;
    const context = this.#feed.recent(software ? Math.min(SOFTWARE_CONTEXT, contextFrames) : contextFrames);
    const size = this.#dream.info.width * this.#dream.info.height * 3;
    if (context[0].rgb.length !== size) {
      return failure(
        'bad-checkpoint',
        `The model dreams ${this.#dream.info.width}x${this.#dream.info.height} pixels, this world has ${this.#feed.width}x${this.#feed.height}.`,
        'Choose a checkpoint of the same frame size.',
      );
    }
    return this.#guard(async () => {
      await this.#observe(context);
      this.#start = pixelMoments(context[context.length - 1].rgb);
      return null;
    });
  }

  async step(episode: number, index: number, settings: DreamSettings, film: boolean): Promise<Outcome<DreamReport>> {
    const truth = await this.#feed.frame(episode, index);
    return this.#guard(async (dream) => {
      const frame = await dream.step(Uint32Array.of(truth.action), settings, { rgb: true, film });
      this.#screen?.show(dream, frame.rgb);
      this.#past.push({ index, action: truth.action, rgb: frame.rgb });
      if (this.#past.length > dream.info.contextFrames) this.#past.shift();
      const { psnr, cells } = compareImages(frame.rgb, truth.rgb, dream.info.width, dream.info.height);
      const { mean, deviation } = pixelMoments(frame.rgb);
      return {
        episode,
        index,
        // A copy: the page takes the buffer, the past keeps its own.
        rgb: frame.rgb.slice(),
        film: frame.film,
        ringFill: frame.ringFill,
        timing: frame.timing,
        psnr,
        cells,
        mean,
        deviation,
        startMean: this.#start.mean,
        startDeviation: this.#start.deviation,
      };
    });
  }

  async rebuild(): Promise<Outcome<DreamInfo>> {
    if (!this.#checkpoint) return noDevice;
    const past = this.#past;
    this.#dream = null;
    const device = await this.#openDevice();
    if (!device.ok) return device;
    const loaded = await this.loadBytes(this.#checkpoint);
    if (!loaded.ok || past.length === 0) return loaded;
    // The frame before the oldest one is gone, so nothing is known about the action that led into it.
    const context = past.map((frame, i) => (i === 0 ? { ...frame, action: NO_ACTION } : frame));
    return this.#guard(async (dream) => {
      await this.#observe(context);
      return dream.info;
    });
  }

  dispose(): void {
    this.#dream?.dispose();
    this.#dream = null;
  }

  async #openDevice(): Promise<Outcome<AdapterReport>> {
    const result = await this.#parts.openGpu();
    if (!result.ok) return failure('no-webgpu', result.reason, result.advice);
    this.#gpu = result.gpu;
    if (this.#canvas) this.#screen ??= dreamScreen(this.#canvas, result.gpu.report.software);
    this.#screen?.attach(result.gpu.device);
    return { ok: true, value: result.gpu.report };
  }

  async #observe(frames: readonly TrueFrame[]): Promise<void> {
    const dream = this.#dream as Dream;
    dream.reset();
    const { rgb, actions } = packContext(frames);
    await dream.observe(rgb, actions);
    this.#past = frames.slice();
  }

  /** Runs work when all that was asked for before is done. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** Runs work on the dream in its turn; a lost device ends it even when the work itself would wait for ever. */
  #guard<T>(work: (dream: Dream) => Promise<T>): Promise<Outcome<T>> {
    return this.#inTurn(() => this.#onDevice(work));
  }

  async #onDevice<T>(work: (dream: Dream) => Promise<T>): Promise<Outcome<T>> {
    const gpu = this.#gpu;
    const dream = this.#dream;
    if (!gpu || !dream) return noDevice;
    if (isBroken(gpu)) return lost(gpu);
    const gone = gpu.lost.then(() => null);
    try {
      const value = await Promise.race([work(dream).then((done) => ({ done })), gone]);
      return value ? { ok: true, value: value.done } : lost(gpu);
    } catch (error) {
      // A read-back that a lost device breaks off may be told of it before the device's own promise is.
      await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, LOSS_GRACE_MS))]);
      if (isBroken(gpu)) return lost(gpu);
      return failure('internal', `The dream stopped: ${sentence(error)}`, 'Reset starts it again.');
    }
  }
}

const failure = (code: Failure['code'], reason: string, advice: string): Failure => ({
  ok: false,
  code,
  reason,
  advice,
});
const noDevice = failure('no-webgpu', 'No world model is loaded.', 'Reload the page.');
const lost = (gpu: Gpu): Failure =>
  failure('device-lost', `The GPU device was lost (${gpu.lostReason ?? gpu.error}).`, 'It is being rebuilt.');

function sentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.endsWith('.') ? text : `${text}.`;
}
