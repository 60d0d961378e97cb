// Races matmul plans on this machine's adapter: `node tests/bench/matmul.mjs [--adapter lavapipe|swiftshader] [--rounds 5]
// [--rows 8,16,32] [--shape MxNxK]`. Plans of one shape take turns in one process, the best round counts: other work on the
// machine then disturbs all of them alike. Prints GFLOP/s, microseconds per product and the cost of the first dispatch.
import { parseArgs } from 'node:util';
import { openBench } from './open.mjs';

const { values } = parseArgs({
  options: {
    adapter: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    rows: { type: 'string', default: '8,16,32' },
    shape: { type: 'string' },
    gpu: { type: 'boolean', default: false },
  },
});
if (values.adapter) process.env.TENFOLD_ADAPTER = values.adapter;
const { load, gpu } = await openBench();
const { planMatmul } = await load('/src/tensor/kernels/matmul.ts');
const { device, report } = gpu;
const info = device.adapterInfo;
const subgroup =
  device.features.has('subgroups') && info.subgroupMinSize === info.subgroupMaxSize ? info.subgroupMinSize : 0;
console.log(`# ${report.description || report.device}, subgroups of ${subgroup}, software ${report.software}`);

/** Training shapes of the world model (128 frames x 20 tokens), play shapes (batch 8, batch 1), and a square. */
const SHAPES = [
  ['nn', 2560, 160, 96],
  ['nn', 2560, 512, 96],
  ['nn', 2560, 96, 256],
  ['nt', 2560, 96, 512],
  ['nt', 2560, 96, 160],
  ['tn', 96, 512, 2560],
  ['tn', 256, 96, 2560],
  ['nn', 160, 512, 96],
  ['nn', 20, 512, 96],
  ['nn', 512, 512, 512],
].filter((s) => !values.shape || s.slice(1).join('x') === values.shape);

function prepare(o) {
  const plan = planMatmul(o);
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code: plan.code }), entryPoint: plan.entryPoint },
  });
  const sizes = { a: o.M * o.K, b: o.K * o.N, c: o.M * o.N, bias: o.N, residual: o.M * o.N };
  const entries = plan.bindings.map((name, binding) => ({
    binding,
    resource: {
      buffer: device.createBuffer({ size: 4 * sizes[name], usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST }),
    },
  }));
  const uniforms = device.createBuffer({ size: 32, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  device.queue.writeBuffer(uniforms, 0, plan.uniforms);
  entries.push({ binding: entries.length, resource: { buffer: uniforms } });
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  return { plan, pipeline, group, best: Number.POSITIVE_INFINITY };
}

async function time({ pipeline, group, plan }, times) {
  const start = performance.now();
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  for (let i = 0; i < times; i++) pass.dispatchWorkgroups(...plan.workgroups);
  pass.end();
  device.queue.submit([encoder.finish()]);
  await device.queue.onSubmittedWorkDone();
  return (performance.now() - start) / times;
}

for (const [form, M, N, K] of SHAPES) {
  const base = { form, M, N, K };
  const options = values.rows.split(',').map((rows) => ({ ...base, software: true, subgroup, rows: Number(rows) }));
  options.push({ ...base, software: true, subgroup: 0 });
  if (values.gpu || !report.software) options.push({ ...base, software: false });
  const runs = [];
  for (const o of options) {
    const run = prepare(o);
    run.first = await time(run, 1);
    run.times = Math.max(1, Math.min(300, Math.round(50 / (await time(run, 1)))));
    runs.push(run);
  }
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const run of runs) run.best = Math.min(run.best, await time(run, run.times));
  }
  console.log(`${form} ${M}x${N}x${K}`);
  for (const { plan, best, first } of runs) {
    const rate = (plan.flops / best / 1e6).toFixed(2).padStart(8);
    console.log(
      `${rate} GFLOP/s ${(best * 1e3).toFixed(0).padStart(8)} us  first ${first.toFixed(0).padStart(5)} ms  ${plan.key}`,
    );
  }
}
if (gpu.error) console.log(`GPU error: ${gpu.error}`);
process.exit(gpu.error ? 1 : 0);
