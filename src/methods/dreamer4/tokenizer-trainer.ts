/**
 * Phase 1a: the causal tokenizer by masked autoencoding (dreamer4 section 4). One object owns the parameters, the
 * training program and a holdout program; every random choice is a function of (seed, step).
 */
import type { Gpu } from '../../gpu/device.ts';
import { Scope } from '../../nn/layers.ts';
import { ParamStore } from '../../nn/params.ts';
import type { Graph, Tensor } from '../../tensor/graph.ts';
import { patchifyBytes, pyramidDown, pyramidUp, sobel, toPixels, unpatchify } from '../../tensor/ops/images.ts';
import { normaliseLoss, rowLoss } from '../../tensor/ops/loss.ts';
import { add, affine } from '../../tensor/ops/pointwise.ts';
import { takeSlots } from '../../tensor/ops/slots.ts';
import { compile, type Program } from '../../tensor/program.ts';
import { type AdamW, adamw, backward, hyper } from '../../train/optimiser.ts';
import { learningRate } from '../../train/schedule.ts';
import type { DreamerConfig } from './config.ts';
import { drawWindows, type FrameSet, type Window } from './frames.ts';
import { decode, encode, patchCount } from './model.ts';
import { changeWeights, chooseMask } from './ops.ts';

export const frameBytes = (c: DreamerConfig): number => c.frame.width * c.frame.height * 3;

/** Frames of windows as the packed words that `patchifyBytes` reads. */
export function packWindows(set: FrameSet, windows: Window[], time: number, size: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(windows.length * time * size);
  windows.forEach((w, row) => {
    out.set(set.episodes[w.episode].frames.subarray(w.start * size, (w.start + time) * size), row * time * size);
  });
  return out;
}

/** Perceptual stand-in, level A: L1 of Laplacian bands and Sobel derivatives of the error image [n, H, W, 3]. */
function perceptualLoss(graph: Graph, error: Tensor): Tensor {
  const mean = (x: Tensor): Tensor => {
    const zero = graph.table(`zero ${x.size}`, [x.size], () => new Float32Array(x.size));
    const weight = graph.table(`ones ${x.shape[0]}`, [x.shape[0]], () => new Float32Array(x.shape[0]).fill(1));
    return rowLoss('absolute', x, zero, weight)[0];
  };
  let total: Tensor | null = null;
  let level = error;
  for (let l = 0; l < 3; l++) {
    const next = pyramidDown(level);
    // The smallest level is its own band.
    const band = l < 2 ? add(level, pyramidUp(next), 1, -1) : level;
    const term = mean(band);
    total = total ? add(total, term, 1, 1 / 3) : affine(term, 1 / 3);
    level = next;
  }
  return add(total as Tensor, mean(sobel(error)), 1, 0.5);
}

export class TokenizerTrainer {
  readonly store = new ParamStore();
  readonly gpu: Gpu;
  readonly config: DreamerConfig;
  readonly seed: number;
  readonly program: Program;
  /** Running mean squares of the loss normaliser: (mse, perceptual) x (mean, steps). */
  readonly normaliser: GPUBuffer;
  step = 0;
  private readonly optimiser: AdamW;
  private holdout: Program | null = null;

  constructor(gpu: Gpu, config: DreamerConfig, seed: number) {
    this.gpu = gpu;
    this.config = config;
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
      size: 512,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    const { rows, time } = config.phases.tokenizer;
    this.program = compile(gpu, (graph) => this.trace(graph, rows, time));
  }

