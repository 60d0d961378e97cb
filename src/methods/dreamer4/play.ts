/**
 * A playable dream (dreamer4 6.5): true frames are encoded and committed as context, then every action gives one dreamed
 * frame by K denoising passes, one decode and one commit pass. Everything stays on the GPU; a frame is read back only
 * if asked for.
 */

import { readSafetensors, toFloat32 } from '../../data/safetensors.ts';
import type { Gpu } from '../../gpu/device.ts';
import { type FusedStack, Scope } from '../../nn/layers.ts';
import { ParamStore, type Slab } from '../../nn/params.ts';
import { Graph, type Tensor } from '../../tensor/graph.ts';
import { hasRowBlocks } from '../../tensor/kernel.ts';
import type { Heads } from '../../tensor/ops/attention.ts';
import { patchifyBytes, toPixels } from '../../tensor/ops/images.ts';
import { add, clamp, mul } from '../../tensor/ops/pointwise.ts';
import { gaussian } from '../../tensor/ops/random.ts';
import { compile, type InputData, type Program } from '../../tensor/program.ts';
import { CheckpointError, restoreShipped } from '../../train/checkpoint.ts';
import type { DreamerConfig } from './config.ts';
import { parseConfig } from './config-file.ts';
import { ACTION_FEATURES, signalFeatures, writeAction, writeSignal } from './features.ts';
import {
  carryWeight,
  decode,
  dynamics,
  encode,
  KNOWN,
  type PlayConditions,
  patchCount,
  playConditions,
  playPass,
  scaleFrames,
  type TimeMode,
} from './model.ts';
import { corrupt } from './ops.ts';
import type { Dream, DreamFrame, DreamInfo, DreamSettings } from './play-contract.ts';
import { Presenter } from './present.ts';
import { dreamsInHalves, RingSet } from './rings.ts';
import { type LatentStats, latentSize } from './tokens.ts';

/** The networks a dream runs on. In training the stores are the trainer's own, so the dream improves as they do. */
export interface DreamModel {
  config: DreamerConfig;
  tokenizer: ParamStore;
  dynamics: ParamStore;
  slab: Slab;
  stats: LatentStats;
  title: string;
}

/** Loads a shipped checkpoint. Throws SafetensorsError or CheckpointError with one sentence. */
export function loadModel(gpu: Gpu, bytes: Uint8Array<ArrayBuffer>): DreamModel {
  const file = readSafetensors(bytes);
  const text = file.metadata.config;
  if (file.metadata.method !== 'dreamer4' || text === undefined) {
    throw new CheckpointError('This safetensors file is not a Dreamer 4 checkpoint of Tenfold.');
  }
  const config = parseConfig(text);
  const tokenizer = new ParamStore();
  const dyn = new ParamStore();
  declare(gpu, config, tokenizer, dyn);
  tokenizer.allocate(gpu, 0, false);
  dyn.allocate(gpu, 0, false);
  restoreShipped(tokenizer, file);
  restoreShipped(dyn, file);
  const need = (name: string): Float32Array<ArrayBuffer> => {
    const t = file.tensors.get(name);
    if (!t) throw new CheckpointError(`The checkpoint has no tensor ${name}.`);
    return toFloat32(t);
  };
  return {
    config,
    tokenizer,
    dynamics: dyn,
    slab: 'value',
    stats: { mean: need('latent.mean'), std: need('latent.std') },
    title: file.metadata.title ?? config.rung,
  };
}

/** Tracing the networks once, without compiling, declares every parameter with its shape. */
function declare(gpu: Gpu, c: DreamerConfig, tokenizer: ParamStore, dyn: ParamStore): void {
  const { tokens, channels, kMax } = c.dynamics;
  const graph = new Graph(gpu.conditions);
  const starts = graph.input('starts', [1]);
  const past = {
    carry: graph.input('carry', [1, 2]),
    moving: graph.input('moving', [1, 2]),
    known: graph.input('known', [1, 4]),
  };
  const mode = { kind: 'rows' as const, batch: 1, time: 1, starts, ...past };
  const scope = new Scope(graph, tokenizer);
  const patches = graph.input('patches', [1, patchCount(c), c.frame.patch ** 2 * 3]);
  const keep = graph.input('keep', [patchCount(c)]);
  decode(scope, c, encode(scope, c, patches, mode, c.maskMax > 0 ? keep : undefined), mode);
  const z = graph.input('z', [1, tokens, channels]);
  const actions = graph.input('actions', [1, ACTION_FEATURES]);
  dynamics(new Scope(graph, dyn), c, z, actions, graph.input('signal', [1, signalFeatures(kMax)]), mode);
  dyn.declare('latent.mean', [latentSize(c)], { kind: 'zeros' }, false);
  dyn.declare('latent.std', [latentSize(c)], { kind: 'ones' }, false);
}

