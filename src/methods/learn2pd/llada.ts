/**
 * Training of the small LLaDA over several canvas lengths: one program per length on one set of weights. Most steps take the
 * shortest canvas; a longer one gets fewer rows, so that a step feeds about as many tokens. Which step takes which length is
 * a function of seed and step.
 */
import type { Gpu } from '../../gpu/device.ts';
import { mix32, uniform01 } from '../../gpu/rng.ts';
import type { Problem } from '../../lm/tasks/task.ts';
import type { ClosedTokenizer } from '../../lm/tokenizers/closed.ts';
import { type LmTrainer, TRAIN_DEFAULTS } from '../../lm/train/trainer.ts';
import type { ParamStore } from '../../nn/params.ts';
import { canvasesOf, type Learn2pdConfig, modelConfig } from './config.ts';
import { examplesOf, problemsOf, type Task } from './problems.ts';
import { diffusionBatch, lladaTrainer } from './train.ts';

const STREAM = 0x63616e76;

/** Rows of a step at a canvas of G tokens. */
export const rowsAt = (c: Learn2pdConfig, G: number): number =>
  Math.max(1, Math.round((c.rows * (c.prompt + c.canvas)) / (c.prompt + G)));

/** Canvas length of step t (1, 2, ..). */
export function canvasOf(c: Learn2pdConfig, seed: number, step: number): number {
  const [short, ...long] = canvasesOf(c);
  if (long.length === 0 || uniform01(mix32(seed, step, 0, STREAM)) >= c.longShare) return short;
  return long[mix32(seed, step, 1, STREAM) % long.length];
}

/**
 * Problems of step t. The task that begins the turn is drawn: a long canvas may have fewer rows than there are tasks, and the
 * last ones would never stand on it.
 */
export function stepProblems(
  c: Learn2pdConfig,
  tasks: readonly Task[],
  tokenizer: ClosedTokenizer,
  seed: number,
  step: number,
): Problem[] {
  const rows = rowsAt(c, canvasOf(c, seed, step));
  const first = mix32(seed, step, 2, STREAM) % tasks.length;
  return problemsOf(tasks, tokenizer, c, { split: 'train', seed, salt: step }, rows, first);
}

/** Seed of the masks of step t. */
export const maskSeed = (seed: number, step: number): number => mix32(seed, step, 0, 9);

export class LladaTraining {
  readonly store: ParamStore;
  /** Finished steps. */
  step = 0;
  flops = 0;
  private readonly c: Learn2pdConfig;
  private readonly seed: number;
  private readonly tasks: readonly Task[];
  private readonly tokenizer: ClosedTokenizer;
  private readonly trainers: Map<number, LmTrainer>;
  private last: LmTrainer;

  constructor(gpu: Gpu, c: Learn2pdConfig, tasks: readonly Task[], tokenizer: ClosedTokenizer, seed: number) {
    this.c = c;
    this.seed = seed;
    this.tasks = tasks;
    this.tokenizer = tokenizer;
    const model = modelConfig(c, tokenizer.vocab);
    let store: ParamStore | undefined;
    this.trainers = new Map(
      canvasesOf(c).map((G) => {
        const spec = { ...TRAIN_DEFAULTS, batch: rowsAt(c, G), time: c.prompt + G, steps: c.steps, lr: c.lr, seed };
        const trainer = lladaTrainer(gpu, model, spec, store);
        store = trainer.store;
        return [G, trainer];
      }),
    );
    this.last = this.at(c.canvas);
    this.store = this.last.store;
  }

  private at(G: number): LmTrainer {
    const trainer = this.trainers.get(G);
    if (!trainer) throw new Error(`no program for a canvas of ${G}`);
    return trainer;
  }

  async advance(): Promise<void> {
    const { c, seed } = this;
    const step = this.step + 1;
    const G = canvasOf(c, seed, step);
    const problems = stepProblems(c, this.tasks, this.tokenizer, seed, step);
    const trainer = this.at(G);
    trainer.step = this.step;
    trainer.advance(diffusionBatch(examplesOf(this.tokenizer, problems), c.prompt, G, maskSeed(seed, step), c.canvas));
    await trainer.throttle();
    this.step = step;
    this.last = trainer;
    this.flops += trainer.program.stats.flops;
  }

  /** Of the last step. */
  metrics(): Promise<Record<string, number>> {
    return this.last.metrics();
  }

  /** Frees programs; the store is the caller's to free. */
  dispose(): void {
    for (const t of this.trainers.values()) t.dispose();
  }
}
