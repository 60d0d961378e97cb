/**
 * The use button in the world: open tables and furnaces, swing doors, place blocks, fill and empty buckets, eat. First match wins;
 * repeats every 4 ticks while held. Rules: methods/world.md 3.3.
 */
import {
  B,
  FACE,
  FACE_DX,
  FACE_DY,
  FACE_DZ,
  FACING_DX,
  FACING_DZ,
  FLAG,
  FLAGS,
  isBed,
  isDoor,
  isFurnace,
  isTorch,
} from './blocks.ts';
import { setBlock, setPair, supported } from './change.ts';
import { meetsPlayer } from './collide.ts';
import { count, EVENT, emit } from './events.ts';
import { openGui } from './gui.ts';
import { consumeHeld } from './inventory.ts';
import { FOOD, I, PLACES, packSlot, SATURATION_Q8, slotId } from './items.ts';
import { blockAt, heldSlot, inWorld, player, type State, setPlayer, setSlot } from './state.ts';
import { GUI, H, P, STAT_KIND } from './state-layout.ts';
import { type Target, target } from './targeting.ts';

const REPEAT = 4;
const EAT_TICKS = 32;

/** Facing quadrant of the view: 0 south, 1 west, 2 north, 3 east. */
const quadrant = (yaw: number) => ((yaw + 8192) >> 14) & 3;

export function tickUse(s: State, held: boolean, edge: boolean): void {
  const wait = player(s, P.placeCooldown);
  if (wait > 0) setPlayer(s, P.placeCooldown, wait - 1);
  if (!held) {
    setPlayer(s, P.placeCooldown, 0);
    setPlayer(s, P.eatTimer, 0);
    return;
  }
  if (!edge && wait > 0) return;
  const item = slotId(heldSlot(s));
  if (act(s, item, edge)) {
    setPlayer(s, P.placeCooldown, REPEAT - 1);
    setPlayer(s, P.swing, 6);
    return;
  }
  eat(s, item);
}

/** true if the press did something. */
function act(s: State, item: number, edge: boolean): boolean {
  if (item === I.bucket && fill(s)) return true;
  const t = target(s);
  if (!t.hit) return false;
  const state = blockAt(s, t.x, t.y, t.z);
  if (player(s, P.sneaking) === 0) {
    if (state === B.crafting_table || isFurnace(state)) {
      if (edge) openGui(s, state === B.crafting_table ? GUI.table : GUI.furnace, t.x, t.y, t.z);
      return edge;
    }
    if (isDoor(state)) {
      if (edge) swingDoor(s, state, t.x, t.y, t.z);
      return edge;
    }
  }
  if (item === I.water_bucket) return pour(s, t);
  return PLACES[item] !== 0 && place(s, item, t);
}

function swingDoor(s: State, state: number, x: number, y: number, z: number): void {
  const lowerY = ((state - B.door) & 1) === 1 ? y - 1 : y;
  const lower = (blockAt(s, x, lowerY, z) - B.door) ^ 2;
  const inTheWay = meetsPlayer(s, B.door + lower, x, lowerY, z) || meetsPlayer(s, B.door + lower, x, lowerY + 1, z);
  if (inTheWay) return;
  setPair(s, [x, lowerY, z], B.door + lower, [x, lowerY + 1, z], B.door + lower + 1);
  emit(s, EVENT.used, I.door, state);
}

const replaceable = (s: State, x: number, y: number, z: number) =>
  inWorld(s, x, y, z) && (FLAGS[blockAt(s, x, y, z)] & FLAG.replaceable) !== 0;

function place(s: State, item: number, t: Target): boolean {
  let { x, y, z } = t;
  let face = t.face;
  if (replaceable(s, x, y, z)) face = FACE.up;
  else {
    x += FACE_DX[face];
    y += FACE_DY[face];
    z += FACE_DZ[face];
    if (!replaceable(s, x, y, z)) return false;
  }
  const yaw = quadrant(player(s, P.yaw));
  let state = PLACES[item];
  if (isTorch(state)) {
    // On the side that was clicked if that is a wall, else on the floor.
    const facing = [-1, -1, 2, 0, 1, 3][face];
    if (face === FACE.down) return false;
    if (facing >= 0) state = B.torch + 1 + facing;
    if (!supported(s, state, x, y, z)) return false;
  } else if (isFurnace(state)) state = B.furnace + ((yaw + 2) & 3) * 2;
  else if (isDoor(state) || isBed(state)) return placePair(s, item, state, x, y, z, yaw);
  else if ((FLAGS[state] & FLAG.needsSupport) !== 0) {
    if (!supported(s, state, x, y, z)) return false;
    if (state === B.sugar_cane && [1, 2, 3].every((k) => blockAt(s, x, y - k, z) === B.sugar_cane)) return false;
  }
  if (meetsPlayer(s, state, x, y, z)) return false;
  setBlock(s, x, y, z, state);
  placed(s, item, state);
  return true;
}

function placePair(s: State, item: number, first: number, x: number, y: number, z: number, yaw: number): boolean {
  const door = isDoor(first);
  const ox = door ? x : x + FACING_DX[yaw];
  const oy = door ? y + 1 : y;
  const oz = door ? z : z + FACING_DZ[yaw];
  if (!replaceable(s, ox, oy, oz)) return false;
  if ((FLAGS[blockAt(s, x, y - 1, z)] & FLAG.fullSolid) === 0) return false;
  const state = first + yaw * (door ? 4 : 2);
  if (meetsPlayer(s, state, x, y, z) || meetsPlayer(s, state + 1, ox, oy, oz)) return false;
  setPair(s, [x, y, z], state, [ox, oy, oz], state + 1);
  placed(s, item, state);
  return true;
}

function placed(s: State, item: number, state: number): void {
  consumeHeld(s);
  s.i32[H.placedTotal]++;
  count(s, STAT_KIND.placed, item);
  emit(s, EVENT.placed, state, item);
}

/** Empty bucket on a water source in view. */
function fill(s: State): boolean {
  const t = target(s, true);
  if (!t.hit || blockAt(s, t.x, t.y, t.z) !== B.water) return false;
  setBlock(s, t.x, t.y, t.z, B.air);
  setSlot(s, player(s, P.selected), packSlot(I.water_bucket, 1));
  emit(s, EVENT.bucketFilled);
  count(s, STAT_KIND.used, I.bucket);
  return true;
}

function pour(s: State, t: Target): boolean {
  const x = t.x + FACE_DX[t.face];
  const y = t.y + FACE_DY[t.face];
  const z = t.z + FACE_DZ[t.face];
  if (!replaceable(s, x, y, z)) return false;
  setBlock(s, x, y, z, B.water);
  setSlot(s, player(s, P.selected), packSlot(I.bucket, 1));
  emit(s, EVENT.bucketEmptied);
  count(s, STAT_KIND.used, I.water_bucket);
  return true;
}

/** Food is eaten by holding use for 32 ticks. */
function eat(s: State, item: number): void {
  if (FOOD[item] === 0 || player(s, P.food) >= 20) {
    setPlayer(s, P.eatTimer, 0);
    return;
  }
  const t = player(s, P.eatTimer) + 1;
  setPlayer(s, P.eatTimer, t < EAT_TICKS ? t : 0);
  if (t < EAT_TICKS) return;
  consumeHeld(s);
  const food = Math.min(20, player(s, P.food) + FOOD[item]);
  setPlayer(s, P.food, food);
  setPlayer(s, P.saturation, Math.min(food << 8, player(s, P.saturation) + SATURATION_Q8[item]));
  emit(s, EVENT.ate, item);
  count(s, STAT_KIND.used, item);
}
