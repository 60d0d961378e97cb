// The ladders and growth curves of `lab bench` by processor time instead of wall time, for CPU adapters on a machine that
// others use as well: `node tests/bench/processor-time.mjs [--adapter lavapipe|swiftshader] [--rounds 7] [--growth]
// [--only "softmax,matmul nt"]`. A figure is the time of all threads but the one that waits (Linux: schedstat), per run,
// the least of rounds taken in turns, since others who share caches and cores only add to it. It leaves out idle cores.
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openBench } from './open.mjs';

const { values } = parseArgs({
  options: {
    adapter: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    growth: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
});
if (values.adapter) process.env.TENFOLD_ADAPTER = values.adapter;
const { load, gpu, close } = await openBench();
const { kernelEntrant, variantHere } = await load('/src/bench/measure.ts');
const { ladderKernels, ladderVariants } = await load('/src/bench/versions.ts');
const { SWEEPS, fitExponent } = await load('/src/bench/growth.ts');
const { kernelNamed } = await load('/src/bench/registry.ts');

/** Nanoseconds that every thread but this one has run. Dawn polls for completion here, which is no work. */
function threadTimes() {
  const times = new Map();
  for (const task of readdirSync('/proc/self/task')) {
    if (task === String(process.pid)) continue;
    try {
      times.set(task, Number(readFileSync(`/proc/self/task/${task}/schedstat`, 'utf8').split(' ')[0]));
    } catch {
      // A thread that ended between the two reads.
    }
  }
  return times;
}

/** Milliseconds of processor time of one run in a batch of `repeats`. */
async function batch(entrant, repeats) {
  const before = threadTimes();
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (let i = 0; i < repeats; i++) entrant.record(pass, entrant.turn++);
  pass.end();
  gpu.device.queue.submit([encoder.finish()]);
  await gpu.device.queue.onSubmittedWorkDone();
  let ns = 0;
  for (const [task, time] of threadTimes()) ns += time - (before.get(task) ?? 0);
  return ns / 1e6 / repeats;
}

const BATCH_MS = 20;

async function enter(entry, variant, size, name) {
  const entrant = { ...(await kernelEntrant(gpu, entry, variant, size, name)), variant, turn: 0 };
  // Compiles.
  await batch(entrant, 1);
  const once = await batch(entrant, 1);
  return { ...entrant, repeats: Math.max(1, Math.min(200, Math.ceil(BATCH_MS / Math.max(once, 0.05)))) };
}

/** Least and most of every entrant. */
async function race(entrants) {
  const samples = entrants.map(() => []);
  for (let round = 0; round < Number(values.rounds); round++) {
    const order = entrants.map((_, i) => i);
    for (const i of round % 2 === 0 ? order : order.reverse())
      samples[i].push(await batch(entrants[i], entrants[i].repeats));
  }
  for (const e of entrants) e.dispose();
  return samples.map((s) => ({ least: Math.min(...s), most: Math.max(...s) }));
}

const row = (name, { least, most }, words) =>
  console.log(
    `  ${name.padEnd(34)} ${least.toPrecision(3).padStart(8)} to ${most.toPrecision(3).padStart(5)} ms  ${words}`,
  );

async function ladder(entry) {
  const size = entry.ladder?.(gpu.conditions.software) ?? entry.bench;
  const here = variantHere(entry, gpu.conditions);
  const entrants = [];
  for (const v of ladderVariants(entry))
    if ((v.needs?.(gpu.conditions) ?? true) && (v.takes?.(size.dims) ?? true))
      entrants.push(await enter(entry, v, size, v.name));
  const times = await race(entrants);
  const base = times[entrants.findIndex((e) => e.variant === here)].least;
  console.log(`${entry.name} (${size.name})`);
  for (const [i, e] of entrants.entries())
    row(
      e.name,
      times[i],
      e.variant === here ? 'in use' : `${(times[i].least / base).toPrecision(3)} times the one in use`,
    );
}

async function curve(sweep) {
  const entry = kernelNamed(sweep.kernel);
  const sizes = sweep.sizes(gpu.conditions.software);
  const entrants = [];
  for (const n of sizes) entrants.push(await enter(entry, variantHere(entry, gpu.conditions), sweep.at(n), String(n)));
  const times = await race(entrants);
  const exponent = fitExponent(sizes.map((n, i) => [n, times[i].least]));
  console.log(`${sweep.name} over ${sweep.axis}: exponent ${exponent.toFixed(2)}, expected ${sweep.expected}`);
  for (const [i, e] of entrants.entries()) row(e.name, times[i], '');
}

console.log(`# ${gpu.report.description || gpu.report.device}, processor time per run`);
const only = values.only.split(',').filter(Boolean);
const wanted = ({ name }) => only.length === 0 || only.includes(name);
if (values.growth) for (const sweep of SWEEPS.filter(wanted)) await curve(sweep);
else for (const entry of ladderKernels(gpu.conditions).filter(wanted)) await ladder(entry);
await close();
process.exit(0);
