// The builder plays freely with blocks: walls, towers, stairs, pits, torches, and taking its own work down again.

import { KEY } from '../actions.ts';
import { B, FLAG, FLAGS } from '../blocks.ts';
import { I, PLACES } from '../items.ts';
import { type Body, DEGREE, type Skill } from './body.ts';
import { breakHere, takeTool } from './dig.ts';
import type { Cell } from './path.ts';
import { canPlaceFrom, placeAtCrosshair, placeHere } from './place.ts';
import { breakSomething, deeds, fiddleHotbar, placeSomething, travel } from './rambler.ts';
import { lookAround, pan, stroll, walkTo, withinReach } from './walk.ts';

const FULL_BLOCK = (item: number) => PLACES[item] !== 0 && (FLAGS[PLACES[item]] & FLAG.fullSolid) !== 0;

/** Takes some building block in hand; a different one most times. */
function* takeBlock(b: Body): Skill {
  const choices: number[] = [];
  for (let i = 0; i < b.hotbarSlots; i++) if (FULL_BLOCK(b.itemIn(i))) choices.push(i);
  if (choices.length === 0) return false;
  return yield* b.select(b.draws.pick(choices));
}

/** Places the held block in a cell, walking nearer when it must. */
export function* build(b: Body, c: Cell): Skill {
  if (!canPlaceFrom(b, c)) {
    if (!(yield* walkTo(b, withinReach(c, 3.4), 60))) return false;
    if (!canPlaceFrom(b, c)) return false;
  }
  return yield* placeHere(b, c);
}

/** Direction the player faces, as one of four. */
function facing(b: Body): [number, number] {
  const quadrant = Math.round(b.yaw / 16384) & 3;
  return [
    [0, 1],
    [-1, 0],
    [0, -1],
    [1, 0],
  ][quadrant] as [number, number];
}

/** Top of the ground in a column near the feet: the lowest free cell with something solid under it. */
function ground(b: Body, x: number, z: number): number | null {
  const y0 = Math.floor(b.y);
  for (let y = y0 + 2; y >= y0 - 3; y--) {
    if (b.sight.solid(x, y - 1, z) && b.sight.passable(x, y, z)) return y;
  }
  return null;
}

function* wall(b: Body): Skill {
  if (!(yield* takeBlock(b))) return false;
  const [fx, fz] = facing(b);
  const length = b.draws.int(2, 5);
  const height = b.draws.int(1, 3);
  const distance = b.draws.int(2, 3);
  const placed: Cell[] = [];
  const x0 = Math.floor(b.x) + fx * distance;
  const z0 = Math.floor(b.z) + fz * distance;
  const left = Math.floor(length / 2);
  for (let h = 0; h < height; h++) {
    for (let k = -left; k < length - left; k++) {
      const x = x0 + fz * k;
      const z = z0 - fx * k;
      const y = ground(b, x, z);
      if (y === null) continue;
      const c = { x, y, z };
      if (b.draws.chance(b.persona.slip)) yield* placeAtCrosshair(b);
      if (yield* build(b, c)) placed.push(c);
    }
  }
  if (placed.length === 0) return false;
  if (b.draws.chance(0.5)) yield* lookAround(b, 1);
  if (b.draws.chance(0.5)) yield* takeDown(b, placed);
  return true;
}

/** Breaks one's own blocks again, last first. */
function* takeDown(b: Body, cells: readonly Cell[]): Skill {
  for (const c of [...cells].reverse()) {
    const block = b.sight.at(c.x, c.y, c.z);
    if (block <= B.air) continue;
    if (b.draws.chance(0.8)) yield* takeTool(b, block);
    if (!(yield* breakHere(b, c)) && (yield* walkTo(b, withinReach(c), 40))) yield* breakHere(b, c);
  }
  return true;
}

/** Jumps and puts blocks under the feet, looks round from above, then digs down again or steps off. */
function* tower(b: Body): Skill {
  if (!(yield* takeBlock(b)) || !b.onGround) return false;
  const goal = Math.floor(b.y) + b.draws.int(2, 5);
  const yaw = b.yaw;
  for (let i = 0; i < 90 && Math.floor(b.y + 0.01) < goal; i++) {
    b.aim(yaw, 86 * DEGREE);
    yield b.act(b.aimError() < 8 * DEGREE ? KEY.jump | KEY.use : 0);
  }
  for (let i = 0; i < 6; i++) yield b.act(0);
  if (b.draws.chance(0.7)) yield* lookAround(b, 2);
  if (b.draws.chance(0.5)) return yield* stroll(b, 12);
  for (let k = 0; k < 5; k++) {
    const below = { x: Math.floor(b.x), y: Math.floor(b.y + 0.01) - 1, z: Math.floor(b.z) };
    const block = b.sight.at(below.x, below.y, below.z);
    if (block <= B.air || block === B.grass || block === B.dirt) break;
    yield* takeTool(b, block);
    if (!(yield* breakHere(b, below))) break;
    yield* b.wait(4);
  }
  return true;
}

