/** What each rung of the ladder costs on this adapter: parameters, dispatches, memory, work; and one real step if asked. */

import type { Gpu } from '../../gpu/device.ts';
import { mix32 } from '../../gpu/rng.ts';
import { quantile } from '../../gpu/timing.ts';
import { fusedStack } from '../../nn/fused-layers.ts';
import { type ParamStore, SLABS } from '../../nn/params.ts';
import type { ProgramStats } from '../../tensor/program.ts';
import type { DreamerConfig } from './config.ts';
import { DynamicsTrainer } from './dynamics-trainer.ts';
import type { FrameSet } from './frames.ts';
import { LatentDream } from './play.ts';
import { NO_ACTION } from './play-contract.ts';
import { TokenizerTrainer } from './tokenizer-trainer.ts';
import { latentSize, type TokenEpisode } from './tokens.ts';

/**
 * A step is of short rows or of long ones. *Full*: with bootstrap rows, and with every pass over the model's own predictions
 * that the configuration may draw; without, it has neither.
 */
export const RUNG_PROGRAMS = [
  'tokenizer step',
  'short step',
  'short step, full',
  'long step',
  'long step, full',
  'played frame',
] as const;
export type RungProgram = (typeof RUNG_PROGRAMS)[number];

export interface RungRow {
  rung: string;
  program: RungProgram;
  /** Rows of the batch that fits this adapter, bootstrap rows among them, and rows of the recipe. */
  rows: number;
  bootstrapRows: number;
  recipeRows: number;
  parameters: number;
  dispatches: number;
  pipelines: number;
  arenaMiB: number;
  /** Weights that the program reads; beside them gradient, two moments and average in training, rings of keys and values in play. */
  weightsMiB: number;
  optimiserMiB: number;
  ringsMiB: number;
  gflop: number;
  /** Median milliseconds of one step (see `steps`), or null if it was not run. */
  ms: number | null;
  /** Milliseconds of the runs that count, shortest first. */
  samples: readonly number[];
}

export interface RungOptions {
  /** How often each of the programs in `run` is run; 0 = nothing is. */
  steps: number;
  /** Cap of the batch, 1 = smallest. */
  rows: number;
  programs?: readonly RungProgram[];
  /** Default: those that contain the others. */
  run?: readonly RungProgram[];
}

const CONTAIN_ALL: readonly RungProgram[] = ['tokenizer step', 'short step, full', 'long step, full', 'played frame'];

const MIB = 2 ** 20;

/** Noise frames: cost does not depend on content. */
function noiseFrames(c: DreamerConfig, n: number): FrameSet {
  const frames = new Uint8Array(n * c.frame.width * c.frame.height * 3);
  for (let i = 0; i < frames.length; i++) frames[i] = mix32(i, 1, 2, 3) & 255;
  return {
    width: c.frame.width,
    height: c.frame.height,
    episodes: [{ frames, actions: new Uint32Array(n).fill(NO_ACTION) }],
  };
}

/** Halves the rows until the program fits the adapter's buffer limits. */
function fitting<T>(rows: number, make: (rows: number) => T): { made: T; rows: number } {
  for (let n = rows; ; n = Math.floor(n / 2)) {
    try {
      return { made: make(n), rows: n };
    } catch (error) {
      if (n <= 1 || !(error instanceof Error) || !error.message.startsWith('compile:')) throw error;
    }
  }
}

/** Milliseconds of the runs after the first one, which compiles; with a single run of that one. */
async function timed(runs: number, run: () => Promise<void>): Promise<number[]> {
  const samples: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await run();
    samples.push(performance.now() - start);
  }
  return (runs > 1 ? samples.slice(1) : samples).sort((a, b) => a - b);
}