  private trace(graph: Graph, rows: number, time: number): void {
    const c = this.config;
    const n = rows * time;
    const scope = new Scope(graph, this.store);
    const patches = patchifyBytes(graph.input('frames', [(n * frameBytes(c)) / 4]), n, c.frame);
    const starts = graph.input('starts', [rows]);
    const mode = { kind: 'rows' as const, batch: rows, time, starts };
    const keep = c.maskMax > 0 ? chooseMask(graph.input('seed', [2]), n, patchCount(c), c.maskMax) : undefined;
    const xhat = decode(scope, c, encode(scope, c, patches, mode, keep), mode);
    const weight = changeWeights(patches, time, c.changeWeight);
    const [mse] = rowLoss('squared', xhat, patches, weight);
    const state = (i: number): Tensor => graph.external('normaliser', [2], () => this.normaliser, i * 256);
    let loss = c.normaliseLosses ? normaliseLoss(mse, state(0), 1) : mse;
    graph.output('mse', mse);
    if (c.perceptual > 0) {
      // Half of the frames carry the perceptual term; it costs as much as a layer.
      const half = Math.max(1, Math.floor(time / 2));
      const pick = (x: Tensor): Tensor =>
        unpatchify(takeSlots(graph.reshape(x, [rows, time, frameBytes(c)]), time - half, half), c.frame);
      const perceptual = perceptualLoss(graph, add(pick(xhat), pick(patches), 1, -1));
      graph.output('perceptual', perceptual);
      loss = add(
        loss,
        c.normaliseLosses ? normaliseLoss(perceptual, state(1), c.perceptual) : perceptual,
        1,
        c.normaliseLosses ? 1 : c.perceptual,
      );
    }
    const norm2 = backward(graph, loss, scope.used(), this.store);
    graph.output('norm2', norm2);
    adamw(graph, this.store, norm2);
    this.store.allocate(this.gpu, this.seed);
  }

  /** One optimiser step on windows of `set`; returns before the GPU is done. */
  advance(set: FrameSet): void {
    const { rows, time, steps, lr } = this.config.phases.tokenizer;
    const { warmup, decay } = this.config;
    this.step += 1;
    const windows = drawWindows(
      { lengths: set.episodes.map((e) => e.actions.length) },
      rows,
      time,
      this.seed,
      this.step,
    );
    const inputs: Record<string, Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>> = {
      frames: packWindows(set, windows, time, frameBytes(this.config)),
      starts: new Uint32Array(rows),
      one: new Float32Array([1]),
      hyper: hyper(this.optimiser, this.step, learningRate(this.step, steps, lr, warmup, decay)),
    };
    if (this.config.maskMax > 0) inputs.seed = new Uint32Array([this.seed, this.step]);
    this.program.run(inputs);
  }

  async metrics(): Promise<Record<string, number>> {
    const out: Record<string, number> = { mse: (await this.program.read('mse'))[0] };
    if (this.config.perceptual > 0) out.perceptual = (await this.program.read('perceptual'))[0];
    out.gradNorm = Math.sqrt((await this.program.read('norm2'))[0]);
    return out;
  }

  /** Reconstruction without masking, averaged weights: PSNR in dB over the given windows and pixels of the first rows. */
  async evaluate(
    set: FrameSet,
    count: number,
    seed: number,
  ): Promise<{ psnr: number; pixels: Uint32Array; truth: Uint8Array }> {
    const c = this.config;
    const { rows, time } = c.phases.tokenizer;
    this.holdout ??= compile(this.gpu, (graph) => {
      const n = rows * time;
      const scope = new Scope(graph, this.store, 'average');
      const patches = patchifyBytes(graph.input('frames', [(n * frameBytes(c)) / 4]), n, c.frame);
      const mode = { kind: 'rows' as const, batch: rows, time, starts: graph.input('starts', [rows]) };
      const xhat = decode(scope, c, encode(scope, c, patches, mode), mode);
      const flat = graph.table('ones', [n], () => new Float32Array(n).fill(1));
      const [mse] = rowLoss('squared', xhat, patches, flat);
      graph.output('mse', mse);
      graph.output('pixels', toPixels(xhat, c.frame));
    });
    let sum = 0;
    let truth: Uint8Array<ArrayBuffer> = new Uint8Array(0);
    const lengths = set.episodes.map((e) => e.actions.length);
    for (let i = 0; i < count; i++) {
      truth = packWindows(set, drawWindows({ lengths }, rows, time, seed, i), time, frameBytes(c));
      this.holdout.run({ frames: truth, starts: new Uint32Array(rows) });
      sum += (await this.holdout.read('mse'))[0];
    }
    const pixels = new Uint32Array(await this.holdout.readBytes('pixels'));
    return { psnr: -10 * Math.log10(sum / count), pixels, truth };
  }

  dispose(): void {
    this.program.dispose();
    this.holdout?.dispose();
    this.store.dispose();
    this.normaliser.destroy();
  }
}
