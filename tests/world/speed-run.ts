/** Measures the simulator and prints one line of JSON. Bundled and run in a process of its own by speed.test.ts. */
import { worldConfig } from '../../src/world/config.ts';
import { generate } from '../../src/world/generate.ts';
import { PLAYER_IDS } from '../../src/world/players/scripted-player.ts';
import { scriptedPlayer } from '../../src/world/players/scripts.ts';
import { FrameRendererCpu } from '../../src/world/render/frame-renderer-cpu.ts';
import { frameSpec } from '../../src/world/render/frame-spec.ts';
import { sampleState } from '../../src/world/render/sample-states.ts';
import { step, stepAction } from '../../src/world/step.ts';
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
const BOT_STEPS = 300;
const botMs = best(3, (i) => {
  for (const id of PLAYER_IDS) {
    const w = createWorld(mini, 40 + i);
    const player = scriptedPlayer(id, w, i);
    for (let k = 0; k < BOT_STEPS; k++) stepAction(w, player.act(w));
    release(w);
  }
});
const states = Array.from({ length: 8 }, (_, k) => sampleState(k));
/** Frames a second of the ray caster's twin. */
function framesPerSecond(width: number, height: number, ssaa: 1 | 2): number {
  const renderer = new FrameRendererCpu(frameSpec({ ...mini.frame, width, height, ssaa }));
  const ms = best(3, () => {
    for (let n = 0; n < 5; n++) for (const state of states) renderer.frame(state);
  });
  return Math.round((5 * states.length * 1000) / ms);
}
console.log(
  JSON.stringify({
    botTicksPerSecond: Math.round((PLAYER_IDS.length * BOT_STEPS * mini.ticksPerStep * 1000) / botMs),
    framesPerSecond: {
      '64x48': framesPerSecond(64, 48, 1),
      '64x48, 2x2': framesPerSecond(64, 48, 2),
      '160x96': framesPerSecond(160, 96, 1),
    },
    ticksPerSecond: Math.round(1e7 / tickMs),
    forkMicros: forkMs,
    columnMs: worldMs / ((mini.dims[0][0] * mini.dims[0][2]) / 256),
  }),
);