export async function createDream(
  gpu: Gpu,
  checkpoint: Uint8Array<ArrayBuffer>,
  opts: { streams: number; k?: number },
): Promise<Dream> {
  const model = loadModel(gpu, checkpoint);
  const options = { k: opts.k, ownsModel: true };
  if (!gpu.conditions.software) return new LatentDream(gpu, model, opts.streams, options);
  if (!hasRowBlocks(gpu.conditions)) {
    const { keepPairs, normedProducts } = await import('../../nn/normed-layers.ts');
    const { tensors } = readSafetensors(checkpoint);
    const weights = (name: string): Float32Array | null => {
      const t = tensors.get(name);
      return t ? toFloat32(t) : null;
    };
    keepPairs(model.tokenizer, model.config.tokenizer.dim, weights);
    keepPairs(model.dynamics, model.config.dynamics.dim, weights);
    return new LatentDream(gpu, model, opts.streams, { ...options, fused: normedProducts });
  }
  const { fusedStack, keepExactHalves } = await import('../../nn/fused-layers.ts');
  const { tensors } = readSafetensors(checkpoint);
  const halves = (name: string): Uint16Array | null => {
    const t = tensors.get(name);
    return t?.dtype === 'F16' ? new Uint16Array(t.bytes.slice().buffer) : null;
  };
  for (const store of [model.tokenizer, model.dynamics]) keepExactHalves(store, halves);
  return new LatentDream(gpu, model, opts.streams, { ...options, fused: fusedStack });
}

export interface DreamOptions {
  k?: number;
  /** Disposing the dream disposes the model. */
  ownsModel?: boolean;
  /** Traces layers as few kernels where the adapter has them. */
  fused?: FusedStack | null;
}

export class LatentDream implements Dream {
  readonly info: DreamInfo;
  readonly streams: number;
  private readonly gpu: Gpu;
  private readonly model: DreamModel;
  private readonly ownsModel: boolean;
  private readonly fused: FusedStack | null;
  private readonly tokenizerRings: RingSet;
  private readonly dynamicsRings: RingSet;
  private readonly steps = new Map<string, Program>();
  /** The last finished frame as `frameSkip` reads it. */
  private readonly previous: GPUBuffer;
  /** What changed from the frame before to it; 0 until there are two. */
  private readonly motion: GPUBuffer;
  private motionKnown = false;
  /** Signal level of the last finished frame, 0 if there is none. */
  private lastLevel = 0;
  private readonly observer: Program;
  private readonly presenter: Presenter;
  private latest: Program | null = null;
  private index = 0;

  constructor(
    gpu: Gpu,
    model: DreamModel,
    streams: number,
    { k = 4, ownsModel = false, fused = null }: DreamOptions = {},
  ) {
    const c = model.config;
    const { tokenizer: t, dynamics: d } = c;
    this.gpu = gpu;
    this.model = model;
    this.ownsModel = ownsModel;
    this.fused = fused;
    this.streams = streams;
    const rings = (context: number, heads: Heads): RingSet =>
      new RingSet(gpu, streams, context, heads, dreamsInHalves(gpu.conditions));
    this.tokenizerRings = rings(t.context, { heads: t.heads, kvHeads: t.heads, dim: t.dim });
    this.dynamicsRings = rings(d.context, { heads: d.heads, kvHeads: d.kvHeads, dim: d.dim });
    const { window } = this.dynamicsRings;
    this.info = {
      title: model.title,
      world: c.world,
      width: c.frame.width,
      height: c.frame.height,
      hz: c.hz,
      contextFrames: window,
      contextSeconds: window / c.hz,
      kMax: d.kMax,
      parameters: model.tokenizer.count + model.dynamics.count,
      latent: [d.tokens, d.channels],
    };
    const kept = (label: string): GPUBuffer =>
      gpu.device.createBuffer({
        size: Math.max(256, streams * latentSize(c) * 4),
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
        label,
      });
    this.previous = kept('previous frame');
    this.motion = kept('motion');
    this.presenter = new Presenter(gpu);
    this.observer = compile(gpu, (graph) => this.traceObserve(graph));
    this.stepProgram(k, false);
  }

