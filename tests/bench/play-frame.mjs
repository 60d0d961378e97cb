// Where the time of one played frame goes: `node tests/bench/play-frame.mjs [--adapter lavapipe|swiftshader] [--rounds 9]
// [--checkpoint FILE] [--k 4]`. Times the whole step program over full rings, then every kind of dispatch alone (all dispatches
// of one label in one pass, by timestamps), and the matmul peak of the same run in turns with the frame.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openBench } from './open.mjs';

const { values } = parseArgs({
  options: {
    adapter: { type: 'string' },
    rounds: { type: 'string', default: '9' },
    checkpoint: { type: 'string', default: 'public/models/dreamer4/dreamer4-micro.safetensors' },
    k: { type: 'string', default: '4' },
    labels: { type: 'boolean', default: false },
  },
});
if (values.adapter) process.env.TENFOLD_ADAPTER = values.adapter;
const { load, gpu, close } = await openBench();
const { race, launchCost } = await load('/src/gpu/timing.ts');
const { createDream } = await load('/src/methods/dreamer4/play.ts');
const { kernelEntrant } = await load('/src/bench/measure.ts');
const { kernelNamed } = await load('/src/bench/registry.ts');
const { variantHere } = await load('/src/bench/measure.ts');
const { dispatchMs, submitMs } = await launchCost(gpu.device);
console.log(`# ${gpu.report.description || gpu.report.device}, subgroups of ${gpu.conditions.subgroupSize}`);
console.log(`# dispatch ${(dispatchMs * 1000).toFixed(1)} us, submission ${(submitMs * 1000).toFixed(0)} us`);
const dream = await createDream(gpu, new Uint8Array(readFileSync(values.checkpoint)), {
  streams: 1,
  k: Number(values.k),
});
dream.fill();
await dream.step(new Uint32Array([0]), { k: Number(values.k), contextCorruption: 0.1, seed: 1 }, { rgb: true });
const program = [...dream.steps.values()][0];
const entry = kernelNamed('matmul nn');
const peak = await kernelEntrant(gpu, entry, variantHere(entry, gpu.conditions), entry.bench);
const frame = { name: 'frame', dispatches: program.stats.dispatches, record: (pass) => program.record(pass) };
const [f, p] = await race(gpu.device, [frame, { ...peak, name: 'peak' }], {
  rounds: Number(values.rounds),
  batchMs: 100,
});
// Milliseconds that the frame's operations take at the rate of the matmul of the same turns: like against like.
const { flops, dispatches } = program.stats;
const floorOf = (ms) => (flops * ms) / peak.flops;
const rateOf = (ms) => (peak.flops / ms / 1e6).toFixed(1);
console.log(
  `frame ${f.median.toFixed(2)} ms (best ${f.min.toFixed(2)}), ${dispatches} dispatches, ${(flops / 1e6).toFixed(0)} MFLOP; matmul ${rateOf(p.median)} GFLOP/s (best ${rateOf(p.min)})`,
);
console.log(
  `times the floor: ${(f.median / floorOf(p.median)).toFixed(2)} (median frame, median matmul), ${(f.min / floorOf(p.min)).toFixed(2)} (best, best), ${(f.median / floorOf(p.min)).toFixed(2)} (median frame, best matmul)`,
);
if (values.labels) {
  const groups = new Map();
  program.commands.forEach((c, i) => {
    const list = groups.get(c.label) ?? [];
    list.push(i);
    groups.set(c.label, list);
  });
  const entrants = [...groups].map(([label, list]) => ({
    name: label,
    dispatches: list.length,
    record: (pass) => {
      for (const i of list) program.record(pass, i, i + 1);
    },
  }));
  const timings = await race(gpu.device, entrants, { rounds: 15, batchMs: 8 });
  const rows = timings.map((t, i) => ({ label: entrants[i].name, n: entrants[i].dispatches, ms: t.min }));
  const total = rows.reduce((sum, r) => sum + r.ms, 0);
  for (const r of rows.sort((a, b) => b.ms - a.ms)) {
    const flops = groups.get(r.label).reduce((sum, i) => sum + program.commands[i].flops, 0);
    console.log(
      `${r.label.padEnd(34)} ${String(r.n).padStart(4)} x ${((1000 * r.ms) / r.n).toFixed(1).padStart(8)} us = ${r.ms.toFixed(3).padStart(7)} ms ${((100 * r.ms) / total).toFixed(1).padStart(5)} %  ${(flops / r.ms / 1e6).toFixed(2).padStart(7)} GFLOP/s`,
    );
  }
  console.log(`sum ${total.toFixed(2)} ms`);
}
await close();
process.exit(0);
