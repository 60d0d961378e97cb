// Where the time of one training step goes: `node tests/bench/train-step.mjs [--adapter lavapipe] [--rung micro] [--rounds 5]` for the
// dynamics of Dreamer 4; `--method dsa --stage base` and `--method learn2pd --canvas 64` for the language models. Times the step, then every
// kind of dispatch alone, with the rate of each and the matmul peak of the same run.
import { parseArgs } from 'node:util';
import { openBench } from './open.mjs';

const { values } = parseArgs({
  options: {
    adapter: { type: 'string' },
    method: { type: 'string', default: 'dreamer4' },
    rung: { type: 'string' },
    stage: { type: 'string', default: 'base' },
    canvas: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    self: { type: 'string', default: '0' },
  },
});
if (values.adapter) process.env.TENFOLD_ADAPTER = values.adapter;
const { load, gpu, close } = await openBench();
const { race } = await load('/src/gpu/timing.ts');
const { kernelEntrant, variantHere } = await load('/src/bench/measure.ts');
const { kernelNamed } = await load('/src/bench/registry.ts');

const STEPS = {
  async dreamer4() {
    const { configure } = await load('/src/methods/dreamer4/config-file.ts');
    const { DynamicsTrainer } = await load('/src/methods/dreamer4/dynamics-trainer.ts');
    const config = configure(values.rung ?? 'micro', {});
    const { rows, time } = config.phases.dynamics;
    const trainer = new DynamicsTrainer(gpu, config, 1);
    const program = trainer.program({ rows, time, bootstrapRows: 0, selfPasses: Number(values.self) });
    return { program, title: `${config.rung}, ${rows} x ${time} frames` };
  },
  async dsa() {
    const { configure, shortRows } = await load('/src/methods/dsa/config.ts');
    const { stageTrainer } = await load('/src/methods/dsa/train.ts');
    const { dsaStore } = await load('/src/methods/dsa/model.ts');
    const { trainingBatch } = await load('/src/methods/dsa/tasks.ts');
    const whole = configure(values.rung ?? 'small', {});
    const config = values.stage === 'short' ? shortRows(whole) : whole;
    const { trainer } = stageTrainer(gpu, config, values.stage, dsaStore(gpu, config, 1), 1);
    // Without real bounds every row would see nothing.
    trainer.advance(trainingBatch(config, 1, 1));
    return {
      program: trainer.program,
      title: `${config.rung} ${values.stage}, ${config.batch} x ${config.time} tokens`,
    };
  },
  async learn2pd() {
    const { configure, modelConfig } = await load('/src/methods/learn2pd/config.ts');
    const { rowsAt } = await load('/src/methods/learn2pd/llada.ts');
    const { lladaTrainer } = await load('/src/methods/learn2pd/train.ts');
    const { TRAIN_DEFAULTS } = await load('/src/lm/train/trainer.ts');
    const config = configure(values.rung ?? 'small', {});
    const canvas = Number(values.canvas ?? config.canvas);
    const [batch, time] = [rowsAt(config, canvas), config.prompt + canvas];
    const spec = { ...TRAIN_DEFAULTS, batch, time, steps: config.steps, lr: config.lr, seed: 1 };
    const trainer = lladaTrainer(gpu, modelConfig(config, 128), spec);
    const whole = Uint32Array.from({ length: 2 * batch * time }, (_, i) => (i % 2) * time);
    trainer.program.run({ bounds: whole });
    return { program: trainer.program, title: `${config.rung}, ${batch} x ${time} tokens` };
  },
};
const { program, title } = await STEPS[values.method]();
console.log(`# ${gpu.report.description || gpu.report.device}: ${title}`);
const entry = kernelNamed('matmul nn');
const peak = await kernelEntrant(gpu, entry, variantHere(entry, gpu.conditions), entry.bench);
const groups = new Map();
for (const [i, c] of program.commands.entries()) groups.set(c.label, [...(groups.get(c.label) ?? []), i]);
const entrants = [...groups].map(([name, list]) => ({
  name,
  dispatches: list.length,
  record: (pass) => {
    for (const i of list) program.record(pass, i, i + 1);
  },
}));
const step = { name: 'step', dispatches: program.stats.dispatches, record: (pass) => program.record(pass) };
const [whole, best, ...parts] = await race(gpu.device, [step, peak, ...entrants], {
  rounds: Number(values.rounds),
  batchMs: 20,
});
const rate = peak.flops / best.min / 1e6;
const { flops, dispatches } = program.stats;
console.log(
  `step ${whole.min.toFixed(0)} ms, ${dispatches} dispatches, ${(flops / 1e9).toFixed(2)} GFLOP, ${(flops / whole.min / 1e6).toFixed(1)} GFLOP/s; peak ${rate.toFixed(1)} GFLOP/s`,
);
const total = parts.reduce((sum, p) => sum + p.min, 0);
parts
  .map((p, i) => ({ p, name: entrants[i].name, n: entrants[i].dispatches, list: groups.get(entrants[i].name) }))
  .sort((a, b) => b.p.min - a.p.min)
  .slice(0, 40)
  .forEach(({ p, name, n, list }) => {
    const work = list.reduce((sum, i) => sum + program.commands[i].flops, 0);
    console.log(
      `${name.padEnd(34)} ${String(n).padStart(4)} x ${(p.min / n).toFixed(3).padStart(8)} ms = ${p.min.toFixed(1).padStart(6)} ms ${((100 * p.min) / total).toFixed(1).padStart(5)} %  ${(work / p.min / 1e6).toFixed(1).padStart(6)} GFLOP/s`,
    );
  });
console.log(`sum ${total.toFixed(0)} ms`);
await close();
process.exit(0);
