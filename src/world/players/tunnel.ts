// Tunnels: stairs down, level or up, and the way back to daylight.

import { KEY } from '../actions.ts';
import { FLAG, FLAGS, HARDNESS10 } from '../blocks.ts';
import { lightAt } from '../state.ts';
import { type Body, DEGREE, type Skill } from './body.ts';
import { breakHere, takeTool } from './dig.ts';
import type { Cell } from './path.ts';
import { lookAround } from './walk.ts';

/** The quarter that the player faces: 0 south, 1 west, 2 north, 3 east. */
const facing = (b: Body) => Math.round(b.yaw / 16384) & 3;

/**
 * Digs a stair of `steps` blocks in the direction faced: down (slope -1), level (0) or up (+1), two blocks of headroom, three when climbing.
 * Stops at water, lava, bedrock or what it cannot break.
 */
export function* digStair(b: Body, slope: -1 | 0 | 1, steps: number, quadrant = facing(b)): Skill {
  const [fx, fz] = [
    [0, 1],
    [-1, 0],
    [0, -1],
    [1, 0],
  ][quadrant];
  for (let k = 0; k < steps; k++) {
    const at = b.cell();
    const x = at.x + fx;
    const z = at.z + fz;
    // Up means up where the ground rises, and on where it does not.
    const y = at.y + (slope > 0 && b.sight.passable(x, at.y, z) ? 0 : slope);
    const cells: Cell[] = [];
    if (y > at.y) cells.push({ x: at.x, y: at.y + 2, z: at.z });
    // From the top down, so that nothing hides the next block.
    for (let h = slope < 0 ? 2 : 1; h >= 0; h--) cells.push({ x, y: y + h, z });
    for (const c of cells) if (!(yield* clear(b, c))) return false;
    if (!b.sight.solid(x, y - 1, z) && slope < 0 && b.sight.passable(x, y - 4, z)) return false;
    if (!(yield* stepInto(b, { x, y, z }))) return false;
  }
  return true;
}

/** Makes a cell passable. */
function* clear(b: Body, c: Cell): Skill {
  for (let tries = 0; tries < 3; tries++) {
    const block = b.sight.at(c.x, c.y, c.z);
    if (block < 0) {
      // Never seen: look there first.
      b.aimAt(c.x + 0.5, c.y + 0.5, c.z + 0.5);
      for (let i = 0; i < 6; i++) yield b.act(0);
      if (b.sight.at(c.x, c.y, c.z) < 0) return false;
      continue;
    }
    if ((FLAGS[block] & FLAG.fluid) !== 0) return false;
    if (b.sight.passable(c.x, c.y, c.z)) return true;
    if (HARDNESS10[block] < 0) return false;
    yield* takeTool(b, block);
    if (!(yield* breakHere(b, c, 90))) return false;
  }
  return b.sight.passable(c.x, c.y, c.z);
}

/** Walks one cell on, hopping up when it is higher. */
export function* stepInto(b: Body, c: Cell): Skill {
  for (let i = 0; i < 20; i++) {
    const flat = Math.hypot(c.x + 0.5 - b.x, c.z + 0.5 - b.z);
    if (flat < 0.3 && Math.abs(b.y - c.y) < 0.6) return true;
    b.heading(c.x + 0.5, c.z + 0.5, 20 * DEGREE);
    yield b.act(b.aimError() < 50 * DEGREE ? KEY.forward | (c.y > b.y + 0.3 ? KEY.jump : 0) : 0);
  }
  return Math.floor(b.x) === c.x && Math.floor(b.z) === c.z;
}

/** Sky light at the head below which a player feels underground, of 15; trees and overhangs leave more. */
const DAYLIGHT = 9;

export function underground(b: Body): boolean {
  const c = b.cell();
  return lightAt(b.state, c.x, c.y + 1, c.z) >> 4 < DAYLIGHT;
}

/** A stair up to daylight, in another direction when one does not work. */
export function* climbOut(b: Body): Skill {
  let quadrant = facing(b);
  for (let tries = 0; tries < 8 && underground(b); tries++) {
    if (yield* digStair(b, 1, 4, quadrant)) continue;
    quadrant = (quadrant + 1) & 3;
    yield* lookAround(b, 1);
  }
  return !underground(b);
}
