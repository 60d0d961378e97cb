/**
 * The one decoding loop of the method, resident on the GPU: tokens, lengths, blocks and the cache live in buffers, S slots
 * are recorded into one submission, and the host reads 64 bytes per sequence after each. A slot is a pass over everything
 * and, with a cache, a pass over block (and suffix); the device opens only those that some sequence wants, so finished
 * sequences and unused slots cost next to nothing. Rows follow the canvas: after every submission the smallest programs
 * that hold all running sequences are taken. What decides a pass: policy.ts. Plain twin: reference.ts.
 */
import type { Gpu } from '../../gpu/device.ts';
import { Readback } from '../../gpu/readback.ts';
import { mix32 } from '../../gpu/rng.ts';
import type { CachedModel } from '../../lm/decoder.ts';
import { storeModel } from '../../lm/language-model.ts';
import { EOT, MASK } from '../../lm/tokenizers/closed.ts';
import type { ParamStore } from '../../nn/params.ts';
import { Gated } from '../../tensor/gated.ts';
import { embedding } from '../../tensor/ops/embedding.ts';
import { compile, type Program } from '../../tensor/program.ts';
import { type Learn2pdConfig, modelConfig } from './config.ts';
import { filterColumns } from './filter.ts';
import { AT, chooseRows, finalize, type PassKind, recordWords, STATE_WORDS } from './loop-ops.ts';
import { type DecodeSpec, packSettings, SETTINGS_WORDS } from './policy.ts';
import { readTrace, type StepTrace } from './trace.ts';

export interface DecoderShape {
  /** Tokens that a prompt is padded to on its left; the canvas begins at this index. */
  prompt: number;
  block: number;
  /** Longest canvas. */
  canvas: number;
  /** Layers of the filters that it takes. */
  depth: number;
  /** Slots per submission. */
  perSubmission: number;
  /** Confidences by their own kernel; by default where the vocabulary is large. */
  split?: boolean;
}

export interface DecodeResult {
  /** The canvas as far as it was kept. */
  tokens: Uint32Array<ArrayBuffer>;
  /** Network passes. */
  nfe: number;
  /** Those that fed everything. */
  full: number;
  /** Tokens before the first end token. */
  answerLength: number;
  byPolicy: number;
  byTop: number;
  /** Cut off by end-of-text prediction. */
  cut: number;
  /** Written from the reference because the oracle found no match. */
  guarded: number;
  trace?: StepTrace[];
}

export interface DecodeStats {
  wallMs: number;
  submissions: number;
  perSubmission: number;
}

export interface DecodeOptions {
  /** Canvas of this decode, at most the decoder's. */
  canvas?: number;
  /** Canvas texts for the oracle. */
  references?: readonly ArrayLike<number>[];
  trace?: boolean;
  /**
   * Stop when this many blocks are final: what blocks to the right will hold cannot change them. Texts end there, and
   * counters hold a few passes more.
   */
  blocks?: number;
  signal?: AbortSignal;
  /** After every submission, for watching; the decode waits for it. */
  onSubmission?: (progress: DecodeProgress) => void | Promise<void>;
}

export interface DecodeProgress {
  /** Passes of every sequence of this turn, and milliseconds since the decode began. */
  passes: number[];
  ms: number;
  /** What they did so far: a read of its own; empty if nothing is recorded. */
  trace(): Promise<StepTrace[][]>;
}

export class DiffusionDecoder {
  readonly shape: DecoderShape;
  readonly model: CachedModel;
  private readonly gpu: Gpu;
  private readonly buffers: Record<'tokens' | 'reference' | 'state' | 'filter' | 'settings' | 'trace', GPUBuffer>;
  private readonly programs = new Map<string, Gated>();
  private readonly readback: Readback;
  private records = 1;