  private scopes(graph: Graph): { tokenizer: Scope; dynamics: Scope } {
    const { tokenizer, dynamics: dyn, slab } = this.model;
    const { fused } = this;
    return { tokenizer: new Scope(graph, tokenizer, slab, fused), dynamics: new Scope(graph, dyn, slab, fused) };
  }

  private mode(graph: Graph, rings: RingSet, write: boolean): Extract<TimeMode, { kind: 'frame' }> {
    const { tokens, channels } = this.model.config.dynamics;
    return {
      kind: 'frame',
      streams: this.streams,
      write,
      ring: (layer, slots) => rings.ring(graph, layer, slots),
      previous: graph.external('previous frame', [this.streams, tokens, channels], () => this.previous),
      motion: graph.external('motion', [this.streams, tokens, channels], () => this.motion),
      known: this.model.config.dynamics.motionSkip ? sharedInput(graph, 'known', [this.streams, 4]) : undefined,
    };
  }

  /** Of `passes` denoising passes and the commit pass behind them. */
  private conditions(graph: Graph, scope: Scope, passes: number): PlayConditions {
    const { config } = this.model;
    const actions = graph.input('actions', [this.streams, ACTION_FEATURES]);
    const signals = graph.input('signals', [(passes + 1) * this.streams, signalFeatures(config.dynamics.kMax)]);
    return playConditions(scope, config, actions, signals, this.mode(graph, this.dynamicsRings, false));
  }

  private commit(graph: Graph, scope: Scope, zn: Tensor, shared: PlayConditions, pass: number): void {
    const { tokens, channels } = this.model.config.dynamics;
    const levels = graph.input('commit levels', [this.streams, 2]);
    const noise = gaussian(this.seedInput(graph), [this.streams, tokens, channels], 3);
    const context = corrupt(zn, noise, levels);
    playPass(scope, this.model.config, context, shared, pass, levels, this.mode(graph, this.dynamicsRings, true));
    const { frameSkip, motionSkip } = this.model.config.dynamics;
    if (!frameSkip) return;
    // After the last pass that reads the frame before.
    const carry = graph.input('carry', [this.streams, 2]);
    if (motionSkip) {
      const { previous } = this.mode(graph, this.dynamicsRings, false);
      const change = add(scaleFrames(context, carry), previous as Tensor, 1, -1);
      graph.place(scaleFrames(change, graph.input('moving', [this.streams, 2])), () => this.motion, 0);
    }
    // A tensor of its own: what is placed is written where it is placed.
    graph.place(scaleFrames(context, carry), () => this.previous, 0);
  }

  private seedInput(graph: Graph): Tensor {
    return sharedInput(graph, 'seed', [2]);
  }

  private traceObserve(graph: Graph): void {
    const c = this.model.config;
    const { streams } = this;
    const { tokens, channels } = c.dynamics;
    const { mean, std } = this.model.stats;
    const width = latentSize(c);
    const { tokenizer, dynamics: dyn } = this.scopes(graph);
    const patches = patchifyBytes(
      graph.input('frames', [(streams * c.frame.width * c.frame.height * 3) / 4]),
      streams,
      c.frame,
    );
    const z = encode(tokenizer, c, patches, this.mode(graph, this.tokenizerRings, true));
    // Nothing reads this picture: only the decoder's time layer runs, to fill its ring.
    decode(tokenizer, c, z, this.mode(graph, this.tokenizerRings, true));
    const centred = add(
      graph.reshape(z, [streams, width]),
      graph.table('mean', [width], () => mean),
      1,
      -1,
    );
    const scaled = mul(
      centred,
      graph.table('1/std', [width], () => std.map((s) => 1 / s)),
    );
    const zn = graph.reshape(scaled, [streams, tokens, channels]);
    this.commit(graph, dyn, zn, this.conditions(graph, dyn, 0), 0);
  }

