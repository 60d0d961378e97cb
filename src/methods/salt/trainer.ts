/**
 * One stage of training: an encoder and a predictor that regress, at hidden tokens and by mean absolute error, either pixels
 * (V-Pixel, stage 1) or the latents of a teacher that sees the whole clip. The teacher is a frozen network (SALT, stage 2), the
 * moving average of the encoder itself (V-JEPA), or the encoder as it is (controls). Formulas: salt.md section 2.
 */
import type { Gpu } from '../../gpu/device.ts';
import { Scope } from '../../nn/layers.ts';
import { ParamStore } from '../../nn/params.ts';
import { Graph, type Tensor } from '../../tensor/graph.ts';
import { rowLoss } from '../../tensor/ops/loss.ts';
import { add, affine } from '../../tensor/ops/pointwise.ts';
import { plan } from '../../tensor/plan.ts';
import { compile, type InputData, type Program } from '../../tensor/program.ts';
import { requireFinite } from '../../train/finite.ts';
import { adamw, backward, hyper } from '../../train/optimiser.ts';
import { clipOf, renderClip } from './clips.ts';
import { gridOf, type Network, patchWidth, type SaltConfig, tokensOf } from './config.ts';
import { drawBatch, fixedSizes, type MaskName, RECIPES, type Sizes } from './masks.ts';
import { choose, encode, layerNorm, predict, type Tokens } from './model.ts';
import { normalisePatches, patchBatch } from './patches.ts';

/** What the predictions of a stage are compared with. */
export type Objective =
  | { kind: 'pixels' }
  | { kind: 'frozen'; teacher: ParamStore; network: Network }
  | { kind: 'average' }
  /** The encoder itself, with its gradient stopped or not: no moving average. */
  | { kind: 'self'; stopGradient: boolean };

export interface Stage {
  /** For messages. */
  title: string;
  objective: Objective;
  network: Network;
  masks: readonly MaskName[];
  steps: number;
}

export const maskNames = (c: SaltConfig, of: 'mask' | 'teacherMask'): readonly MaskName[] => RECIPES[c[of]];

/** How many tokens each mask of a stage leaves and hides. */
export const sizesOf = (c: SaltConfig, stage: Stage): Sizes[] =>
  stage.masks.map((name) => fixedSizes(gridOf(c), name, c.batch));

/** Forward pass and loss [1] of a stage. Inputs: those of `stepInputs`. */
export function traceLoss(scope: Scope, c: SaltConfig, stage: Stage, sizes: readonly Sizes[]): Tensor {
  const { graph } = scope;
  const { objective, network } = stage;
  const grid = gridOf(c);
  const tokens = tokensOf(grid);
  const { batch } = c;
  const patches = graph.input('patches', [batch * tokens, patchWidth(c)]);
  const targets = targetsOf(scope, c, stage, patches);
  const losses = stage.masks.map((name, i) => {
    const side = (which: 'context' | 'target'): Tokens => {
      const count = sizes[i][which];
      return { batch, count, rows: graph.input(`${which} ${i}`, [batch, count]) };
    };
    const at = { context: side('context'), target: side('target') };
    const features = encode(scope, network, grid, patches, at.context);
    const width = targets.shape[targets.shape.length - 1];
    // Two masks of one kind have a token each.
    const z = predict(scope, c.predictor, grid, features, at, `${i}.${name}`, width);
    const weight = graph.table(`weight ${sizes[i].target}`, [batch * sizes[i].target], () =>
      new Float32Array(batch * sizes[i].target).fill(1),
    );
    if (objective.kind === 'self' && !objective.stopGradient) {
      // rowLoss holds its target constant: the gradient of |z - h| reaches h through z - h.
      const difference = add(z, graph.reshape(choose(targets, at.target), z.shape), 1, -1);
      const zero = graph.table(`zero ${z.size}`, [z.size], () => new Float32Array(z.size));
      return rowLoss('absolute', difference, zero, weight)[0];
    }
    return rowLoss('absolute', z, choose(targets, at.target), weight)[0];
  });
  return affine(
    losses.reduce((a, b) => add(a, b)),
    1 / losses.length,
  );
}

/** What every token should be predicted as: [batch * tokens, width]. */
function targetsOf(scope: Scope, c: SaltConfig, { objective, network }: Stage, patches: Tensor): Tensor {
  const { graph, params } = scope;
  const grid = gridOf(c);
  if (objective.kind === 'pixels') return c.pixelNorm ? graph.input('pixels', patches.shape) : patches;
  const all: Tokens = { batch: c.batch, count: tokensOf(grid), rows: null };
  const latents = (of: Scope, n: Network): Tensor => {
    const h = encode(of, n, grid, patches, all);
    return c.targetNorm ? layerNorm(h) : h;
  };
  if (objective.kind === 'self' && !objective.stopGradient) return latents(scope, network);
  return graph.constant(() => {
    if (objective.kind === 'frozen') return latents(new Scope(graph, objective.teacher), objective.network);
    return latents(objective.kind === 'average' ? new Scope(graph, params, 'average') : scope, network);
  });
}

