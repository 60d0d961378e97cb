// How long a visitor waits for the first training step: `node tests/bench/first-step.mjs [--adapter lavapipe|swiftshader] [--warm]`, the
// reference GPT from the start of tracing to its first loss on a new device, with the processor time of all threads, and the second
// step after it. Cold: nothing has been compiled in this process, and Mesa's cache on the disk is off (`--warm` leaves it on).
import { parseArgs } from 'node:util';
import { openBench } from './open.mjs';

const { values } = parseArgs({ options: { adapter: { type: 'string' }, warm: { type: 'boolean' } } });
if (values.adapter) process.env.TENFOLD_ADAPTER = values.adapter;
if (!values.warm) process.env.MESA_SHADER_CACHE_DISABLE = 'true';
const { load, gpu, close } = await openBench();
const { ParamStore } = await load('/src/nn/params.ts');
const { REFERENCE_BATCH, REFERENCE_GPT } = await load('/src/nn/gpt.ts');
const { gptStep } = await load('/src/train/gpt-step.ts');

const { batch, time } = REFERENCE_BATCH;
const ids = Uint32Array.from({ length: batch * time }, (_, i) => (i * 7) % REFERENCE_GPT.vocab);
const optimiser = { beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.01, clip: 1, ema: 0.99 };
const start = performance.now();
const cpu = process.cpuUsage();
const step = gptStep(gpu, new ParamStore(), REFERENCE_GPT, REFERENCE_BATCH, optimiser, 1);
step.run(1, 1e-3, ids, ids);
await step.loss();
const first = performance.now();
const { user, system } = process.cpuUsage(cpu);
step.run(2, 1e-3, ids, ids);
await step.loss();
const second = performance.now();
const { dispatches, pipelines } = step.program.stats;
const { description, device, vendor } = gpu.report;
console.log(
  `${description || device || vendor}: first step ${((first - start) / 1000).toFixed(2)} s (${((user + system) / 1e6).toFixed(2)} s of processor), second ${((second - first) / 1000).toFixed(2)} s, ${dispatches} dispatches, ${pipelines} pipelines`,
);
close();
