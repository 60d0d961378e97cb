/**
 * Phase 1b: the dynamics by shortcut forcing on cached tokens (dreamer4 sections 5 and 6). Programs exist for short and
 * long rows, with and without bootstrap rows; they share the parameters. Random choices are functions of (seed, step).
 */
import type { Gpu } from '../../gpu/device.ts';
import { mix32, uniform01 } from '../../gpu/rng.ts';
import { Scope, zeros } from '../../nn/layers.ts';
import { ParamStore } from '../../nn/params.ts';
import type { Graph, Tensor } from '../../tensor/graph.ts';
import { normaliseLoss, rowLoss } from '../../tensor/ops/loss.ts';
import { gaussian } from '../../tensor/ops/random.ts';
import { joinSlots, takeSlots } from '../../tensor/ops/slots.ts';
import { compile, type InputData, type Program, SharedArena } from '../../tensor/program.ts';
import { claim, muon } from '../../train/muon.ts';
import { type AdamW, adamw, backward, hyper } from '../../train/optimiser.ts';
import { learningRate } from '../../train/schedule.ts';
import type { DreamerConfig } from './config.ts';
import { ACTION_FEATURES, signalFeatures, writeAction, writeSignal } from './features.ts';
import { drawWindowsAround, touchedFrames } from './frames.ts';
import { dynamics } from './model.ts';
import {
  bootstrapRowsAt,
  drawNoiseLevels,
  IMAGE_ROW,
  pastOf,
  selfContextLevels,
  tokenWeights,
  truthLeft,
} from './noise-levels.ts';
import { bootstrapTarget, corrupt, euler } from './ops.ts';
import { NO_ACTION } from './play-contract.ts';
import { dequantise, type LatentStats, latentSize, type TokenEpisode } from './tokens.ts';

/** The matrices of the transformer's layers. */
const HIDDEN = /^dyn\.\d+\..+\.w$/;

/** What a program of the dynamics is compiled for. */
export interface BatchShape {
  rows: number;
  time: number;
  bootstrapRows: number;
  /** Passes that make context out of predictions before the one that is trained. */
  selfPasses: number;
}

type Frame = ReturnType<typeof touchedFrames>[number];

export class DynamicsTrainer {
  readonly store = new ParamStore();
  readonly gpu: Gpu;
  readonly config: DreamerConfig;
  readonly seed: number;
  readonly normaliser: GPUBuffer;
  step = 0;
  private readonly optimiser: AdamW;
  private readonly programs = new Map<string, Program>();
  private readonly arena: SharedArena;
  private last: Program | null = null;
  /** Frames of the episodes in which hands changed something. */
  private hands: { of: readonly TokenEpisode[]; frames: Frame[]; marked: Set<number>[] } | null = null;