function traceStep(graph: Graph, store: ParamStore, c: SaltConfig, stage: Stage, sizes: readonly Sizes[]): void {
  const scope = new Scope(graph, store);
  const loss = traceLoss(scope, c, stage, sizes);
  graph.output('loss', loss);
  const norm2 = backward(graph, loss, scope.used(), store);
  graph.output('norm2', norm2);
  adamw(graph, store, norm2);
}

/** Floating point operations of a step, counted over the kernels that it would dispatch. Compiles nothing. */
export function stepFlops(gpu: Gpu, c: SaltConfig, stage: Stage): number {
  const graph = new Graph(gpu.conditions);
  traceStep(graph, new ParamStore(), c, stage, sizesOf(c, stage));
  return plan(graph)
    .nodes.flatMap((n) => n.dispatch())
    .reduce((sum, d) => sum + d.flops, 0);
}

/** Steps of the moving-average baseline that cost what both stages of SALT cost together. */
export function matchedSteps(
  gpu: Gpu,
  c: SaltConfig,
  stages: { teacher: Stage; student: Stage; average: Stage },
): number {
  const [teacher, student, average] = [stages.teacher, stages.student, stages.average].map((s) => stepFlops(gpu, c, s));
  return Math.max(1, Math.round((c.steps.teacher * teacher + c.steps.student * student) / average));
}

const FLOOR = 1e-6;

/** Linear warm-up, then a cosine down to 1e-6. */
export function rateAt(c: SaltConfig, t: number, steps: number): number {
  const up = Math.max(1, Math.round(steps * c.warmup));
  if (t <= up) return (c.lr * t) / up;
  const along = (t - up) / Math.max(1, steps - up);
  return FLOOR + (c.lr - FLOOR) * 0.5 * (1 + Math.cos(Math.PI * along));
}

/** Inputs of step `t` of a stage: clips and masks are functions of seed and step, the same for every method. */
export function stepInputs(
  c: SaltConfig,
  stage: Stage,
  sizes: readonly Sizes[],
  seed: number,
  t: number,
): Record<string, InputData> {
  const grid = gridOf(c);
  const tokens = tokensOf(grid);
  const { batch } = c;
  const clips = Array.from({ length: batch }, (_, b) =>
    renderClip(clipOf(seed, (t - 1) * batch + b).program, c.frames, c.size),
  );
  const patches = patchBatch(c, clips);
  const inputs: Record<string, InputData> = { patches };
  if (stage.objective.kind === 'pixels' && c.pixelNorm) inputs.pixels = normalisePatches(patches, patchWidth(c));
  for (const [i, name] of stage.masks.entries()) {
    const masks = drawBatch(grid, name, sizes[i], { seed, step: t, batch, variant: i });
    for (const side of ['context', 'target'] as const) {
      inputs[`${side} ${i}`] = Uint32Array.from(masks.flatMap((m, b) => m[side].map((token) => b * tokens + token)));
    }
  }
  return inputs;
}

export class StageTrainer {
  readonly stage: Stage;
  readonly program: Program;
  readonly sizes: readonly Sizes[];
  step = 0;
  private readonly c: SaltConfig;
  private readonly store: ParamStore;
  private readonly seed: number;

  /** Declares the parameters in `store` and allocates them with `seed`, if that has not happened yet. */
  constructor(gpu: Gpu, c: SaltConfig, stage: Stage, store: ParamStore, seed: number) {
    this.c = c;
    this.stage = stage;
    this.store = store;
    this.seed = seed;
    this.sizes = sizesOf(c, stage);
    this.program = compile(gpu, (graph) => {
      traceStep(graph, store, c, stage, this.sizes);
      store.allocate(gpu, seed);
    });
  }

  /** Submits the next step; returns before the GPU is done. */
  issue(): void {
    const { c, stage } = this;
    const t = this.step + 1;
    const along = stage.steps > 1 ? (t - 1) / (stage.steps - 1) : 0;
    const weightDecay = c.decay + (c.decayEnd - c.decay) * along;
    const optimiser = { beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay, clip: c.clip, ema: c.momentum };
    const numbers = hyper(optimiser, t, rateAt(c, t, stage.steps));
    // The engine's average begins as a plain mean; the teacher of V-JEPA has one momentum from the first step.
    numbers[EMA] = c.momentum;
    this.program.run({
      ...stepInputs(c, stage, this.sizes, this.seed, t),
      one: new Float32Array([1]),
      hyper: numbers,
    });
    this.step = t;
  }

  async advance(): Promise<void> {
    this.issue();
    await this.program.throttle();
  }

  /** Of the last step, before its update. Throws if a number is not finite. */
  async metrics(): Promise<Record<string, number>> {
    const [loss] = await this.program.read('loss');
    const [norm2] = await this.program.read('norm2');
    const values = { loss, gradNorm: Math.sqrt(norm2) };
    await requireFinite(`${this.stage.title} step ${this.step}`, values, this.store);
    return values;
  }

  dispose(): void {
    this.program.dispose();
  }
}

/** Where `hyper` holds the decay of the moving average. */
const EMA = 7;
