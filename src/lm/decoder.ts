/**
 * Decoding that stays on the GPU: tokens, lengths, stop flags, cache and sampler live in buffers, S tokens of every
 * sequence are recorded into one submission, and the host reads 32 bytes per sequence after each of them. What the model
 * is and how it attends is the caller's business (CachedModel).
 */
import type { Gpu } from '../gpu/device.ts';
import { Readback } from '../gpu/readback.ts';
import { mix32 } from '../gpu/rng.ts';
import type { Graph, Tensor } from '../tensor/graph.ts';
import { compile, type Program } from '../tensor/program.ts';
import { decodeRows, markFilled, STATE_WORDS, sampleTokens } from './decode-ops.ts';
import type { TokenRows } from './model.ts';
import { packSampling, type Sampling, SETTINGS_WORDS } from './sampler.ts';

/** Rows that a pass feeds: `queries` tokens of each of `sequences`, with their places in the cache. */
export interface CachedRows extends TokenRows {
  sequences: number;
  queries: number;
  /** u32 [R, 2]: positions lo..hi-1 that each row sees; lo = hi: nothing to do. Rows write the cache at `positions`. */
  bounds: Tensor;
}

export interface CachedModel {
  readonly vocab: number;
  /** Sequences and positions that its caches hold. */
  readonly sequences: number;
  readonly capacity: number;
  /** Builders for one graph: hidden rows [R, d], which also enter the cache, and logits [R, vocab] of hidden rows. */
  trace(graph: Graph): { hidden(rows: CachedRows): Tensor; logits(hidden: Tensor): Tensor };
  dispose(): void;
}

export interface GenerateOptions extends Sampling {
  /** Most tokens after the prompt. */
  maxNew: number;
  /** At most 8. A stop token ends its row and is part of it. */
  stop: readonly number[];
  seed: number;
  /** Seeds per row instead of mix32(seed, row): equal seed and prompt give equal text in any batch. */
  seeds?: readonly number[];
  signal?: AbortSignal;
  /** Tokens per submission, at most; fewer than the decoder's own where a device is slow. Prompts are then read one pass at a time. */
  perSubmission?: number;
  /** After every submission; `decodeMs` since the prompts were read. */
  onProgress?: (progress: { running: number; steps: number; decodeMs: number }) => void;
  /** After every submission, the texts so far of prompts `from` on: costs a second read. */
  onRows?: (rows: Generated[], from: number) => void;
}

export interface Generated {
  /** Without the prompt; ends with the stop token if there was one. */
  tokens: Uint32Array<ArrayBuffer>;
  /** Of each token, under softmax(logits / temperature) (temperature 1 if greedy), before top-k and top-p. */
  logProbs: Float32Array<ArrayBuffer>;
  /** `running`: the signal was aborted before its end. */
  end: 'stop' | 'limit' | 'running';
}

export interface GenerateStats {
  steps: number;
  submissions: number;
  /** Recorded tokens per submission, S, at most. */
  perSubmission: number;
  wallMs: number;
}

export class Decoder {
  readonly model: CachedModel;
  readonly perSubmission: number;
  private readonly gpu: Gpu;
  private readonly tokens: GPUBuffer;
  private readonly logProbs: GPUBuffer;
  private readonly state: GPUBuffer;
  private readonly step: Program;
  private readonly prefill: Program;
  private readonly chunk: number;
  private readonly readback: Readback;

  /** `chunk`: tokens of every prompt that one prefill pass takes. */
  constructor(gpu: Gpu, model: CachedModel, { perSubmission = 16, chunk = 32 } = {}) {
    this.gpu = gpu;
    this.model = model;
    this.perSubmission = perSubmission;
    this.chunk = Math.min(chunk, model.capacity);
    this.readback = new Readback(gpu.device);
    const { sequences, capacity } = model;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const make = (words: number): GPUBuffer => gpu.device.createBuffer({ size: Math.max(256, words * 4), usage });
    this.tokens = make(sequences * capacity);
    this.logProbs = make(sequences * capacity);
    this.state = make(sequences * STATE_WORDS);
    this.step = compile(gpu, (graph) => {
      const { buffers, rows, built } = this.trace(graph, 1, false);
      const logits = built.logits(built.hidden(rows));
      sampleTokens(logits, graph.input('settings', [SETTINGS_WORDS]), buffers);
      graph.output('logits', logits);
    });
    this.prefill = compile(gpu, (graph) => {
      const { buffers, rows, built } = this.trace(graph, this.chunk, true);
      // Only the caches are wanted: the rest of the last layer has no reader and is left out.
      built.hidden(rows);
      markFilled(buffers.state, sequences, this.chunk);
    });
  }

  private trace(graph: Graph, queries: number, prefill: boolean) {
    const { sequences, capacity } = this.model;
    const buffers = {
      tokens: graph.external('tokens', [sequences, capacity], () => this.tokens),
      logProbs: graph.external('log-probabilities', [sequences, capacity], () => this.logProbs),
      state: graph.external('state', [sequences, STATE_WORDS], () => this.state),
    };
    const chosen = decodeRows(buffers.tokens, buffers.state, queries, prefill);
    return { buffers, rows: { ...chosen, sequences, queries }, built: this.model.trace(graph) };
  }

