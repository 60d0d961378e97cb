/** Prints all golden hashes and the branches of every log; bundled and run by golden.test.ts. */
import { SIM_VERSION } from '../../src/world/version.ts';
import { goldenBranches, goldenReplay } from './golden.ts';
import { goldenFrames } from './golden-frames.ts';
import { goldenTerrain } from './golden-terrain.ts';

console.log(
  JSON.stringify({
    stored: { simVersion: SIM_VERSION, terrain: goldenTerrain(), replay: goldenReplay(), frames: goldenFrames() },
    branches: goldenBranches(),
  }),
);
