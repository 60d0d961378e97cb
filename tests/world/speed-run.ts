/** Measures the simulator and prints one line of JSON. Bundled and run in a process of its own by speed.test.ts. */
import { worldConfig } from '../../src/world/config.ts';
import { generate } from '../../src/world/generate.ts';
import { step } from '../../src/world/step.ts';
import { createWorld, fork, release } from '../../src/world/world.ts';
import { restlessAction } from './golden.ts';

/** Processor time (not wall time: the machine may be busy) of the best of n runs, in ms; the others pay for compilation. */
function best(n: number, run: (i: number) => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    const before = process.cpuUsage();
    run(i);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

const s = createWorld(worldConfig('meadow'), 2);
let t = 0;
const tickMs = best(5, () => {
  for (let i = 0; i < 10000; i++) step(s, restlessAction(9, t++));
});
const forkMs = best(5, () => {
  for (let i = 0; i < 1000; i++) release(fork(s));
});
const mini = worldConfig('mini');
const worldMs = best(5, (i) => generate(mini, 77 + i));
console.log(
  JSON.stringify({
    ticksPerSecond: Math.round(1e7 / tickMs),
    forkMicros: forkMs,
    columnMs: worldMs / ((mini.dims[0][0] * mini.dims[0][2]) / 256),
  }),
);