  /** Programs, for reports: dispatches and work of one token step and of one prefill pass. */
  get stats(): { step: Program['stats']; prefill: Program['stats'] } {
    return { step: this.step.stats, prefill: this.prefill.stats };
  }

  /** Continues every prompt. More prompts than sequences are taken in turns. Prompts must not be empty. */
  async generate(
    prompts: readonly ArrayLike<number>[],
    options: GenerateOptions,
  ): Promise<{ rows: Generated[]; stats: GenerateStats }> {
    const started = performance.now();
    const rows: Generated[] = [];
    const perSubmission = Math.max(1, Math.min(this.perSubmission, options.perSubmission ?? this.perSubmission));
    const stats = { steps: 0, submissions: 0, perSubmission, wallMs: 0 };
    try {
      for (let from = 0; from < prompts.length; from += this.model.sequences) {
        rows.push(...(await this.batch(prompts.slice(from, from + this.model.sequences), from, options, stats)));
      }
    } catch (error) {
      // What fails first after a loss says nothing; the loss itself is known a moment later.
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.check();
      throw error;
    }
    stats.wallMs = performance.now() - started;
    return { rows, stats };
  }

  private async batch(
    prompts: readonly ArrayLike<number>[],
    from: number,
    options: GenerateOptions,
    stats: GenerateStats,
  ): Promise<Generated[]> {
    const { sequences, capacity, vocab } = this.model;
    const { queue } = this.gpu.device;
    const tokens = new Uint32Array(sequences * capacity);
    const state = new Uint32Array(sequences * STATE_WORDS);
    let longest = 0;
    for (let row = 0; row < sequences; row++) {
      const prompt = prompts[row];
      if (!prompt) {
        state[row * STATE_WORDS + 2] = 2;
        continue;
      }
      const n = prompt.length;
      if (n === 0) throw new Error(`generate: prompt ${from + row} is empty`);
      if (n >= capacity) {
        throw new Error(
          `generate: prompt ${from + row} has ${n} tokens, the cache holds ${capacity} with at least one new`,
        );
      }
      for (let i = 0; i < n; i++) {
        if (!(prompt[i] < vocab))
          throw new Error(`generate: token ${prompt[i]} of prompt ${from + row} is not below ${vocab}`);
        tokens[row * capacity + i] = prompt[i];
      }
      const limit = Math.min(capacity, n + options.maxNew);
      const seed = options.seeds?.[from + row] ?? mix32(options.seed, from + row, 0, 0x726f7773);
      state.set([n - 1, limit, limit > n ? 0 : 2, seed, 0], row * STATE_WORDS);
      longest = Math.max(longest, n);
    }
    queue.writeBuffer(this.tokens, 0, tokens);
    queue.writeBuffer(this.state, 0, state);
    const settings = packSampling(options, options.stop);
    // A pass takes up to `chunk` tokens of each prompt: where tokens are counted, it is a submission of its own.
    const portion = options.perSubmission === undefined ? this.perSubmission : 1;
    for (let passes = Math.ceil((longest - 1) / this.chunk); passes > 0; passes -= portion) {
      this.prefill.run({}, Math.min(passes, portion));
      await this.prefill.settle();
      if (options.signal?.aborted) return this.collect(prompts, from, state);
    }
    const began = performance.now();
    let now = state;
    let running = prompts.length;
    const most = Math.min(options.maxNew, capacity);
    for (let done = 0; done < most && running > 0 && !options.signal?.aborted; ) {
      const steps = Math.min(stats.perSubmission, most - done);
      this.step.run({ settings }, steps);
      done += steps;
      stats.steps += steps;
      stats.submissions += 1;
      await this.step.settle();
      now = new Uint32Array(await this.readback.read(this.state, 0, state.byteLength));
      this.check();
      running = prompts.filter((_, row) => now[row * STATE_WORDS + 2] === 0).length;
      options.onProgress?.({ running, steps: done, decodeMs: performance.now() - began });
      if (options.onRows) options.onRows(await this.collect(prompts, from, now), from);
    }
    return this.collect(prompts, from, now);
  }

  private async collect(prompts: readonly ArrayLike<number>[], from: number, state: Uint32Array): Promise<Generated[]> {
    const { capacity } = this.model;
    const all = new Uint32Array(await this.readback.read(this.tokens));
    const logProbs = new Float32Array(await this.readback.read(this.logProbs));
    return prompts.map((prompt, row) => {
      const [cursor, , ended] = state.subarray(row * STATE_WORDS);
      const [start, end] = [row * capacity + prompt.length, row * capacity + cursor + 1];
      const own = logProbs.slice(start, end);
      if (own.some(Number.isNaN)) throw new Error(`generate: the logits of row ${from + row} are not numbers`);
      return { tokens: all.slice(start, end), logProbs: own, end: (['running', 'stop', 'limit'] as const)[ended] };
    });
  }

  private check(): void {
    if (this.gpu.lostReason !== null) throw new Error(`The GPU device was lost: ${this.gpu.lostReason}`);
    if (this.gpu.error !== null) throw new Error(`WebGPU: ${this.gpu.error}`);
  }

  /** Frees its own buffers and programs; the model is the caller's. */
  dispose(): void {
    for (const b of [this.tokens, this.logProbs, this.state]) b.destroy();
    this.step.dispose();
    this.prefill.dispose();
    this.readback.dispose();
  }
}
