// Taking blocks out of the world: aim at a visible spot of the block, hold attack until it is gone, pick up what falls.

import { KEY } from '../actions.ts';
import { B, FLAG, FLAGS, HARDNESS10, MIN_TIER, TOOL_KIND } from '../blocks.ts';
import { ITEM_TIER, ITEM_TOOL } from '../items.ts';
import { E, ENT, ENT_MAX, ENT_WORDS, ENTITY } from '../state-layout.ts';
import { type Body, DEGREE, REACH, type Skill } from './body.ts';
import type { Cell } from './path.ts';
import { near, walkTo, withinReach } from './walk.ts';

const same = (a: Cell, b: Cell) => a.x === b.x && a.y === b.y && a.z === b.z;

/** A point on the block that the eyes can see and the hand can reach: a face centre, or a spot near it. Null when hidden. */
export function visibleSpot(b: Body, c: Cell): [number, number, number] | null {
  const [ex, ey, ez] = b.eye;
  const faces: [number, number, number][] = [];
  if ((FLAGS[b.sight.at(c.x, c.y, c.z)] & FLAG.needsSupport) !== 0) faces.push([0.5, 0.3, 0.5]);
  if (ey > c.y + 1) faces.push([0.5, 1, 0.5]);
  if (ex < c.x) faces.push([0, 0.5, 0.5]);
  if (ex > c.x + 1) faces.push([1, 0.5, 0.5]);
  if (ez < c.z) faces.push([0.5, 0.5, 0]);
  if (ez > c.z + 1) faces.push([0.5, 0.5, 1]);
  if (ey < c.y) faces.push([0.5, 0, 0.5]);
  faces.push([0.5, 0.5, 0.5]);
  for (const [fx, fy, fz] of faces) {
    // Slightly inside, so that the ray ends in the block and not on its border.
    const jitter = () => b.draws.between(-0.2, 0.2);
    const px = c.x + 0.5 + (fx - 0.5) * 0.98 + (fx === 0.5 ? jitter() : 0);
    const py = c.y + 0.5 + (fy - 0.5) * 0.98 + (fy === 0.5 ? jitter() : 0);
    const pz = c.z + 0.5 + (fz - 0.5) * 0.98 + (fz === 0.5 ? jitter() : 0);
    if (Math.hypot(px - ex, py - ey, pz - ez) > REACH) continue;
    const hit = b.firstHit(px, py, pz, c);
    if (hit && same(hit, c)) return [px, py, pz];
  }
  return null;
}

/** Takes the best tool for a block in hand, if one is in the hotbar. */
export function* takeTool(b: Body, block: number): Skill {
  const kind = TOOL_KIND[block];
  if (kind === 0) return true;
  if (ITEM_TOOL[b.held()] === kind && ITEM_TIER[b.held()] >= MIN_TIER[block]) return true;
  const slotIndex = b.hotbarWith((item) => ITEM_TOOL[item] === kind && ITEM_TIER[item] >= MIN_TIER[block]);
  if (slotIndex < 0) return MIN_TIER[block] === 0;
  return yield* b.select(slotIndex);
}

/** Leaves, plants and torches: what is in the way of the crosshair and gives way at a touch. */
export function soft(b: Body, hit: Cell | null): boolean {
  if (hit === null) return false;
  const hardness = HARDNESS10[b.sight.at(hit.x, hit.y, hit.z)];
  return hardness >= 0 && hardness <= 2;
}

/** Breaks the block from where the player stands. False when it cannot be seen from here or does not give way within `limit` steps. */
export function* breakHere(b: Body, c: Cell, limit = 60): Skill {
  const block = b.sight.at(c.x, c.y, c.z);
  if (block <= B.air || HARDNESS10[block] < 0) return false;
  let spot = visibleSpot(b, c);
  if (!spot) return false;
  let misses = 0;
  const slips = b.draws.chance(b.persona.slip);
  for (let i = 0; i < limit; i++) {
    if (b.sight.at(c.x, c.y, c.z) !== block) return true;
    b.aimAt(...spot);
    const hit = b.crosshair();
    const on = hit !== null && same(hit, c);
    const settled = b.aimError() < 3 * DEGREE;
    if (!on && settled && ++misses > 3) {
      spot = visibleSpot(b, c);
      if (!spot) return false;
      misses = 0;
    }
    const release = slips && i > 4 && b.draws.chance(0.1);
    yield b.act((on || (settled && soft(b, hit))) && !release ? KEY.attack : 0);
  }
  return b.sight.at(c.x, c.y, c.z) !== block;
}

/** Walks up to a known block, takes the right tool and breaks it. */
export function* fetchBlock(b: Body, c: Cell): Skill {
  const block = b.sight.at(c.x, c.y, c.z);
  if (block <= B.air || (FLAGS[block] & FLAG.fluid) !== 0) return false;
  if (!visibleSpot(b, c) && !(yield* walkTo(b, withinReach(c)))) return false;
  yield* takeTool(b, block);
  return yield* breakHere(b, c);
}

/** Item drops within `radius`, nearest first. Drops lie in the open, so being near is seeing them. */
export function dropsNear(b: Body, radius: number): Cell[] {
  const found: (Cell & { d: number })[] = [];
  for (let i = 0; i < ENT_MAX; i++) {
    const at = ENT + i * ENT_WORDS;
    if (b.state.i32[at + E.type] !== ENTITY.item) continue;
    const x = b.state.i32[at + E.x] / 65536;
    const y = b.state.i32[at + E.y] / 65536;
    const z = b.state.i32[at + E.z] / 65536;
    const d = Math.hypot(x - b.x, z - b.z);
    if (d <= radius && Math.abs(y - b.y) < 4)
      found.push({ x: Math.floor(x), y: Math.floor(y + 0.1), z: Math.floor(z), d });
  }
  return found.sort((p, q) => p.d - q.d);
}

/** Walks over the drops around. */
export function* collect(b: Body, radius = 5, limit = 60): Skill {
  for (let tries = 0; tries < 4; tries++) {
    const drop = dropsNear(b, radius)[0];
    if (!drop) return true;
    if (!(yield* walkTo(b, near(drop, 0.9, 1), limit))) return false;
    yield* b.wait(2);
  }
  return dropsNear(b, radius).length === 0;
}
