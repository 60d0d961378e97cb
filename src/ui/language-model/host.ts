// The worker's half of the language model page: owns the device and the model on it. A broken device is never used again; the
// page holds the files and may ask for another load.

import { chosenFiles } from '../../data/model-files.ts';
import { type Gpu, type GpuResult, isBroken } from '../../gpu/device.ts';
import { checkQwen } from '../../lm/qwen/check.ts';
import { memoryOf, TextGenerator, type TextRequest, type Written } from '../../lm/qwen/generator.ts';
import { adapterName } from '../../runs/run-record.ts';
import type { Answer, FaultKind, LmApi, LmEvent, ModelFacts } from './protocol.ts';

/** Room for prompt and answer: what a page is used for, at 0.5 GB of cache for Qwen3-0.6B. */
const POSITIONS = 2048;

class Fault extends Error {
  readonly kind: FaultKind;
  constructor(kind: FaultKind, reason: string) {
    super(reason);
    this.kind = kind;
  }
}

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0];

export class LmHost implements LmApi {
  readonly #open: () => Promise<GpuResult>;
  #events: MessagePort | null = null;
  #gpu: Gpu | null = null;
  #generator: TextGenerator | null = null;
  /** One per command that is asked for and not answered yet. */
  readonly #pending = new Set<AbortController>();
  /** Commands take turns: a device is never asked two things at once. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(open: () => Promise<GpuResult>) {
    this.#open = open;
  }

  async listen(port: MessagePort): Promise<void> {
    this.#events = port;
  }

  async stop(): Promise<void> {
    for (const command of this.#pending) command.abort();
  }

  load(files: File[], load: number): Promise<Answer<ModelFacts>> {
    // What is under way or waits belongs to a model before.
    void this.stop();
    return this.#exclusive('device', async (signal) => {
      const checked = await checkQwen(chosenFiles(files), POSITIONS).catch((error: unknown) => {
        throw new Fault('files', words(error));
      });
      this.#generator?.dispose();
      this.#generator = null;
      signal.throwIfAborted();
      const gpu = await this.#device();
      signal.throwIfAborted();
      const positions = checked.config.context;
      const { report } = gpu;
      const facts: ModelFacts = {
        adapter: adapterName(report),
        software: report.software,
        parameters: checked.parameters,
        layers: checked.config.layers,
        tokens: checked.tokenizer.vocab,
        positions,
        ...memoryOf(gpu, checked, positions),
        chat: checked.chat,
      };
      this.#post({ kind: 'facts', load, facts });
      const onProgress = (done: number, total: number): void => this.#post({ kind: 'progress', load, done, total });
      this.#generator = await TextGenerator.open(gpu, checked, positions, { onProgress, signal });
      return facts;
    });
  }

  write(request: TextRequest, load: number): Promise<Answer<Written>> {
    return this.#exclusive('files', async (signal) => {
      if (!this.#generator) throw new Fault('lost', 'There is no model to write with.');
      const onText = (written: Written): void => this.#post({ kind: 'text', load, written });
      return this.#generator.write(request, { onText, signal });
    });
  }

  async #device(): Promise<Gpu> {
    if (this.#gpu && !this.#broken) return this.#gpu;
    const result = await this.#open();
    if (!result.ok) throw new Fault('device', `${result.reason} ${result.advice}`);
    const { gpu } = result;
    this.#gpu = gpu;
    void gpu.lost.then(() => {
      if (this.#gpu === gpu) this.#post({ kind: 'lost', reason: gpu.lostReason ?? 'unknown reason' });
    });
    return gpu;
  }

  get #broken(): boolean {
    return this.#gpu !== null && isBroken(this.#gpu);
  }

  #post(event: LmEvent): void {
    this.#events?.postMessage(event);
  }

  /** `otherwise`: what a fault is that names no kind itself. */
  #exclusive<T>(otherwise: FaultKind, body: (signal: AbortSignal) => Promise<T>): Promise<Answer<T>> {
    const command = new AbortController();
    const { signal } = command;
    this.#pending.add(command);
    const done = this.#turn.then(async (): Promise<Answer<T>> => {
      try {
        return { ok: true, value: await body(signal) };
      } catch (error) {
        if (error instanceof Fault) return { ok: false, kind: error.kind, reason: error.message };
        const lost = (this.#gpu?.lostReason ?? null) !== null;
        const broken = this.#broken;
        if (broken) this.#giveUp();
        const kind = lost || (broken && otherwise === 'files') ? 'lost' : signal.aborted ? 'stopped' : otherwise;
        return { ok: false, kind, reason: words(error) };
      } finally {
        this.#pending.delete(command);
      }
    });
    this.#turn = done;
    return done;
  }

  #giveUp(): void {
    const gpu = this.#gpu;
    this.#gpu = null;
    this.#generator?.dispose();
    this.#generator = null;
    gpu?.dispose();
  }
}