/** Programs are traced, planned and compiled for this adapter, and run if asked. Throws what the adapter refuses. */
export async function measureRung(gpu: Gpu, config: DreamerConfig, options: RungOptions): Promise<RungRow[]> {
  const { rows, programs = RUNG_PROGRAMS, run = CONTAIN_ALL } = options;
  const out: RungRow[] = [];
  const { tokenizer: tp, dynamics: dp } = config.phases;
  // Short and long batches keep their proportion.
  const longRows = (n: number): number => (dp.longRows > 0 ? Math.max(1, Math.round((n / dp.rows) * dp.longRows)) : 0);
  const withRows = (n: number): DreamerConfig => {
    const c = structuredClone(config);
    c.phases.tokenizer.rows = n;
    c.phases.dynamics.rows = n;
    c.phases.dynamics.longRows = longRows(n);
    return c;
  };
  const steps = (program: RungProgram): number => (run.includes(program) ? options.steps : 0);
  const row = (
    program: RungProgram,
    batch: Pick<RungRow, 'rows' | 'bootstrapRows' | 'recipeRows'>,
    stats: ProgramStats,
    memory: Pick<RungRow, 'parameters' | 'weightsMiB' | 'optimiserMiB' | 'ringsMiB'>,
    samples: readonly number[],
  ): void => {
    if (!programs.includes(program)) return;
    out.push({
      rung: config.rung,
      program,
      ...batch,
      ...memory,
      dispatches: stats.dispatches,
      pipelines: stats.pipelines,
      arenaMiB: stats.arenaBytes / MIB,
      gflop: stats.flops / 1e9,
      ms: samples.length > 0 ? quantile(samples, 0.5) : null,
      samples,
    });
  };
  const training = ({ count, byteLength }: ParamStore): Parameters<typeof row>[3] => ({
    parameters: count,
    weightsMiB: byteLength / MIB,
    optimiserMiB: ((SLABS.length - 1) * byteLength) / MIB,
    ringsMiB: 0,
  });

  const tok = fitting(Math.min(rows, tp.rows), (n) => new TokenizerTrainer(gpu, withRows(n), 1));
  const n = Math.max(tp.time, dp.time, dp.longTime) + 1;
  const tokenizerSteps = steps('tokenizer step');
  const frames = tokenizerSteps > 0 ? noiseFrames(config, n) : null;
  row(
    'tokenizer step',
    { rows: tok.rows, bootstrapRows: 0, recipeRows: tp.rows },
    tok.made.program.stats,
    training(tok.made.store),
    await timed(tokenizerSteps, async () => {
      if (frames) tok.made.advance(frames);
      await tok.made.metrics();
    }),
  );

  const dyn = fitting(Math.min(rows, dp.rows), (r) => new DynamicsTrainer(gpu, withRows(r), 1));
  const width = latentSize(config);
  const stats = { mean: new Float32Array(width), std: new Float32Array(width).fill(1) };
  dyn.made.setStats(stats);
  const tokens: TokenEpisode = {
    tokens: new Uint8Array(n * width).map((_, i) => mix32(i, 4, 5, 6) & 255),
    actions: new Uint32Array(n),
    changed: new Uint8Array(n),
  };
  for (const long of dp.longRows > 0 ? [false, true] : [false]) {
    for (const full of [false, true]) {
      const program: RungProgram = `${long ? 'long' : 'short'} step${full ? ', full' : ''}`;
      if (!programs.includes(program)) continue;
      const largest = dyn.made.largest(long);
      const recipeRows = long ? dp.longRows : dp.rows;
      // A quarter of one row is none: where the recipe's batch has bootstrap rows, a smaller one has at least one.
      const bootstrapRows = Math.max(
        largest.bootstrapRows,
        Math.min(1, Math.round(recipeRows * config.bootstrapShare)),
      );
      const shape = full ? { ...largest, bootstrapRows } : { ...largest, bootstrapRows: 0, selfPasses: 0 };
      const samples = await timed(steps(program), async () => {
        dyn.made.advance([tokens], stats, shape);
        await dyn.made.metrics();
      });
      row(
        program,
        { rows: shape.rows, bootstrapRows: shape.bootstrapRows, recipeRows },
        dyn.made.program(shape).stats,
        training(dyn.made.store),
        samples,
      );
    }
  }

  const dream = new LatentDream(
    gpu,
    { config, tokenizer: tok.made.store, dynamics: dyn.made.store, slab: 'value', stats, title: config.rung },
    1,
    { fused: fusedStack },
  );
  dream.fill();
  const settings = { k: 4, contextCorruption: config.contextCorruption, seed: 1 };
  row(
    'played frame',
    { rows: 1, bootstrapRows: 0, recipeRows: 1 },
    dream.programStats()['step K=4'],
    {
      parameters: tok.made.store.count + dyn.made.store.count,
      weightsMiB: (tok.made.store.byteLength + dyn.made.store.byteLength) / MIB,
      optimiserMiB: 0,
      ringsMiB: dream.ringBytes / MIB,
    },
    await timed(steps('played frame'), async () => {
      await dream.step(new Uint32Array([0]), settings, { rgb: true });
    }),
  );
  dream.dispose();
  tok.made.dispose();
  dyn.made.dispose();
  // What an adapter refuses is reported late and leaves no trace in the figures.
  await gpu.device.queue.onSubmittedWorkDone();
  if (gpu.error) throw new Error(`${config.rung}: ${gpu.error}`);
  return out;
}
