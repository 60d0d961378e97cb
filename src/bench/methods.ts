/** What one step of each method costs on this adapter: dispatches, work, time after a first step that compiles. */
import type { Gpu } from '../gpu/device.ts';
import { mix32 } from '../gpu/rng.ts';
import { race } from '../gpu/timing.ts';
import { smallConfig } from '../lm/config.ts';
import { Decoder } from '../lm/decoder.ts';
import { newStore, storeModel } from '../lm/language-model.ts';
import { presets } from '../methods/dreamer4/config.ts';
import { measureRung } from '../methods/dreamer4/rungs.ts';
import { REFERENCE_BATCH, REFERENCE_GPT } from '../nn/gpt.ts';
import { ParamStore } from '../nn/params.ts';
import { gptStep } from '../train/gpt-step.ts';
import { diffusionDecoding } from './diffusion.ts';
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

/** Decoding of the language model, one token of every sequence: alone in a submission, and sixteen of them in one. */
async function decoding(gpu: Gpu, sequences: number): Promise<Omit<MethodCost, 'fraction'>[]> {
  const c = smallConfig(96, 64, 2, 64);
  const store = newStore(gpu, c, 1, false);
  const model = storeModel(gpu, c, store, { sequences, capacity: 64 });
  const decoders = [1, 16].map((perSubmission) => new Decoder(gpu, model, { perSubmission }));
  const prompts = Array.from({ length: sequences }, (_, i) => [1 + (i % 20), 2, 3]);
  const times = decoders.map((): number[] => []);
  // In turns, so that what else the machine does falls on both.
  for (let round = 0; round <= STEPS; round++) {
    for (const [i, decoder] of decoders.entries()) {
      const sampling = { temperature: 1, topK: 0, topP: 1, maxNew: 32, stop: [], seed: round };
      const { stats } = await decoder.generate(prompts, sampling);
      if (round > 0) times[i].push(stats.wallMs / stats.steps);
    }
  }
  const rows = decoders.map((decoder, i) => {
    const { dispatches, pipelines, flops, arenaBytes } = decoder.stats.step;
    const each = decoder.perSubmission;
    return {
      method: `language model, ${sequences === 1 ? 'one sequence' : `${sequences} sequences`}`,
      step: `one token, 2 layers, d 64, ${each === 1 ? 'alone in a submission' : `${each} in a submission`}`,
      dispatches,
      pipelines,
      flops,
      arenaMiB: arenaBytes / MIB,
      ms: times[i].sort((a, b) => a - b)[times[i].length >> 1],
    };
  });
  for (const decoder of decoders) decoder.dispose();
  model.dispose();
  store.dispose();
  return rows;
}

export const METHOD_BENCHES: readonly MethodBench[] = [
  { name: 'reference GPT', run: referenceGpt },
  { name: 'decoding, 1 sequence', run: (gpu) => decoding(gpu, 1) },
  { name: 'decoding, 64 sequences', run: (gpu) => decoding(gpu, 64) },
  { name: 'Learn2PD decoding', run: diffusionDecoding },
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
