// The miner chops trees, breaks stone and ore with the right tool, digs earth and sand, cuts short stairs into the ground, and picks up what falls.

import { KEY } from '../actions.ts';
import { B, FLAG, FLAGS, HARDNESS10 } from '../blocks.ts';
import { I, PLACES } from '../items.ts';
import { type Body, DEGREE, type Skill } from './body.ts';
import { breakHere, collect, fetchBlock, takeTool } from './dig.ts';
import type { Cell } from './path.ts';
import { placeAtCrosshair } from './place.ts';
import { deeds, fiddleHotbar, placeSomething, travel } from './rambler.ts';
import type { Kind } from './sight.ts';
import { lookAround, stroll } from './walk.ts';

/** The nearest remembered block of a kind that is worth the walk, or null. */
export function nearest(b: Body, kind: Kind, range = 40): Cell | null {
  let best: Cell | null = null;
  let bestCost = range;
  for (const c of b.sight.remembered(kind)) {
    // Height counts double: what is high up or deep down costs more than distance.
    const cost = Math.hypot(c.x + 0.5 - b.x, c.z + 0.5 - b.z) + 2 * Math.abs(c.y - b.y);
    if (cost < bestCost) {
      best = c;
      bestCost = cost;
    }
  }
  return best;
}

/** Breaks blocks of a kind one after another, starting at the nearest, and picks up the drops. True when at least one fell. */
export function* gather(b: Body, kind: Kind, want: number): Skill {
  let got = 0;
  const failed = new Set<number>();
  for (let tries = 0; tries < want + 3 && got < want; tries++) {
    const c = nearestOf(b, kind, failed);
    if (!c) break;
    if (yield* fetchBlock(b, c)) got++;
    else failed.add((c.y << 16) | (c.z << 8) | c.x);
    if (b.draws.chance(0.5)) yield* collect(b, 4, 30);
  }
  yield* collect(b, 6, 60);
  return got > 0;
}

function nearestOf(b: Body, kind: Kind, without: Set<number>): Cell | null {
  const first = nearest(b, kind);
  if (!first || !without.has((first.y << 16) | (first.z << 8) | first.x)) return first;
  const rest = b.sight.remembered(kind).filter((c) => !without.has((c.y << 16) | (c.z << 8) | c.x));
  return rest.length > 0 ? rest.reduce((p, q) => (distance(b, q) < distance(b, p) ? q : p)) : null;
}

const distance = (b: Body, c: Cell) => Math.hypot(c.x + 0.5 - b.x, c.z + 0.5 - b.z) + 2 * Math.abs(c.y - b.y);

/**
 * Digs a stair of `steps` blocks in the direction faced: down (slope -1), level (0) or up (+1), two blocks of headroom, three when climbing.
 * Stops at water, lava, bedrock or what it cannot break.
 */
export function* digStair(b: Body, slope: -1 | 0 | 1, steps: number): Skill {
  const quadrant = Math.round(b.yaw / 16384) & 3;
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
    const y = at.y + slope;
    const cells: Cell[] = [];
    if (slope > 0) cells.push({ x: at.x, y: at.y + 2, z: at.z });
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

/** Down a few steps, perhaps a torch, perhaps a level stretch, and up again. */
function* shaft(b: Body): Skill {
  const depth = b.draws.int(2, 6);
  if (!(yield* digStair(b, -1, depth))) yield* b.wait(2);
  if (b.draws.chance(0.5)) {
    const torch = b.hotbarWith((item) => item === I.torch);
    if (torch >= 0) {
      yield* b.select(torch);
      b.aim(b.yaw, b.draws.between(5, 40) * DEGREE);
      yield* b.wait(4);
      yield* placeAtCrosshair(b);
    }
  }
  if (b.draws.chance(0.5)) yield* digStair(b, 0, b.draws.int(2, 5));
  yield* collect(b, 4, 30);
  return yield* climbOut(b);
}

/** Up to open sky: back the way it came if there is one, else a stair upward. */
export function* climbOut(b: Body): Skill {
  for (let tries = 0; tries < 4 && roofed(b); tries++) {
    yield* lookAround(b, 1);
    yield* digStair(b, 1, 6);
  }
  return !roofed(b);
}

/** Is a wall at eye height on most sides, or a roof overhead? */
function roofed(b: Body): boolean {
  const c = b.cell();
  let closed = 0;
  for (const [dx, dz] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ])
    if (b.sight.solid(c.x + dx, c.y + 1, c.z + dz)) closed++;
  let roof = false;
  for (let y = c.y + 2; y < c.y + 8; y++) roof ||= b.sight.solid(c.x, y, c.z) && b.sight.at(c.x, y, c.z) !== B.leaves;
  return roof || closed >= 3;
}

/** What to do when a seen block of the kind is near; falls back to walking on. */
const seek = (kind: Kind, low: number, high: number) =>
  function* (b: Body): Skill {
    if (!nearest(b, kind)) {
      yield* lookAround(b, 1);
      if (!nearest(b, kind)) return yield* travel(b, 8, 24);
    }
    return yield* gather(b, kind, b.draws.int(low, high));
  };

/** Digs straight at the ground in front, a few blocks with the shovel. */
function* digGround(b: Body): Skill {
  const n = b.draws.int(2, 6);
  for (let k = 0; k < n; k++) {
    b.aim(b.yaw + b.draws.normal() * 15 * DEGREE, b.draws.between(35, 70) * DEGREE);
    for (let i = 0; i < 8 && b.aimError() > 3 * DEGREE; i++) yield b.act(0);
    const hit = b.crosshair();
    if (!hit) continue;
    yield* takeTool(b, b.sight.at(hit.x, hit.y, hit.z));
    yield* breakHere(b, hit, 40);
  }
  return yield* collect(b, 4, 30);
}

export const miner = (b: Body): Skill =>
  deeds(b, [
    [26, seek('log', 2, 6)],
    [22, seek('stone', 3, 8)],
    [8, seek('coal', 1, 3)],
    [6, seek('iron', 1, 3)],
    [6, seek('sand', 2, 5)],
    [6, seek('leaves', 2, 5)],
    [4, seek('plant', 1, 3)],
    [8, digGround],
    [9, shaft],
    [5, fiddleHotbar],
    [5, (p) => lookAround(p, p.draws.int(1, 3))],
    [8, (p) => travel(p, 6, 20)],
    [4, (p) => stroll(p, p.draws.int(10, 30))],
    [
      5,
      function* (p) {
        return PLACES[p.held()] !== 0 ? yield* placeSomething(p) : false;
      },
    ],
  ]);
