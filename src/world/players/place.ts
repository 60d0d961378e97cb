// Putting blocks into the world: find a visible face of a neighbour, look at it, press use.

import { KEY } from '../actions.ts';
import { B, FACE_DX, FACE_DY, FACE_DZ, FLAG, FLAGS } from '../blocks.ts';
import { type Body, DEGREE, REACH, type Skill } from './body.ts';
import { soft } from './dig.ts';
import type { Cell } from './path.ts';

const replaceable = (block: number) => block >= 0 && (FLAGS[block] & FLAG.replaceable) !== 0;

/** Spot on a neighbour's face through which a block placed would land in `c`; null when none can be seen from here. */
function supportSpot(b: Body, c: Cell): [number, number, number] | null {
  const [ex, ey, ez] = b.eye;
  for (let f = 0; f < 6; f++) {
    const nx = c.x + FACE_DX[f];
    const ny = c.y + FACE_DY[f];
    const nz = c.z + FACE_DZ[f];
    const block = b.sight.at(nx, ny, nz);
    if (block <= B.air || (FLAGS[block] & FLAG.fullSolid) === 0 || block === B.crafting_table) continue;
    // The face must look towards the eyes.
    if ((ex - c.x - 0.5) * -FACE_DX[f] + (ey - c.y - 0.5) * -FACE_DY[f] + (ez - c.z - 0.5) * -FACE_DZ[f] < -0.45)
      continue;
    const spread = () => b.draws.between(-0.25, 0.25);
    const px = c.x + 0.5 + FACE_DX[f] * 0.51 + (FACE_DX[f] ? 0 : spread());
    const py = c.y + 0.5 + FACE_DY[f] * 0.51 + (FACE_DY[f] ? 0 : spread());
    const pz = c.z + 0.5 + FACE_DZ[f] * 0.51 + (FACE_DZ[f] ? 0 : spread());
    if (Math.hypot(px - ex, py - ey, pz - ez) > REACH) continue;
    const hit = b.firstHit(px, py, pz, { x: nx, y: ny, z: nz });
    if (
      hit &&
      hit.x === nx &&
      hit.y === ny &&
      hit.z === nz &&
      hit.before.x === c.x &&
      hit.before.y === c.y &&
      hit.before.z === c.z
    ) {
      return [px, py, pz];
    }
  }
  return null;
}

export const canPlaceFrom = (b: Body, c: Cell) => supportSpot(b, c) !== null;

/** Places the held block into cell `c` from where the player stands. */
export function* placeHere(b: Body, c: Cell, limit = 25): Skill {
  if (!replaceable(b.sight.at(c.x, c.y, c.z))) return false;
  const spot = supportSpot(b, c);
  if (!spot) return false;
  for (let i = 0; i < limit; i++) {
    if (!replaceable(b.sight.at(c.x, c.y, c.z))) break;
    b.aimAt(...spot);
    const hit = b.crosshair();
    const on = hit !== null && hit.before.x === c.x && hit.before.y === c.y && hit.before.z === c.z;
    const settled = b.aimError() < 4 * DEGREE;
    yield b.act(on && settled ? KEY.use : settled && soft(b, hit) ? KEY.attack : 0);
  }
  const done = !replaceable(b.sight.at(c.x, c.y, c.z));
  if (done) b.sight.note(c);
  return done;
}

/** Presses use at whatever the crosshair is on. */
export function* placeAtCrosshair(b: Body): Skill {
  if (!b.crosshair()) return false;
  const held = b.draws.int(1, 2);
  for (let i = 0; i < held; i++) yield b.act(KEY.use);
  yield* b.wait(b.draws.int(1, 4));
  return true;
}
