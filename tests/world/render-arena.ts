// A bare world for renderer tests: stone below y 32, air above, no generated terrain, so goldens survive terrain changes.

import { B } from '../../src/world/blocks.ts';
import { type WorldConfig, worldConfig } from '../../src/world/config.ts';
import { uniformHandle } from '../../src/world/pool.ts';
import { makeState, newStateBuffer, type State, sectionCounts, writeBlock, writeLight } from '../../src/world/state.ts';
import { P, PLAYER } from '../../src/world/state-layout.ts';

export const GROUND = 32;

/** Player at (64, GROUND, 64) looking to +z. */
export function arena(change: Partial<WorldConfig> = {}): State {
  const cfg = worldConfig('meadow', change);
  const counts = sectionCounts(cfg);
  const handles = new Int32Array(counts[0] + counts[1] + counts[2]).fill(uniformHandle(B.air, 0xf0));
  for (let i = 0; i < counts[0]; i++) if ((i & 3) < GROUND / 16) handles[i] = uniformHandle(B.stone, 0);
  const s = makeState(cfg, newStateBuffer(), handles);
  stand(s, 64.5, GROUND, 64.5);
  return s;
}

export function stand(s: State, x: number, y: number, z: number, yaw = 0, pitch = 0): void {
  s.i32[PLAYER + P.x] = Math.floor(x * 65536);
  s.i32[PLAYER + P.y] = Math.floor(y * 65536);
  s.i32[PLAYER + P.z] = Math.floor(z * 65536);
  s.i32[PLAYER + P.yaw] = yaw & 65535;
  s.i32[PLAYER + P.pitch] = pitch;
}

/** Fills a box of cells, corners included; the light byte is the one such a cell has under the open sky. */
export function fill(
  s: State,
  from: readonly number[],
  to: readonly number[],
  state: number,
  light = state === B.air ? 0xf0 : 0,
): void {
  for (let y = from[1]; y <= to[1]; y++)
    for (let z = from[2]; z <= to[2]; z++)
      for (let x = from[0]; x <= to[0]; x++) {
        writeBlock(s, x, y, z, state);
        writeLight(s, x, y, z, light);
      }
}