  /** Throws if model and shape do not fit. */
  constructor(gpu: Gpu, model: CachedModel, shape: DecoderShape) {
    const { prompt, canvas, block, depth } = shape;
    if (prompt + canvas > model.capacity) {
      throw new Error(
        `A prompt of ${prompt} and a canvas of ${canvas} tokens are longer than the ${model.capacity} positions of the model.`,
      );
    }
    this.gpu = gpu;
    this.model = model;
    this.shape = shape;
    this.readback = new Readback(gpu.device);
    const { sequences, capacity } = model;
    this.buffers = {
      tokens: this.make(sequences * capacity),
      reference: this.make(sequences * capacity),
      state: this.make(sequences * STATE_WORDS),
      filter: this.make(depth * (block * block + block)),
      settings: this.make(SETTINGS_WORDS),
      trace: this.make(sequences * recordWords(block)),
    };
  }

  private make(words: number): GPUBuffer {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    return this.gpu.device.createBuffer({ size: Math.max(256, words * 4), usage });
  }

  private program(kind: PassKind, queries: number, allRows: boolean): Gated {
    const key = `${kind} ${queries} ${allRows}`;
    const known = this.programs.get(key);
    if (known) return known;
    const { sequences, capacity } = this.model;
    const { block, depth, split } = this.shape;
    const program = compile(this.gpu, (graph) => {
      const at = (name: keyof typeof this.buffers, shape: number[]) =>
        graph.external(name, shape, () => this.buffers[name]);
      const buffers = {
        tokens: at('tokens', [sequences, capacity]),
        reference: at('reference', [sequences, capacity]),
        state: at('state', [sequences, STATE_WORDS]),
        filter: at('filter', [depth * (block * block + block)]),
        settings: at('settings', [SETTINGS_WORDS]),
        trace: at('trace', [sequences, this.records, recordWords(block)]),
      };
      const { ids, positions, bounds, pick } = chooseRows(buffers.tokens, buffers.state, queries, kind, block);
      const { hidden, logits } = this.model.trace(graph);
      // Bidirectional models of this method do not read the token before: any rows of that shape will do.
      const all = hidden({ ids, previous: ids, positions, bounds, sequences, queries });
      const d = all.shape[all.shape.length - 1];
      // The last layers of what is fed feed the cache of nobody: the head sees only the rows that the decision needs.
      const wanted = allRows ? all : embedding(pick, graph.reshape(all, [all.size / d, d]));
      finalize(logits(wanted), buffers, { kind, block, depth, allRows, split });
    });
    const { next } = AT;
    const rule = { count: sequences, stride: STATE_WORDS, offset: next, wanted: kind };
    const gated = new Gated(this.gpu, program, this.buffers.state, rule);
    this.programs.set(key, gated);
    return gated;
  }

  /** Smallest canvas length of the ladder block, 2 block, 4 block, .. that holds `tokens`. */
  private rung(tokens: number): number {
    const { block, canvas } = this.shape;
    let rung = block;
    while (rung < tokens) rung *= 2;
    return Math.max(block, Math.min(canvas, rung));
  }

  /** Work of one pass over everything at this canvas length: dispatches and FLOPs of what is launched. */
  passStats(canvas: number): Program['stats'] {
    return this.program(1, this.shape.prompt + this.rung(canvas), false).program.stats;
  }

