/** Prints all golden hashes and the replay of one log done twice in the same process; bundled and run by golden.test.ts. */
import { SIM_VERSION } from '../../src/world/version.ts';
import { goldenReplay } from './golden.ts';
import { goldenTerrain } from './golden-terrain.ts';

console.log(
  JSON.stringify({
    stored: { simVersion: SIM_VERSION, terrain: goldenTerrain(), replay: goldenReplay() },
    again: goldenReplay(1),
  }),
);
