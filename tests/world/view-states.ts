// Places of real worlds as a player meets them, for the comparison of the two views. No test framework, so a page can import it.

import { type ProfileName, worldConfig } from '../../src/world/config.ts';
import { mix32 } from '../../src/world/hash.ts';
import { surface } from '../../src/world/render/sample-states.ts';
import { eyeY, player, type State, setPlayer } from '../../src/world/state.ts';
import { H, P } from '../../src/world/state-layout.ts';
import { NOON } from '../../src/world/visual/brightness.ts';
import { createWorld } from '../../src/world/world.ts';

const PROFILES: readonly ProfileName[] = ['meadow', 'park', 'mini'];

/** State k of an endless list, on the ground somewhere at noon, and its camera as the page gets it. */
export function viewState(k: number): {
  state: State;
  camera: { x: number; y: number; z: number; yaw: number; pitch: number };
} {
  const r = (i: number, n: number) => mix32(k, i, 0x71e5, 3) % n;
  const state = createWorld(worldConfig(PROFILES[k % 3]), 1 + (k % 7), { episodeSeed: k });
  const x = 24 + r(1, state.sizeX - 48);
  const z = 24 + r(2, state.sizeZ - 48);
  setPlayer(state, P.x, x * 65536 + 32768);
  setPlayer(state, P.y, surface(state, x, z) * 65536);
  setPlayer(state, P.z, z * 65536 + 32768);
  setPlayer(state, P.yaw, r(3, 65536));
  setPlayer(state, P.pitch, r(4, 9000) - 3000);
  state.i32[H.time] = NOON;
  const angle = (value: number) => (value * Math.PI) / 32768;
  return {
    state,
    camera: {
      x: player(state, P.x) / 65536,
      y: eyeY(state) / 65536,
      z: player(state, P.z) / 65536,
      yaw: angle(player(state, P.yaw)),
      pitch: angle(player(state, P.pitch)),
    },
  };
}
