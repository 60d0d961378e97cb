// Getting somewhere: planned walks along A* paths and unplanned ones along a heading. Digging and building are in dig.ts and place.ts.

import { KEY } from '../actions.ts';
import { type Body, DEGREE, type Skill, turnBetween } from './body.ts';
import { type Cell, findPath, standable } from './path.ts';

export interface Destination {
  reached(x: number, y: number, z: number): boolean;
  /** Lower bound of the steps left. */
  left(x: number, y: number, z: number): number;
}

const octile = (dx: number, dz: number) => {
  const a = Math.abs(dx);
  const b = Math.abs(dz);
  return Math.max(a, b) + 0.414 * Math.min(a, b);
};

/** Within `radius` of a column, at any height that differs by at most `rise`. */
export const near = (c: Cell, radius: number, rise = 3): Destination => ({
  reached: (x, y, z) => Math.hypot(x - c.x, z - c.z) <= radius && Math.abs(y - c.y) <= rise,
  left: (x, _y, z) => Math.max(0, octile(x - c.x, z - c.z) - radius),
});

/** Exactly this standing cell. */
export const atCell = (c: Cell): Destination => ({
  reached: (x, y, z) => x === c.x && y === c.y && z === c.z,
  left: (x, _y, z) => octile(x - c.x, z - c.z),
});

/** A standing cell from which the middle of cell `c` is within `reach` of the eyes (1.62 above the feet). */
export const withinReach = (c: Cell, reach = 3.8): Destination => ({
  reached: (x, y, z) =>
    Math.hypot(x - c.x, y + 1.1 - c.y, z - c.z) <= reach && !(x === c.x && z === c.z && Math.abs(y - c.y) <= 1),
  left: (x, _y, z) => Math.max(0, octile(x - c.x, z - c.z) - reach),
});

/** Walks to the destination; replans when stuck. False when it cannot be reached by known ground. */
export function* walkTo(b: Body, to: Destination, limit = 400): Skill {
  const sprinting = b.draws.chance(b.persona.sprint);
  let steps = 0;
  for (let plans = 0; plans < 6 && steps < limit; plans++) {
    const from = footing(b);
    const path = findPath(b.sight, { from, ...to, limit: 2500 });
    if (path.cells.length < 2) return path.complete;
    let at = 1;
    let since = 0;
    while (at < path.cells.length && steps < limit) {
      if (arrived(b, path.cells[at], path.cells[at + 1])) {
        at++;
        since = 0;
        continue;
      }
      if (++since > 14) break;
      // Straight to the farthest cell that can be walked to in a line: the path itself turns in steps of 45 degrees.
      let ahead = at;
      while (ahead + 1 < path.cells.length && ahead - at < 7 && straight(b, path.cells[ahead + 1])) ahead++;
      yield stride(b, path.cells[ahead], sprinting, since);
      steps++;
      for (let k = ahead; k > at; k--) {
        if (!arrived(b, path.cells[k], path.cells[k + 1])) continue;
        at = k;
        since = 0;
      }
      if (ahead > at && flatDistance(b, path.cells[ahead]) < flatDistance(b, path.cells[at])) {
        at++;
        since = 0;
      }
    }
    if (at >= path.cells.length && path.complete) return true;
    if (since > 14) yield* wriggle(b);
  }
  return false;
}

/** Is the ground between the feet and a cell of the same height level and free over the body's width? */
function straight(b: Body, c: Cell): boolean {
  if (Math.abs(b.y - c.y) > 0.3 || b.inWater) return false;
  const dx = c.x + 0.5 - b.x;
  const dz = c.z + 0.5 - b.z;
  const length = Math.hypot(dx, dz);
  const n = Math.ceil(length / 0.5);
  const sx = (0.32 * dz) / length;
  const sz = (-0.32 * dx) / length;
  for (let i = 1; i <= n; i++) {
    for (const side of [-1, 1]) {
      const x = Math.floor(b.x + (dx * i) / n + side * sx);
      const z = Math.floor(b.z + (dz * i) / n + side * sz);
      if (!b.sight.solid(x, c.y - 1, z) || !b.sight.passable(x, c.y, z) || !b.sight.passable(x, c.y + 1, z))
        return false;
    }
  }
  return true;
}

/** The standing cell to plan from: at a block's edge the body's own column may be air. */
export function footing(b: Body): Cell {
  const c = b.cell();
  for (const y of [c.y, c.y + 1, c.y - 1]) if (standable(b.sight, c.x, y, c.z)) return { ...c, y };
  for (const [dx, dz] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ]) {
    const overlaps = Math.abs(b.x - (c.x + 0.5 + dx)) < 0.82 && Math.abs(b.z - (c.z + 0.5 + dz)) < 0.82;
    if (overlaps && standable(b.sight, c.x + dx, c.y, c.z + dz)) return { x: c.x + dx, y: c.y, z: c.z + dz };
  }
  return c;
}

const flatDistance = (b: Body, c: Cell) => Math.hypot(c.x + 0.5 - b.x, c.z + 0.5 - b.z);