  /**
   * Decodes every prompt; more prompts than sequences are taken in turns. Throws for prompts and canvases that do not fit,
   * and when the device is lost.
   */
  async decode(
    prompts: readonly ArrayLike<number>[],
    spec: DecodeSpec,
    options: DecodeOptions = {},
  ): Promise<{ results: DecodeResult[]; stats: DecodeStats }> {
    const { policy } = spec;
    const { block, depth } = this.shape;
    const started = performance.now();
    if ('filter' in policy) {
      const { filter } = policy;
      if (filter.B !== block || filter.depth !== depth) {
        throw new Error(
          `The filter has ${filter.depth} layers of ${filter.B}, this decoder takes ${depth} of ${block}.`,
        );
      }
      this.gpu.device.queue.writeBuffer(this.buffers.filter, 0, filterColumns(filter));
    }
    if (policy.kind === 'egp' && !options.references) throw new Error('The oracle policy needs reference texts.');
    const stats = { wallMs: 0, submissions: 0, perSubmission: this.shape.perSubmission };
    const results: DecodeResult[] = [];
    try {
      for (let from = 0; from < prompts.length; from += this.model.sequences) {
        const batch = prompts.slice(from, from + this.model.sequences);
        results.push(...(await this.batch(batch, from, spec, options, stats, started)));
      }
    } catch (error) {
      // What fails first after a loss says nothing; the loss itself is known a moment later.
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.check();
      throw error;
    }
    stats.wallMs = performance.now() - started;
    return { results, stats };
  }

  private async batch(
    prompts: readonly ArrayLike<number>[],
    from: number,
    spec: DecodeSpec,
    options: DecodeOptions,
    stats: DecodeStats,
    started: number,
  ): Promise<DecodeResult[]> {
    const { prompt: P, block, canvas: longest, perSubmission } = this.shape;
    const { sequences, capacity, vocab } = this.model;
    const { device } = this.gpu;
    const canvas = options.canvas ?? longest;
    if (canvas > longest || canvas < 1) throw new Error(`A canvas of ${canvas} is not 1 to ${longest} tokens.`);
    if (options.trace) this.traceOf(canvas);
    const tokens = new Uint32Array(sequences * capacity).fill(EOT);
    const reference = new Uint32Array(sequences * capacity);
    let state = new Uint32Array(sequences * STATE_WORDS);
    prompts.forEach((prompt, row) => {
      const n = prompt.length;
      if (n === 0 || n > P) throw new Error(`decode: prompt ${from + row} has ${n} tokens, 1 to ${P} fit.`);
      const base = row * capacity;
      for (let i = 0; i < n; i++) {
        if (!(prompt[i] < vocab)) {
          throw new Error(`decode: token ${prompt[i]} of prompt ${from + row} is not below ${vocab}.`);
        }
        tokens[base + P - n + i] = prompt[i];
      }
      tokens.fill(MASK, base + P, base + P + canvas);
      const text = options.references?.[from + row];
      for (let i = 0; text && i < Math.min(text.length, canvas); i++) reference[base + P + i] = text[i];
      const end = Math.min(block, canvas);
      const at = row * STATE_WORDS;
      state[at + AT.first] = P - n;
      state[at + AT.length] = P + canvas;
      state[at + AT.block] = P;
      state[at + AT.end] = P + end;
      state[at + AT.masked] = end;
      state[at + AT.next] = 1;
      state[at + AT.eotAt] = 0xffffffff;
      state[at + AT.seed] = mix32(spec.seed, from + row, 0, 0x6c327064);
    });
    device.queue.writeBuffer(this.buffers.tokens, 0, tokens);
    device.queue.writeBuffer(this.buffers.reference, 0, reference);
    device.queue.writeBuffer(this.buffers.state, 0, state);
    device.queue.writeBuffer(this.buffers.settings, 0, packSettings(spec, block, options.trace === true));
    const released = spec.eotp === 'released';
    const word = (row: number, name: keyof typeof AT): number => state[row * STATE_WORDS + AT[name]];
    const stop = P + block * (options.blocks ?? Number.POSITIVE_INFINITY);
    for (;;) {
      const running = prompts
        .map((_, row) => row)
        .filter((row) => word(row, 'next') !== 0 && word(row, 'block') < stop);
      if (running.length === 0) break;
      options.signal?.throwIfAborted();
      const rest = Math.max(...running.map((row) => word(row, 'length'))) - P;
      const tail = Math.max(...running.map((row) => word(row, 'length') - word(row, 'block')));
      const full = this.program(1, P + this.rung(rest), released);
      const cached =
        spec.cache === 'none'
          ? null
          : this.program(2, spec.cache === 'dual' ? block : this.rung(tail), released && spec.cache === 'prefix');
      if (this.gpu.lostReason !== null) this.check();
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (let slot = 0; slot < perSubmission; slot++) {
        full.record(pass);
        cached?.record(pass);
      }
      pass.end();
      device.queue.submit([encoder.finish()]);
      stats.submissions += 1;
      const before = state;
      state = new Uint32Array(await this.readback.read(this.buffers.state, 0, state.byteLength));
      this.check();
      if (running.every((row) => word(row, 'passes') === before[row * STATE_WORDS + AT.passes])) {
        throw new Error(`decode: no sequence moved on in a submission of ${perSubmission} passes.`);
      }
      const passes = prompts.map((_, row) => word(row, 'passes'));
      await options.onSubmission?.({
        passes,
        ms: performance.now() - started,
        trace: async () => (options.trace ? this.traces(passes) : []),
      });
    }
    const texts = new Uint32Array(await this.readback.read(this.buffers.tokens, 0, tokens.byteLength));
    const trace = options.trace ? await this.traces(prompts.map((_, row) => word(row, 'passes'))) : null;
    return prompts.map((_, row) => {
      const own = texts.slice(row * capacity + P, row * capacity + Math.min(stop, word(row, 'length')));
      const end = own.indexOf(EOT);
      return {
        tokens: own,
        nfe: word(row, 'passes'),
        full: word(row, 'full'),
        answerLength: end < 0 ? own.length : end,
        byPolicy: word(row, 'byPolicy'),
        byTop: word(row, 'byTop'),
        cut: word(row, 'cut'),
        guarded: word(row, 'guarded'),
        ...(trace ? { trace: trace[row] } : {}),
      };
    });
  }

