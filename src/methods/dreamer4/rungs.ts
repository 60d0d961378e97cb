/** What each rung of the ladder costs on this adapter: parameters, dispatches, memory, work; and one real step if asked. */

import type { Gpu } from '../../gpu/device.ts';
import { mix32 } from '../../gpu/rng.ts';
import { quantile } from '../../gpu/timing.ts';
import { fusedStack } from '../../nn/fused-layers.ts';
import type { DreamerConfig } from './config.ts';
import { DynamicsTrainer } from './dynamics-trainer.ts';
import type { FrameSet } from './frames.ts';
import { LatentDream } from './play.ts';
import { NO_ACTION } from './play-contract.ts';
import { TokenizerTrainer } from './tokenizer-trainer.ts';
import { latentSize, type TokenEpisode } from './tokens.ts';

export interface RungRow {
  rung: string;
  program: string;
  /** Rows of the batch that fits this adapter, and rows of the recipe. */
  rows: number;
  recipeRows: number;
  parameters: number;
  dispatches: number;
  pipelines: number;
  arenaMiB: number;
  gflop: number;
  /** Median milliseconds of one step (see `steps`), or null if it was not run. */
  ms: number | null;
  /** Milliseconds of the runs that count, shortest first. */
  samples: readonly number[];
}

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

/**
 * `steps` times an optimiser step of both phases and a played frame are run (0 = nothing is run). `rows` caps the batch
 * (1 = smallest).
 */
export async function measureRung(gpu: Gpu, config: DreamerConfig, steps: number, rows: number): Promise<RungRow[]> {
  const out: RungRow[] = [];
  const withRows = (n: number): DreamerConfig => {
    const c = structuredClone(config);
    c.phases.tokenizer.rows = n;
    c.phases.dynamics.rows = n;
    c.phases.dynamics.longRows = 0;
    return c;
  };
  const { tokenizer: tp, dynamics: dp } = config.phases;
  const tok = fitting(Math.min(rows, tp.rows), (n) => new TokenizerTrainer(gpu, withRows(n), 1));
  const n = Math.max(tp.time, dp.time) + 1;
  let samples: number[] = [];
  if (steps > 0) {
    const frames = noiseFrames(config, n);
    samples = await timed(steps, async () => {
      tok.made.advance(frames);
      await tok.made.metrics();
    });
  }
  const ts = tok.made.program.stats;
  const row = (
    program: string,
    stats: typeof ts,
    own: number,
    recipe: number,
    parameters: number,
    samples: readonly number[],
  ): RungRow => ({
    rung: config.rung,
    program,
    rows: own,
    recipeRows: recipe,
    parameters,
    dispatches: stats.dispatches,
    pipelines: stats.pipelines,
    arenaMiB: stats.arenaBytes / MIB,
    gflop: stats.flops / 1e9,
    ms: samples.length > 0 ? quantile(samples, 0.5) : null,
    samples,
  });
  out.push(row('tokenizer step', ts, tok.rows, tp.rows, tok.made.store.count, samples));

  const dyn = fitting(Math.min(rows, dp.rows), (r) => new DynamicsTrainer(gpu, withRows(r), 1));
  const width = latentSize(config);
  const stats = { mean: new Float32Array(width), std: new Float32Array(width).fill(1) };
  dyn.made.setStats(stats);
  samples = [];
  if (steps > 0) {
    const tokens: TokenEpisode = {
      tokens: new Uint8Array(n * width).map((_, i) => mix32(i, 4, 5, 6) & 255),
      actions: new Uint32Array(n),
      changed: new Uint8Array(n),
    };
    samples = await timed(steps, async () => {
      dyn.made.advance([tokens], stats);
      await dyn.made.metrics();
    });
  }
  const [ds] = Object.values(dyn.made.programStats());
  out.push(row('dynamics step', ds, dyn.rows, dp.rows, dyn.made.store.count, samples));

  const dream = new LatentDream(
    gpu,
    { config, tokenizer: tok.made.store, dynamics: dyn.made.store, slab: 'value', stats, title: config.rung },
    1,
    { fused: fusedStack },
  );
  dream.fill();
  samples = [];
  if (steps > 0) {
    samples = await timed(steps, async () => {
      await dream.step(
        new Uint32Array([0]),
        { k: 4, contextCorruption: config.contextCorruption, seed: 1 },
        { rgb: true },
      );
    });
  }
  const played = dream.programStats()['step K=4'];
  out.push(row('played frame', played, 1, 1, tok.made.store.count + dyn.made.store.count, samples));
  dream.dispose();
  tok.made.dispose();
  dyn.made.dispose();
  // What an adapter refuses is reported late and leaves no trace in the figures.
  await gpu.device.queue.onSubmittedWorkDone();
  if (gpu.error) throw new Error(`${config.rung}: ${gpu.error}`);
  return out;
}