/** On level ground a cell counts as reached in passing, or feet and eyes would turn back for it. */
function arrived(b: Body, c: Cell, next: Cell | undefined): boolean {
  if (Math.abs(b.y - c.y) >= 1) return false;
  if (!next) return flatDistance(b, c) < 0.4;
  return flatDistance(b, c) < (next.y === c.y ? 0.8 : 0.5) || (next.y === c.y && flatDistance(b, next) < 0.9);
}

function stride(b: Body, cell: Cell, sprinting: boolean, since: number): number {
  const flat = flatDistance(b, cell);
  const tx = cell.x + 0.5;
  const tz = cell.z + 0.5;
  // Beside the point the direction to it swings round: the eyes hold still there.
  if (flat > 0.5) b.heading(tx, tz);
  const off = Math.abs(turnBetween(b.yaw, (Math.atan2(b.x - tx, tz - b.z) * 32768) / Math.PI));
  // Near a point one must face it well before walking, or one walks round it in circles.
  const facing = off < Math.min(60, 14 + 14 * flat) * DEGREE || flat <= 0.5;
  let keys = 0;
  if (facing) keys |= KEY.forward;
  if (facing && sprinting && off < 15 * DEGREE && cell.y <= b.y + 0.2) keys |= KEY.sprint;
  if (b.inWater || (facing && ((cell.y > b.y + 0.5 && flat < 1.6) || since > 6))) keys |= KEY.jump;
  return b.act(keys);
}

/** Out of a corner: a few steps back or aside. */
function* wriggle(b: Body): Skill {
  const side = b.draws.pick([KEY.left, KEY.right, KEY.back, KEY.left | KEY.jump, KEY.right | KEY.jump]);
  const steps = b.draws.int(2, 5);
  for (let i = 0; i < steps; i++) yield b.act(side);
  return true;
}

/** Walks along a heading without looking where it goes, as people do: bumps into things, hops, slides along walls. */
export function* stroll(b: Body, steps: number, options: { jumpy?: number; keys?: number } = {}): Skill {
  let yaw = b.yaw;
  let drift = 0;
  const sprint = b.draws.chance(b.persona.sprint) ? KEY.sprint : 0;
  let lastX = b.x;
  let lastZ = b.z;
  let blocked = 0;
  for (let i = 0; i < steps; i++) {
    drift = 0.85 * drift + b.draws.normal() * 1.6 * DEGREE;
    yaw += drift;
    b.aim(yaw, b.persona.restPitch + 600 * Math.sin(i / 9));
    let keys = options.keys ?? KEY.forward | sprint;
    blocked = Math.hypot(b.x - lastX, b.z - lastZ) < 0.05 && i > 2 ? blocked + 1 : 0;
    lastX = b.x;
    lastZ = b.z;
    if (b.inWater || b.draws.chance(options.jumpy ?? 0.02) || (blocked > 1 && b.draws.chance(0.6))) keys |= KEY.jump;
    if (i % 3 === 0 && b.onGround && cliffAhead(b, yaw)) {
      yaw += b.draws.pick([-1, 1]) * b.draws.between(60, 150) * DEGREE;
      yield b.act(0);
      continue;
    }
    if (blocked > 5 && b.draws.chance(0.3)) {
      yaw += b.draws.pick([-1, 1]) * b.draws.between(30, 120) * DEGREE;
      blocked = 0;
    }
    yield b.act(keys);
  }
  return true;
}

/** Does the ground fall away by more than three blocks within a step or two, as far as the player can tell? */
export function cliffAhead(b: Body, yaw: number): boolean {
  const x = Math.floor(b.x - 1.2 * Math.sin((yaw * Math.PI) / 32768));
  const z = Math.floor(b.z + 1.2 * Math.cos((yaw * Math.PI) / 32768));
  const y = Math.floor(b.y + 0.1);
  for (let k = 0; k <= 4; k++) if (!b.sight.passable(x, y - k, z) || b.sight.water(x, y - k, z)) return false;
  return true;
}

/** Stands and looks about: some swings of the head, up, down and round. */
export function* lookAround(b: Body, swings: number): Skill {
  for (let k = 0; k < swings; k++) {
    const yaw = b.yaw + b.draws.normal() * 70 * DEGREE;
    const pitch = b.draws.between(-25, 45) * DEGREE;
    b.aim(yaw, pitch);
    const limit = b.draws.int(4, 14);
    for (let i = 0; i < limit && b.aimError() > 2 * DEGREE; i++) yield b.act(0);
    yield* b.wait(b.draws.int(0, 3));
  }
  return true;
}

/** Turns slowly all the way round, or a part of it. */
export function* pan(b: Body, degrees: number, perStep: number): Skill {
  let yaw = b.yaw;
  const pitch = b.pitch + b.draws.normal() * 5 * DEGREE;
  const steps = Math.ceil(Math.abs(degrees) / perStep);
  for (let i = 0; i < steps; i++) {
    yaw += Math.sign(degrees) * perStep * DEGREE;
    b.aim(yaw, pitch);
    yield b.act(0);
  }
  return true;
}