  private async traces(passes: readonly number[]): Promise<StepTrace[][]> {
    const { block } = this.shape;
    const words = new Uint32Array(await this.readback.read(this.buffers.trace));
    return passes.map((n, row) => readTrace(words, row * this.records * recordWords(block), n, block));
  }

  /** Room for the trace of a canvas; programs name its buffer, so they are made again if it grows. */
  private traceOf(canvas: number): void {
    if (this.records >= canvas) return;
    this.drop();
    this.buffers.trace.destroy();
    this.records = canvas;
    this.buffers.trace = this.make(this.model.sequences * canvas * recordWords(this.shape.block));
  }

  private check(): void {
    if (this.gpu.lostReason !== null) throw new Error(`The GPU device was lost: ${this.gpu.lostReason}`);
    if (this.gpu.error !== null) throw new Error(`WebGPU: ${this.gpu.error}`);
  }

  private drop(): void {
    for (const p of this.programs.values()) p.dispose();
    this.programs.clear();
  }

  /** Frees its own buffers and programs; the model is the caller's. */
  dispose(): void {
    this.drop();
    for (const b of Object.values(this.buffers)) b.destroy();
    this.readback.dispose();
  }
}

/** A decoder with a cache of its own for a trained model; `model.dispose()` frees that cache, the store stays. */
export function decoderOf(
  gpu: Gpu,
  trained: { config: Learn2pdConfig; tokenizer: { vocab: number }; store: ParamStore },
  size: { sequences: number; canvas: number; perSubmission?: number },
): DiffusionDecoder {
  const { config: c, tokenizer, store } = trained;
  if (size.canvas > c.longest) {
    throw new Error(
      `A canvas of ${size.canvas} is longer than the ${c.longest} tokens that this model was trained on.`,
    );
  }
  const { sequences, canvas, perSubmission = 8 } = size;
  const model = storeModel(gpu, modelConfig(c, tokenizer.vocab), store, { sequences, capacity: c.prompt + canvas });
  return new DiffusionDecoder(gpu, model, { prompt: c.prompt, block: c.block, canvas, depth: c.depth, perSubmission });
}
