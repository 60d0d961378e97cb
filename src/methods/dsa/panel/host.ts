// The worker's half of the page: owns a device, the weights that are looked at, and the run that may replace them.

import type { Gpu } from '../../../gpu/device.ts';
import { openGpu } from '../../../gpu/device.ts';
import type { ParamStore } from '../../../nn/params.ts';
import { NONE, type Selector, topK } from '../../../tensor/ops/topk.ts';
import { compile } from '../../../tensor/program.ts';
import { configure, type DsaConfig } from '../config.ts';
import { costAt } from '../cost.ts';
import { Inspector } from '../inspect.ts';
import { DsaSession, loadModels } from '../session.ts';
import { rowOf } from '../tasks.ts';
import type { Answer, Choice, DsaApi, Opened, ProbeRequest, TrainState } from './protocol.ts';

/** The seed of the rows that the inspector shows. */
const SEED = 7;
const SELECTORS: readonly Selector[] = ['radix', 'split', 'bisect'];

async function answer<T>(body: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await body() };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

export class DsaHost implements DsaApi {
  #gpu: Gpu | null = null;
  #config: DsaConfig | null = null;
  #store: ParamStore | null = null;
  #inspector: { key: string; inspector: Inspector } | null = null;
  #session: DsaSession | null = null;
  #values: Record<string, number> = {};
  /** Commands take turns: a device is never asked two things at once. */
  #turn: Promise<unknown> = Promise.resolve();

  open(checkpoint: Uint8Array<ArrayBuffer>): Promise<Answer<Opened>> {
    return this.#exclusive(async () => {
      const gpu = await this.#device();
      const models = loadModels(gpu, checkpoint);
      this.#use(models.config, models.sparse);
      const { description, device, vendor, architecture } = gpu.report;
      return {
        adapter: description || device || `${vendor} ${architecture}`.trim(),
        config: models.config,
        title: models.title,
        rowSeed: SEED,
      };
    });
  }

  probe({ task, index, quant, hadamard, k }: ProbeRequest) {
    return this.#exclusive(async () => {
      const gpu = await this.#device();
      if (!this.#config || !this.#store) throw new Error('There are no weights to look at.');
      const config = { ...this.#config, quant, hadamard };
      const key = `${quant} ${hadamard} ${k}`;
      if (this.#inspector?.key !== key) {
        this.#inspector?.inspector.dispose();
        this.#inspector = { key, inspector: new Inspector(gpu, config, this.#store, k) };
      }
      return this.#inspector.inspector.probe(rowOf(config, task, 'eval', SEED, index));
    });
  }

  select(scores: Float32Array<ArrayBuffer>, k: number): Promise<Answer<Choice[]>> {
    return this.#exclusive(async () => {
      const program = compile(await this.#device(), (g) => {
        const [row, seen] = [g.input('scores', [1, scores.length]), g.input('bounds', [1, 2])];
        for (const kind of SELECTORS) g.output(kind, topK(row, seen, k, kind));
      });
      program.run({ scores, bounds: new Uint32Array([0, scores.length]) });
      const choices: Choice[] = [];
      for (const selector of SELECTORS) {
        const chosen = Array.from(new Uint32Array(await program.readBytes(selector)));
        choices.push({ selector, chosen: chosen.filter((s) => s !== NONE) });
      }
      program.dispose();
      return choices;
    });
  }

  cost(position: number, phase: 'decode' | 'prefill', k: number) {
    return this.#exclusive(async () => costAt(await this.#device(), configure('small'), position, phase, k, 3));
  }

  start(preset: string, seed: number): Promise<Answer<TrainState>> {
    return this.#exclusive(async () => {
      const gpu = await this.#device();
      const config = configure(preset);
      this.#session?.dispose();
      this.#values = {};
      this.#session = new DsaSession(
        {
          gpu,
          seed,
          signal: new AbortController().signal,
          emit: (event) => {
            if (event.kind === 'metrics') this.#values = event.values;
          },
        },
        config,
      );
      this.#use(config, this.#session.stores.sparse);
      return this.#state(this.#session);
    });
  }

  advance(ms: number): Promise<Answer<TrainState>> {
    return this.#exclusive(async () => {
      if (!this.#session) throw new Error('No run is open.');
      await this.#session.advance({ ms });
      return this.#state(this.#session);
    });
  }

  #state(session: DsaSession): TrainState {
    const { phase, step, done } = session.state();
    const { title, steps } = session.phases.find((p) => p.id === phase) ?? { title: '', steps: 0 };
    return { phase, title, step, steps, done, values: this.#values };
  }

  #use(config: DsaConfig, store: ParamStore): void {
    this.#inspector?.inspector.dispose();
    this.#inspector = null;
    this.#config = config;
    this.#store = store;
  }

  async #device(): Promise<Gpu> {
    if (this.#gpu && this.#gpu.lostReason === null) return this.#gpu;
    const result = await openGpu();
    if (!result.ok) throw new Error(`${result.reason} ${result.advice}`);
    this.#gpu = result.gpu;
    return this.#gpu;
  }

  #exclusive<T>(body: () => Promise<T>): Promise<Answer<T>> {
    const done = this.#turn.then(() => answer(body));
    this.#turn = done;
    return done;
  }
}