/** Steps up and away: each block one further and one higher. */
function* stairs(b: Body): Skill {
  if (!(yield* takeBlock(b))) return false;
  const [fx, fz] = facing(b);
  const x0 = Math.floor(b.x) + 2 * fx;
  const z0 = Math.floor(b.z) + 2 * fz;
  const y0 = ground(b, x0, z0);
  if (y0 === null) return false;
  const steps = b.draws.int(2, 4);
  for (let k = 0; k < steps; k++) {
    for (let h = 0; h <= k; h++) {
      const c = { x: x0 + k * fx, y: y0 + h, z: z0 + k * fz };
      if (b.sight.passable(c.x, c.y, c.z)) yield* build(b, c);
    }
  }
  return yield* walkTo(
    b,
    {
      reached: (x, y, z) => x === x0 + (steps - 1) * fx && z === z0 + (steps - 1) * fz && y >= y0,
      left: (x, _y, z) => Math.hypot(x - x0 - (steps - 1) * fx, z - z0 - (steps - 1) * fz),
    },
    60,
  );
}

function* pit(b: Body): Skill {
  const [fx, fz] = facing(b);
  const width = b.draws.int(1, 3);
  const depth = b.draws.int(1, 2);
  const dug: Cell[] = [];
  const x0 = Math.floor(b.x) + 2 * fx;
  const z0 = Math.floor(b.z) + 2 * fz;
  for (let d = 0; d < depth; d++) {
    for (let i = 0; i < width; i++) {
      for (let k = 0; k < width; k++) {
        const x = x0 + i * fx + (k - (width >> 1)) * fz;
        const z = z0 + i * fz - (k - (width >> 1)) * fx;
        const y = ground(b, x, z);
        if (y === null) continue;
        const c = { x, y: y - 1, z };
        yield* takeTool(b, b.sight.at(c.x, c.y, c.z));
        if (!(yield* breakHere(b, c, 30)) && (yield* walkTo(b, withinReach(c, 3.4), 40))) yield* breakHere(b, c, 30);
        if (b.sight.passable(c.x, c.y, c.z)) dug.push(c);
      }
    }
  }
  if (dug.length > 0 && b.draws.chance(0.5) && (yield* takeBlock(b))) {
    for (const c of dug.reverse()) yield* build(b, c);
  }
  return dug.length > 0;
}

/** Place, break, place, break at one spot: what a world model must learn first. */
function* toggle(b: Body): Skill {
  if (!(yield* takeBlock(b))) return false;
  b.aim(b.yaw + b.draws.normal() * 25 * DEGREE, b.draws.between(24, 55) * DEGREE);
  for (let i = 0; i < 8 && b.aimError() > 3 * DEGREE; i++) yield b.act(0);
  const rounds = b.draws.int(1, 4);
  for (let r = 0; r < rounds; r++) {
    const hit = b.crosshair();
    if (!hit) return false;
    const c = hit.before;
    if (!(yield* placeHere(b, c, 12))) return false;
    yield* b.wait(b.draws.int(1, 6));
    if (b.draws.chance(0.8)) {
      if (b.draws.chance(0.9)) yield* takeTool(b, b.sight.at(c.x, c.y, c.z));
      yield* breakHere(b, c, 50);
      yield* takeBlock(b);
    }
  }
  return true;
}

function* scatter(b: Body): Skill {
  if (!(yield* takeBlock(b))) return false;
  const n = b.draws.int(2, 7);
  for (let k = 0; k < n; k++) yield* placeSomething(b);
  return true;
}

function* torches(b: Body): Skill {
  const slotIndex = b.hotbarWith((item) => item === I.torch);
  if (slotIndex < 0) return false;
  yield* b.select(slotIndex);
  const n = b.draws.int(1, 3);
  for (let k = 0; k < n; k++) {
    b.aim(b.yaw + b.draws.normal() * 40 * DEGREE, b.draws.between(5, 50) * DEGREE);
    for (let i = 0; i < 8 && b.aimError() > 3 * DEGREE; i++) yield b.act(0);
    yield* placeAtCrosshair(b);
  }
  return true;
}

export const builder = (b: Body): Skill =>
  deeds(b, [
    [20, wall],
    [8, tower],
    [7, stairs],
    [10, pit],
    [28, toggle],
    [10, scatter],
    [6, torches],
    [10, breakSomething],
    [8, fiddleHotbar],
    [14, (p) => travel(p, 5, 16)],
    [8, (p) => stroll(p, p.draws.int(10, 30))],
    [8, (p) => lookAround(p, p.draws.int(1, 3))],
    [4, (p) => pan(p, p.draws.pick([-1, 1]) * p.draws.between(60, 240), p.draws.between(3, 14))],
  ]);
