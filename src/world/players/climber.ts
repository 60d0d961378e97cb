// The climber starts with empty hands and climbs the ladder of tools: logs, planks, table, sticks, wooden pickaxe, cobblestone, stone pickaxe,
// all through the screens and the recipe strip. What to do next follows from what is in the bag, so a lost item only means doing it again.
// After the stone pickaxe it goes on as a miner.

import { B } from '../blocks.ts';
import { I } from '../items.ts';
import { GUI } from '../state-layout.ts';
import type { Body, Skill } from './body.ts';
import { atBlock, craftInStrip, inInventory, knownTable, TABLE } from './craft.ts';
import { collect, visibleSpot } from './dig.ts';
import { gather, miner, nearest } from './miner.ts';
import type { Cell } from './path.ts';
import { placeHere } from './place.ts';
import { somewhere, travel } from './rambler.ts';
import { climbOut, digStair, underground } from './tunnel.ts';
import { lookAround, near, stroll, walkTo } from './walk.ts';

/** A table within this many blocks is worth going back to. */
const TABLE_RANGE = 30;

export function* climber(b: Body): Skill {
  let failures = 0;
  while (b.count(I.stone_pickaxe) === 0) {
    if (b.draws.chance(0.2)) yield* b.react();
    failures = (yield* nextRung(b, failures)) ? 0 : failures + 1;
    // What fails three times here is tried elsewhere.
    if (failures % 3 === 2) yield* explore(b);
    else if (failures > 0) yield* b.wait(2);
  }
  return yield* miner(b);
}

/** Planks still to be had: for a table when none is at hand, for sticks, for the wooden pickaxe, and until then for a second table. */
function planksNeeded(b: Body): number {
  const table = b.count(TABLE.item) > 0 || knownTable(b, TABLE_RANGE) ? 0 : 4;
  const sticks = b.count(I.stick) >= sticksNeeded(b) ? 0 : 2;
  return table + sticks + (hasPickaxe(b) ? 0 : 3 + SPARE);
}

/** The stone may be far from the first table. */
const SPARE = 4;
const hasPickaxe = (b: Body) => b.count(I.wooden_pickaxe) > 0;
const sticksNeeded = (b: Body) => (hasPickaxe(b) ? 2 : 4);

/** `failures` in a row so far: a table that could not be used twice is given up for a new one. */
function nextRung(b: Body, failures: number): Skill {
  const needed = planksNeeded(b);
  const wood = b.count(I.planks) + 4 * b.count(I.log);
  if (wood < needed) return findAndGather(b, 'log', Math.ceil((needed - wood) / 4));
  if (b.count(I.planks) < needed) return inInventory(b, (p) => craftInStrip(p, I.planks, needed));
  if (b.count(I.stick) < sticksNeeded(b)) return inInventory(b, (p) => craftInStrip(p, I.stick, sticksNeeded(p)));
  if (hasPickaxe(b) && b.count(I.cobblestone) < 3) return cobblestone(b);
  const goal = hasPickaxe(b) ? I.stone_pickaxe : I.wooden_pickaxe;
  const close = knownTable(b, 6);
  if (close && failures < 2) return atTable(b, close, goal);
  if (b.count(TABLE.item) > 0) return placeTable(b);
  const spare = b.count(I.planks) - (hasPickaxe(b) ? 0 : 3);
  const far = spare < 4 ? knownTable(b, TABLE_RANGE) : null;
  if (far) return atTable(b, far, goal);
  return inInventory(b, (p) => craftInStrip(p, TABLE.item, 1));
}

function* findAndGather(b: Body, kind: 'log' | 'stone', want: number): Skill {
  if (underground(b)) yield* climbOut(b);
  for (let tries = 0; tries < 4 && !nearest(b, kind, 60); tries++) {
    yield* lookAround(b, 2);
    if (!nearest(b, kind, 60)) yield* explore(b);
  }
  if (yield* gather(b, kind, want)) return true;
  // What is near cannot be reached: try from elsewhere.
  yield* explore(b);
  return false;
}

/** Goes on along the player's course, through the ground if need be; takes another one when it gets nowhere. */
function* explore(b: Body): Skill {
  const { x, z } = b;
  const to = somewhere(b, 12, 28, b.course);
  if (to) yield* walkTo(b, near(to, 1.5), 200);
  if (Math.hypot(b.x - x, b.z - z) > 5) return true;
  b.aim(b.course, 0);
  yield* b.wait(12);
  if (yield* digStair(b, 1, 4)) return true;
  b.course = (b.course + b.draws.int(8000, 57000)) & 65535;
  return yield* stroll(b, 15);
}

function* cobblestone(b: Body): Skill {
  const want = 4 - b.count(I.cobblestone);
  const stone = nearest(b, 'stone', 30);
  if (stone && (yield* gather(b, 'stone', want))) return true;
  // No stone in sight: it lies under the ground.
  for (let tries = 0; tries < 3 && b.count(I.cobblestone) < 3; tries++) {
    if (!(yield* digStair(b, -1, 6))) {
      b.aim(b.yaw + 16384, b.pitch);
      yield* b.wait(6);
    }
    yield* collect(b, 4, 30);
  }
  yield* climbOut(b);
  return b.count(I.cobblestone) >= 3;
}

/** Puts the table on free ground two or three cells away. */
function* placeTable(b: Body): Skill {
  if (!(yield* bringToHand(b, TABLE.item))) return false;
  const at = b.cell();
  const spots: Cell[] = [];
  for (const [dx, dz] of [
    [0, 2],
    [2, 0],
    [0, -2],
    [-2, 0],
    [2, 1],
    [1, 2],
    [-2, 1],
    [1, -2],
    [0, 1],
    [1, 0],
    [0, -1],
    [-1, 0],
  ]) {
    for (const dy of [0, 1, -1]) {
      const c = { x: at.x + dx, y: at.y + dy, z: at.z + dz };
      if (b.sight.solid(c.x, c.y - 1, c.z) && b.sight.passable(c.x, c.y, c.z)) spots.push(c);
    }
  }
  for (const c of spots.slice(0, 5)) {
    if (yield* placeHere(b, c)) {
      yield* b.wait(2);
      return b.sight.at(c.x, c.y, c.z) === B.crafting_table;
    }
  }
  yield* travel(b, 3, 8);
  return false;
}

function* bringToHand(b: Body, item: number): Skill {
  const slotIndex = b.hotbarWith((i) => i === item);
  return slotIndex >= 0 && (yield* b.select(slotIndex));
}

function* atTable(b: Body, table: Cell, item: number): Skill {
  const done = yield* atBlock(b, table, GUI.table, (p) => craftInStrip(p, item, 1));
  if (!done && !visibleSpot(b, table)) yield* travel(b, 3, 8);
  return done;
}
