/** What one step of each method costs on this adapter: dispatches, work, time after a first step that compiles. */
import type { Gpu } from '../gpu/device.ts';
import { mix32 } from '../gpu/rng.ts';
import { smallConfig } from '../lm/config.ts';
import { newStore, storeModel } from '../lm/language-model.ts';
import { presets } from '../methods/dreamer4/config.ts';
import { measureRung } from '../methods/dreamer4/rungs.ts';
import { REFERENCE_BATCH, REFERENCE_GPT } from '../nn/gpt.ts';
import { ParamStore } from '../nn/params.ts';
import { gptStep } from '../train/gpt-step.ts';
import { decodedToken } from './decoding.ts';
import { diffusionDecoding } from './diffusion.ts';
import { issuedRow, type MethodCost, type MethodRow, methodRow, wallTiming } from './method-cost.ts';
import { attainableSeconds, type RooflineRoof } from './roofline.ts';
import { saltSteps } from './salt-steps.ts';
import { dsaSteps, learn2pdSteps } from './training-steps.ts';

interface MethodBench {
  /** What `--only` calls it: no comma. */
  name: string;
  /** Its method (methods/method-list.ts); none for what several methods stand on. */
  method?: string;
  run(gpu: Gpu): Promise<MethodRow[]>;
}

async function referenceGpt(gpu: Gpu): Promise<MethodRow[]> {
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
  const what = `training step, 2 layers, d 64, batch ${batch} x ${time}`;
  try {
    const row = await issuedRow(gpu, 'reference GPT', what, step.program.stats, issue);
    if (!Number.isFinite(await step.loss())) throw new Error('reference GPT: the loss is not a number');
    return [row];
  } finally {
    step.program.dispose();
    store.dispose();
  }
}

/** Steps per program: the first compiles, the median of the others counts. */
const STEPS = 4;

async function dreamer(gpu: Gpu, rung: 'nano' | 'micro'): Promise<MethodRow[]> {
  const programs = ['tokenizer step', 'short step', 'played frame'] as const;
  const rows = await measureRung(gpu, presets[rung], { steps: STEPS, rows: 1, programs, run: programs });
  return Promise.all(
    rows.map(async (r) => {
      const program = r.program === 'short step' ? 'dynamics step' : r.program;
      const step = program === 'played frame' ? 'one played frame, 4 denoising steps' : `${program}, ${r.rows} row`;
      const stats = { ...r, flops: r.gflop * 1e9, arenaBytes: r.arenaMiB * 2 ** 20 };
      return methodRow(`Dreamer 4 ${rung}`, step, stats, await wallTiming(gpu, r.samples, r));
    }),
  );
}

/** Decoding of the language model, one token of every sequence. */
async function decoding(gpu: Gpu, sequences: number): Promise<MethodRow[]> {
  const c = smallConfig(96, 64, 2, 64);
  const store = newStore(gpu, c, 1, false);
  const model = storeModel(gpu, c, store, { sequences, capacity: 64 });
  try {
    const method = `language model, ${sequences === 1 ? 'one sequence' : `${sequences} sequences`}`;
    return await decodedToken(gpu, model, method, 'one token, 2 layers, d 64', 32);
  } finally {
    model.dispose();
    store.dispose();
  }
}

export const METHOD_BENCHES: readonly MethodBench[] = [
  { name: 'reference GPT', run: referenceGpt },
  { name: 'decoding of 1 sequence', run: (gpu) => decoding(gpu, 1) },
  { name: 'decoding of 64 sequences', run: (gpu) => decoding(gpu, 64) },
  { name: 'Sparse attention nano', method: 'dsa', run: dsaSteps },
  { name: 'Learn2PD nano', method: 'learn2pd', run: learn2pdSteps },
  { name: 'Learn2PD decoding', method: 'learn2pd', run: diffusionDecoding },
  { name: 'SALT test', method: 'salt', run: saltSteps },
  { name: 'Dreamer 4 nano', method: 'dreamer4', run: (gpu) => dreamer(gpu, 'nano') },
  { name: 'Dreamer 4 micro', method: 'dreamer4', run: (gpu) => dreamer(gpu, 'micro') },
];

export async function measureMethod(gpu: Gpu, bench: MethodBench, roof: RooflineRoof | null): Promise<MethodCost[]> {
  const rows = await bench.run(gpu);
  return rows.map((r) => ({
    ...r,
    fraction: roof ? attainableSeconds(roof, r.flops, 0) / (r.timing.median / 1000) : Number.NaN,
  }));
}