  private stepProgram(k: number, film: boolean): Program {
    const { kMax } = this.model.config.dynamics;
    if (!Number.isInteger(Math.log2(k)) || k < 1 || k > kMax) {
      throw new Error(`K must be a power of two from 1 to ${kMax}, it is ${k}`);
    }
    const key = `${k}${film ? ' film' : ''}`;
    let program = this.steps.get(key);
    if (!program) {
      const pictures = film ? Array.from({ length: k }, (_, i) => `film ${i}`) : [];
      program = compile(this.gpu, (graph) => this.traceStep(graph, k), pictures);
      this.steps.set(key, program);
    }
    return program;
  }

  private traceStep(graph: Graph, k: number): void {
    const c = this.model.config;
    const { streams } = this;
    const { tokens, channels } = c.dynamics;
    const { mean, std } = this.model.stats;
    const width = latentSize(c);
    const { tokenizer, dynamics: dyn } = this.scopes(graph);
    const picture = (zn: Tensor, write: boolean): Tensor => {
      const flat = mul(
        graph.reshape(zn, [streams, width]),
        graph.table('std', [width], () => std),
      );
      const z = clamp(
        add(
          flat,
          graph.table('mean', [width], () => mean),
        ),
        -1,
        1,
      );
      const latents = graph.reshape(z, [streams, c.tokenizer.latents, c.tokenizer.channels]);
      return toPixels(decode(tokenizer, c, latents, this.mode(graph, this.tokenizerRings, write)), c.frame);
    };
    graph.mark('denoise');
    let z = gaussian(this.seedInput(graph), [streams, tokens, channels], 2);
    const shared = this.conditions(graph, dyn, k);
    for (let i = 0; i < k; i++) {
      const levels = graph.table(`levels ${i}`, [streams, 2], () => {
        const row = new Float32Array(streams * 2);
        for (let s = 0; s < streams; s++) row.set([i / k, 1 / k], 2 * s);
        return row;
      });
      const { xhat, next } = playPass(dyn, c, z, shared, i, levels, this.mode(graph, this.dynamicsRings, false));
      graph.capture(`film ${i}`, picture(xhat, false));
      z = next;
    }
    graph.mark('decode');
    graph.output('pixels', picture(z, true));
    graph.mark('commit');
    this.commit(graph, dyn, z, shared, k);
    graph.output('latents', z);
  }

  reset(): void {
    this.tokenizerRings.reset();
    this.dynamicsRings.reset();
    for (const b of [this.previous, this.motion]) this.gpu.device.queue.writeBuffer(b, 0, new Uint8Array(b.size));
    this.index = 0;
    this.lastLevel = 0;
    this.motionKnown = false;
  }

  /** As if a long game had been played: full rings, whose cost is the one that stays. For measurements. */
  fill(): void {
    this.tokenizerRings.seek(this.info.contextFrames);
    this.dynamicsRings.seek(this.info.contextFrames);
  }

  /** `corruption`: noise fraction of the frame that becomes context; `k`: denoising passes before it does. */
  private inputs(actions: Uint32Array, seed: number, corruption: number, k: number): Record<string, InputData> {
    const { streams } = this;
    const { kMax } = this.model.config.dynamics;
    if (actions.length !== streams) throw new Error(`${streams} actions are needed, ${actions.length} were given`);
    const rows = new Float32Array(streams * ACTION_FEATURES);
    const features = signalFeatures(kMax);
    const signals = new Float32Array((k + 1) * streams * features);
    const levels = new Float32Array(streams * 2);
    const carry = new Float32Array(streams * 2);
    const moving = new Float32Array(streams * 2);
    const known = new Float32Array(streams * 4);
    const tau = 1 - corruption;
    for (let s = 0; s < streams; s++) {
      writeAction(rows, s * ACTION_FEATURES, actions[s]);
      for (let i = 0; i < k; i++) writeSignal(signals, (i * streams + s) * features, kMax, i / k, 1 / k);
      writeSignal(signals, (k * streams + s) * features, kMax, tau, 1 / kMax);
      levels.set([tau, 1 / kMax], 2 * s);
      carry[2 * s] = carryWeight(tau);
      moving[2 * s] = Number(Math.min(tau, this.lastLevel) >= KNOWN);
      known[4 * s] = Number(this.motionKnown);
    }
    return {
      actions: rows,
      signals,
      'commit levels': levels,
      ...(this.model.config.dynamics.frameSkip && { carry }),
      ...(this.model.config.dynamics.motionSkip && { moving, known }),
      seed: new Uint32Array([seed, this.index]),
    };
  }

