/** What one step of each method costs on this adapter: dispatches, work, time after a first step that compiles. */
import type { Gpu } from '../gpu/device.ts';
import { mix32 } from '../gpu/rng.ts';
import { race } from '../gpu/timing.ts';
import { presets } from '../methods/dreamer4/config.ts';
import { measureRung } from '../methods/dreamer4/rungs.ts';
import { REFERENCE_BATCH, REFERENCE_GPT } from '../nn/gpt.ts';
import { ParamStore } from '../nn/params.ts';
import { gptStep } from '../train/gpt-step.ts';
import { SHORT } from './measure.ts';
import { attainableSeconds, type RooflineRoof } from './roofline.ts';

export interface MethodCost {
  method: string;
  step: string;
  dispatches: number;
  pipelines: number;
  flops: number;
  arenaMiB: number;
  ms: number;
  /** Time that the FLOPs alone need at the measured matmul peak over the time taken; NaN without a roof. */
  fraction: number;
}

interface MethodBench {
  name: string;
  run(gpu: Gpu): Promise<Omit<MethodCost, 'fraction'>[]>;
}

const MIB = 2 ** 20;

async function referenceGpt(gpu: Gpu): Promise<Omit<MethodCost, 'fraction'>[]> {
  const store = new ParamStore();
  const optimiser = { beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.01, clip: 1, ema: 0.99 };
  const step = gptStep(gpu, store, REFERENCE_GPT, REFERENCE_BATCH, optimiser, 1);
  const { batch, time } = REFERENCE_BATCH;
  const ids = Uint32Array.from({ length: batch * time }, (_, i) => mix32(i, 1, 0, 0) % REFERENCE_GPT.vocab);
  let t = 0;
  const issue = (): void => {
    t += 1;
    step.run(t, 1e-3, ids, ids);
  };
  const { dispatches, pipelines, flops, arenaBytes } = step.program.stats;
  try {
    const [timing] = await race(gpu.device, [{ name: 'reference GPT', dispatches, issue }], SHORT);
    if (!Number.isFinite(await step.loss())) throw new Error('reference GPT: the loss is not a number');
    return [
      {
        method: 'reference GPT',
        step: `training step, 2 layers, d 64, batch ${batch} x ${time}`,
        dispatches,
        pipelines,
        flops,
        arenaMiB: arenaBytes / MIB,
        ms: timing.median,
      },
    ];
  } finally {
    step.program.dispose();
    store.dispose();
  }
}

/** Steps per program: the first compiles, the median of the others counts. */
const STEPS = 4;

async function dreamer(gpu: Gpu, rung: 'nano' | 'micro'): Promise<Omit<MethodCost, 'fraction'>[]> {
  const rows = await measureRung(gpu, presets[rung], STEPS, 1);
  return rows.map((r) => ({
    method: `Dreamer 4 ${rung}`,
    step: r.program === 'played frame' ? 'one played frame, 4 denoising steps' : `${r.program}, ${r.rows} row`,
    dispatches: r.dispatches,
    pipelines: r.pipelines,
    flops: r.gflop * 1e9,
    arenaMiB: r.arenaMiB,
    ms: r.ms ?? Number.NaN,
  }));
}

export const METHOD_BENCHES: readonly MethodBench[] = [
  { name: 'reference GPT', run: referenceGpt },
  { name: 'Dreamer 4 nano', run: (gpu) => dreamer(gpu, 'nano') },
  { name: 'Dreamer 4 micro', run: (gpu) => dreamer(gpu, 'micro') },
];

export async function measureMethod(gpu: Gpu, bench: MethodBench, roof: RooflineRoof | null): Promise<MethodCost[]> {
  const rows = await bench.run(gpu);
  return rows.map((r) => ({
    ...r,
    fraction: roof ? attainableSeconds(roof, r.flops, 0) / (r.ms / 1000) : Number.NaN,
  }));
}