  constructor(gpu: Gpu, config: DreamerConfig, seed: number) {
    this.gpu = gpu;
    this.config = config;
    this.arena = new SharedArena(gpu);
    this.seed = seed;
    this.optimiser = {
      beta1: 0.9,
      beta2: 0.99,
      eps: 1e-8,
      weightDecay: config.weightDecay,
      clip: config.clip,
      ema: config.emaDecay,
    };
    this.normaliser = gpu.device.createBuffer({
      size: 256,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    // The largest of either kind of batch, so that there is one arena however many shapes are drawn.
    const kinds = config.phases.dynamics.longRows > 0 ? [false, true] : [false];
    this.arena.reserve(kinds.map((long) => (graph) => this.trace(graph, this.largest(long))));
    // The first program declares every parameter, so that a checkpoint can be restored before the first step.
    this.program(this.shape(1));
  }

  /** Rows of step t: long rows now and then and at the end, more and more bootstrap rows after the start of the run. */
  private shape(t: number): BatchShape {
    const c = this.config;
    const { steps, rows, time, longRows, longTime } = c.phases.dynamics;
    const long = longRows > 0 && (t > steps * (1 - c.longOnly) || uniform01(mix32(this.seed, t, 0, 91)) < c.longShare);
    const n = long ? longRows : rows;
    const own = uniform01(mix32(this.seed, t, 0, 92)) < c.selfContextShare;
    const selfPasses = own ? 1 + Math.floor(uniform01(mix32(this.seed, t, 0, 93)) * c.selfContextDepth) : 0;
    return { rows: n, time: long ? longTime : time, bootstrapRows: bootstrapRowsAt(c, t, n), selfPasses };
  }

  /** No step of the short or of the long batch needs more memory or work. */
  largest(long: boolean): BatchShape {
    const { phases, bootstrapShare, selfContextShare, selfContextDepth } = this.config;
    const { rows, time, longRows, longTime } = phases.dynamics;
    const n = long ? longRows : rows;
    return {
      rows: n,
      time: long ? longTime : time,
      bootstrapRows: Math.round(n * bootstrapShare),
      selfPasses: selfContextShare > 0 ? selfContextDepth : 0,
    };
  }

  program(shape: BatchShape): Program {
    const key = `${shape.rows}x${shape.time} ${shape.bootstrapRows} ${shape.selfPasses}`;
    let program = this.programs.get(key);
    if (!program) {
      program = compile(this.gpu, (graph) => this.trace(graph, shape), [], this.arena);
      this.programs.set(key, program);
    }
    return program;
  }

  private trace(graph: Graph, { rows, time, bootstrapRows, selfPasses }: BatchShape): void {
    const c = this.config;
    const { tokens, channels, kMax } = c.dynamics;
    const n = rows * time;
    const width = tokens * channels;
    const scope = new Scope(graph, this.store);
    // Statistics travel with the weights; they receive no gradient.
    scope.get('latent.mean', [width], zeros, false);
    scope.get('latent.std', [width], { kind: 'ones' }, false);
    const declared = new Map<string, Tensor>();
    const input = (name: string, shape: number[]): Tensor => {
      const known = declared.get(name) ?? graph.input(name, shape);
      declared.set(name, known);
      return known;
    };
    const clean = input('clean', [n, tokens, channels]);
    const levels = input('levels', [n, 2]);
    const actions = input('actions', [n, ACTION_FEATURES]);
    const signal = input('signal', [n, signalFeatures(kMax)]);
    const noise = (stream: number): Tensor => gaussian(input('seed', [2]), [n, tokens, channels], stream);
    const past = (name: string, frames: number): { carry?: Tensor; moving?: Tensor; known?: Tensor } => ({
      ...(c.dynamics.frameSkip && { carry: input(`${name}carry`, [frames, 2]) }),
      ...(c.dynamics.motionSkip && {
        moving: input(`${name}moving`, [frames, 2]),
        known: input(`${name}known`, [frames, 4]),
      }),
    });
    const starts = input('starts', [rows]);
    const mode = { kind: 'rows' as const, batch: rows, time, starts, ...past('', n) };

    let context = clean;
    // The last pass predicts even frames, on which the trained pass then builds; the one before it odd ones, and so on.
    for (let left = selfPasses; left > 0; left--) {
      const parity = (left + 1) % 2;
      const from = context;
      context = graph.constant(() => {
        const name = `self ${parity}`;
        const own = input(`${name} signal`, [n, signalFeatures(kMax)]);
        const z = corrupt(from, noise(1 + left), input(`${name} levels`, [n, 2]));
        const xhat = dynamics(scope, c, z, actions, own, { ...mode, ...past(`${name} `, n) });
        return corrupt(clean, xhat, input(`${name} truth`, [n, 2]));
      });
    }
    const noised = corrupt(context, noise(1), levels);

    let target = clean;
    if (bootstrapRows > 0) {
      target = graph.constant(() => {
        const tail = (x: Tensor, each: number): Tensor =>
          graph.reshape(takeSlots(graph.reshape(x, [1, rows, time * each]), rows - bootstrapRows, bootstrapRows), [
            bootstrapRows * time,
            each,
          ]);
        const nb = bootstrapRows * time;
        const latents = (x: Tensor): Tensor => graph.reshape(x, [nb, tokens, channels]);
        const half = {
          kind: 'rows' as const,
          batch: bootstrapRows,
          time,
          starts: input('bootstrap starts', [bootstrapRows]),
        };
        const z = latents(tail(noised, width));
        const a = tail(actions, ACTION_FEATURES);
        const own = input('bootstrap levels', [nb, 2]);
        const teach = (x: Tensor, name: string): Tensor =>
          dynamics(scope, c, x, a, input(name, [nb, signalFeatures(kMax)]), {
            ...half,
            ...past(`${name} `, nb),
          });
        const x1 = teach(z, 'first half');
        const zHalf = euler(z, x1, own, 0.5);
        const x2 = teach(zHalf, 'second half');
        const goal = bootstrapTarget(z, zHalf, x1, x2, own);
        if (bootstrapRows === rows) return goal;
        const head = takeSlots(graph.reshape(clean, [1, rows, time * width]), 0, rows - bootstrapRows);
        return joinSlots([head, graph.reshape(goal, [1, bootstrapRows, time * width])], 1, time * width);
      });
    }
    const xhat = dynamics(scope, c, noised, actions, signal, mode);
    const [mse] = rowLoss('squared', xhat, target, input('weight', [c.handsWeight > 0 ? n * tokens : n]));
    graph.output('loss', mse);
    const state = graph.external('normaliser', [2], () => this.normaliser);
    const loss = c.normaliseLosses ? normaliseLoss(mse, state, 1) : mse;
    const norm2 = backward(graph, loss, scope.used(), this.store);
    graph.output('norm2', norm2);
    const { store } = this;
    if (c.optimiser === 'muon')
      claim(
        store,
        [...store.specs.keys()].filter((name) => HIDDEN.test(name)),
      );
    adamw(graph, store, norm2);
    if (c.optimiser === 'muon') muon(graph, store);
    this.store.allocate(this.gpu, this.seed);
  }

  setStats(stats: LatentStats): void {
    for (const slab of ['value', 'average'] as const) {
      this.store.write(slab, 'latent.mean', stats.mean);
      this.store.write(slab, 'latent.std', stats.std);
    }
  }

  /**
   * One optimiser step; returns its floating point operations, before the GPU is done. `shape`: of the batch, for measurements;
   * else what the schedule draws.
   */
  advance(episodes: TokenEpisode[], stats: LatentStats, shape = this.shape(this.step + 1)): number {
    const c = this.config;
    const { kMax } = c.dynamics;
    this.step += 1;
    const { rows, time, bootstrapRows, selfPasses } = shape;
    const n = rows * time;
    const width = latentSize(c);
    if (this.hands?.of !== episodes) {
      const frames = touchedFrames(episodes);
      const marked = episodes.map(() => new Set<number>());
      for (const { episode, frame } of frames) marked[episode].add(frame);
      this.hands = { of: episodes, frames, marked };
    }
    const { marked } = this.hands;
    const lengths = episodes.map((e) => e.actions.length);
    const windows = drawWindowsAround({ lengths }, this.hands.frames, c.handsShare, rows, time, this.seed, this.step);
    const clean = new Float32Array(n * width);
    const changed = new Uint8Array(n);
    const wanted = new Uint8Array(n);
    const touched = new Uint8Array(n * c.dynamics.tokens);
    windows.forEach((w, row) => {
      const e = episodes[w.episode];
      for (let t = 0; t < time; t++) {
        const i = row * time + t;
        changed[i] = e.changed[w.start + t];
        wanted[i] = Number(c.handsShare > 0 && marked[w.episode].has(w.start + t));
        const from = (w.start + t) * width;
        for (let k = 0; k < width; k++) {
          clean[i * width + k] = (dequantise(e.tokens[from + k]) - stats.mean[k]) / stats.std[k];
        }
      }
    });
    const levels = drawNoiseLevels(c, rows, time, bootstrapRows, changed, this.seed, this.step, wanted);
    const actions = new Float32Array(n * ACTION_FEATURES);
    const features = signalFeatures(kMax);
    const signal = new Float32Array(n * features);
    windows.forEach((w, row) => {
      for (let t = 0; t < time; t++) {
        const i = row * time + t;
        const action = levels.starts[row] === IMAGE_ROW ? NO_ACTION : episodes[w.episode].actions[w.start + t];
        writeAction(actions, i * ACTION_FEATURES, action);
        // An image row has no action that could explain what hands did.
        const marks = levels.starts[row] === IMAGE_ROW ? undefined : episodes[w.episode].touched;
        if (marks && c.handsWeight > 0) {
          const from = (w.start + t) * c.dynamics.tokens;
          touched.set(marks.subarray(from, from + c.dynamics.tokens), i * c.dynamics.tokens);
        }
        writeSignal(signal, i * features, kMax, levels.signal[2 * i], levels.signal[2 * i + 1]);
      }
    });
    const past = (name: string, signal: Float32Array, from = 0, later = (_: number): number => 0): void => {
      const { carry, moving, known } = pastOf(levels, signal, time, from, later);
      if (c.dynamics.frameSkip) inputs[`${name}carry`] = carry;
      if (c.dynamics.motionSkip) Object.assign(inputs, { [`${name}moving`]: moving, [`${name}known`]: known });
    };
    const { steps, lr } = c.phases.dynamics;
    const inputs: Record<string, InputData> = {
      clean,
      levels: levels.signal,
      actions,
      signal,
      weight: c.handsWeight > 0 ? tokenWeights(c, levels.weight, touched) : levels.weight,
      starts: levels.starts,
      seed: new Uint32Array([this.seed, this.step]),
      one: new Float32Array([1]),
      hyper: hyper(this.optimiser, this.step, learningRate(this.step, steps, lr, c.warmup, c.decay)),
    };
    past('', levels.signal);
    for (let parity = 0; parity < Math.min(2, selfPasses); parity++) {
      const own = selfContextLevels(levels, time, kMax, parity, this.seed, this.step);
      const ownSignal = new Float32Array(n * features);
      for (let i = 0; i < n; i++) writeSignal(ownSignal, i * features, kMax, own[2 * i], own[2 * i + 1]);
      inputs[`self ${parity} levels`] = own;
      inputs[`self ${parity} signal`] = ownSignal;
      inputs[`self ${parity} truth`] = truthLeft(levels, time, parity);
      past(`self ${parity} `, own);
    }
    if (bootstrapRows > 0) {
      const nb = bootstrapRows * time;
      const from = n - nb;
      const first = new Float32Array(nb * features);
      const second = new Float32Array(nb * features);
      for (let i = 0; i < nb; i++) {
        const tau = levels.signal[2 * (from + i)];
        const d = levels.signal[2 * (from + i) + 1];
        writeSignal(first, i * features, kMax, tau, d / 2);
        writeSignal(second, i * features, kMax, tau + d / 2, d / 2);
      }
      inputs['first half'] = first;
      inputs['second half'] = second;
      past('first half ', levels.signal, from);
      past('second half ', levels.signal, from, (i) => levels.signal[2 * i + 1] / 2);
      inputs['bootstrap levels'] = levels.signal.slice(2 * from);
      inputs['bootstrap starts'] = levels.starts.slice(rows - bootstrapRows);
    }
    this.last = this.program(shape);
    this.last.run(inputs);
    return this.last.stats.flops;
  }

  /** Call after a step (Program.throttle). */
  async throttle(): Promise<void> {
    await this.last?.throttle();
  }

  async metrics(): Promise<Record<string, number>> {
    if (!this.last) return {};
    return { loss: (await this.last.read('loss'))[0], gradNorm: Math.sqrt((await this.last.read('norm2'))[0]) };
  }

  /** Compiled programs by their shape, with their sizes. */
  programStats(): Record<string, Program['stats']> {
    return Object.fromEntries([...this.programs].map(([key, p]) => [key, p.stats]));
  }

  dispose(): void {
    for (const p of this.programs.values()) p.dispose();
    this.arena.dispose();
    this.store.dispose();
    this.normaliser.destroy();
  }
}