  async observe(frames: Uint8Array, actions: Uint32Array): Promise<void> {
    const { width, height } = this.info;
    const size = this.streams * width * height * 3;
    const n = frames.length / size;
    if (!Number.isInteger(n))
      throw new Error(`context frames must be ${width}x${height} RGB for ${this.streams} streams`);
    // True frames are good context: they get the least noise that training has shown.
    const { contextCorruption } = this.model.config;
    for (let i = 0; i < n; i++) {
      const row = actions.subarray(i * this.streams, (i + 1) * this.streams);
      this.observer.run({
        ...this.inputs(row, 0, contextCorruption, 0),
        frames: frames.slice(i * size, (i + 1) * size),
      });
      this.advance(contextCorruption);
      // A queue of a hundred frames would stall everything behind it on a CPU adapter.
      if (i % 8 === 7) await this.observer.settle();
    }
    await this.observer.settle();
    this.check();
  }

  private advance(corruption: number): void {
    this.motionKnown = Math.min(1 - corruption, this.lastLevel) >= KNOWN;
    this.lastLevel = 1 - corruption;
    this.tokenizerRings.advance();
    this.dynamicsRings.advance();
    this.index += 1;
  }

  private check(): void {
    if (this.gpu.lostReason !== null) throw new Error(`The GPU device was lost: ${this.gpu.lostReason}`);
    if (this.gpu.error !== null) throw new Error(`WebGPU: ${this.gpu.error}`);
  }

  async step(
    actions: Uint32Array,
    settings: DreamSettings,
    want: { rgb?: boolean; film?: boolean } = {},
  ): Promise<DreamFrame> {
    const started = performance.now();
    const film = want.film === true && this.streams === 1;
    const program = this.stepProgram(settings.k, film);
    const stages = await program.runTimed(this.inputs(actions, settings.seed, settings.contextCorruption, settings.k));
    this.advance(settings.contextCorruption);
    this.latest = program;
    const rgb = want.rgb ? await this.pixels(program, 'pixels') : new Uint8Array(0);
    const strips: Uint8Array[] = [];
    if (film) for (let i = 0; i < settings.k; i++) strips.push(await this.pixels(program, `film ${i}`));
    if (!want.rgb && !film && stages === null) await program.settle();
    this.check();
    const frame: DreamFrame = {
      rgb,
      film: concat(strips),
      index: this.index - 1,
      ringFill: this.dynamicsRings.fill,
      timing: {
        total: performance.now() - started,
        denoise: stages?.denoise ?? null,
        commit: stages?.commit ?? null,
        decode: stages?.decode ?? null,
        dispatches: program.stats.dispatches,
      },
    };
    return frame;
  }

  private async pixels(program: Program, name: string): Promise<Uint8Array> {
    const rgba = new Uint8Array(await program.readBytes(name));
    const out = new Uint8Array((rgba.length / 4) * 3);
    for (let i = 0, o = 0; i < rgba.length; i += 4) {
      out[o++] = rgba[i];
      out[o++] = rgba[i + 1];
      out[o++] = rgba[i + 2];
    }
    return out;
  }

  /** Programs by name with their sizes, for the report of every rung. */
  programStats(): Record<string, Program['stats']> {
    const out: Record<string, Program['stats']> = { observe: this.observer.stats };
    for (const [key, p] of this.steps) out[`step K=${key}`] = p.stats;
    return out;
  }

  get ringBytes(): number {
    return this.tokenizerRings.bytes + this.dynamicsRings.bytes;
  }

  present(canvas: GPUCanvasContext): void {
    if (this.latest) this.presenter.draw(canvas, this.latest, 'pixels', this.info.width, this.info.height);
  }

  dispose(): void {
    this.observer.dispose();
    for (const p of this.steps.values()) p.dispose();
    this.tokenizerRings.dispose();
    this.dynamicsRings.dispose();
    this.previous.destroy();
    this.motion.destroy();
    this.presenter.dispose();
    if (this.ownsModel) {
      this.model.tokenizer.dispose();
      this.model.dynamics.dispose();
    }
  }
}

/** The input of that name, made by whoever asks first. */
const sharedInput = (graph: Graph, name: string, shape: number[]): Tensor =>
  graph.inputs.get(name) ?? graph.input(name, shape);

function concat(parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}
