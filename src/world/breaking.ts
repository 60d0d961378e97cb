/**
 * Holding attack on a block: time needed, progress, the break itself, drops and tool wear. Times: methods/world.md 3.4 in exact integers.
 */
import {
  B,
  FACING_DX,
  FACING_DZ,
  HARDNESS10,
  isBed,
  isDoor,
  isFurnace,
  MIN_TIER,
  STATES,
  TOOL_KIND,
} from './blocks.ts';
import { setBlock } from './change.ts';
import type { WorldConfig } from './config.ts';
import { dropAtBlock } from './drops.ts';
import { count, EVENT, emit } from './events.ts';
import { dropFurnace } from './furnace.ts';
import { wearHeld } from './inventory.ts';
import { DURABILITY, I, ITEM_TIER, ITEM_TOOL, packSlot, slotId } from './items.ts';
import { rndBelow, STREAM } from './random.ts';
import { blockAt, heldSlot, player, type State, setPlayer } from './state.ts';
import { H, P, packPos, STAT_KIND } from './state-layout.ts';
import { EXHAUSTION, exhaust } from './survival.ts';
import { target } from './targeting.ts';

const SPEED2 = [2, 4, 8, 12, 16] as const;
const COOLDOWN = 5;

export const harvestable = (state: number, item: number) =>
  MIN_TIER[state] === 0 || (ITEM_TOOL[item] === TOOL_KIND[state] && ITEM_TIER[item] >= MIN_TIER[state]);

/** Ticks at breakScale 1 on firm ground in air; Infinity for unbreakable states. */
export function baseBreakTicks(state: number, item: number): number {
  const h = HARDNESS10[state];
  if (h < 0) return Number.POSITIVE_INFINITY;
  const fits = TOOL_KIND[state] !== 0 && ITEM_TOOL[item] === TOOL_KIND[state];
  const c = harvestable(state, item) ? 3 : 10;
  const ticks = Math.ceil((2 * c * h) / SPEED2[fits ? ITEM_TIER[item] : 0]);
  return Math.max(1, ticks);
}

/** With the profile's breakScale, and five times as long under water or off the ground. */
export function breakTicks(
  cfg: WorldConfig,
  state: number,
  item: number,
  headInWater: boolean,
  onGround: boolean,
): number {
  const slow = (headInWater ? 5 : 1) * (onGround ? 1 : 5);
  const base = baseBreakTicks(state, item) * slow;
  return Math.max(1, Math.ceil((base * cfg.breakNum) / cfg.breakDen));
}

/** One tick of the attack button. */
export function tickAttack(s: State, held: boolean): void {
  const cooldown = player(s, P.breakCooldown);
  if (cooldown > 0) setPlayer(s, P.breakCooldown, cooldown - 1);
  if (!held || cooldown > 0 || !advance(s)) stop(s);
}

/** Adds a tick of work to the block in view; false if nothing is being broken (any more). */
function advance(s: State): boolean {
  const t = target(s);
  if (!t.hit) return false;
  const { x, y, z } = t;
  const state = blockAt(s, x, y, z);
  const item = slotId(heldSlot(s));
  const firm = player(s, P.onGround) === 1 || player(s, P.inWater) !== 0;
  const need = breakTicks(s.cfg, state, item, player(s, P.headInWater) === 1, firm);
  if (need === Number.POSITIVE_INFINITY) return false;
  const pos = packPos(x, y, z) + 1;
  if (player(s, P.breakPos) !== pos) {
    setPlayer(s, P.breakPos, pos);
    setPlayer(s, P.breakTicks, 0);
  }
  const done = player(s, P.breakTicks) + 1;
  setPlayer(s, P.breakTicks, done);
  setPlayer(s, P.breakNeed, need);
  if (done < need) return true;
  breakBlock(s, x, y, z, item);
  if (need > 1) setPlayer(s, P.breakCooldown, COOLDOWN);
  return false;
}

/** Forgets the progress on the block being broken. */
export function stop(s: State): void {
  setPlayer(s, P.breakPos, 0);
  setPlayer(s, P.breakTicks, 0);
  setPlayer(s, P.breakNeed, 0);
}

function breakBlock(s: State, x: number, y: number, z: number, item: number): void {
  const state = blockAt(s, x, y, z);
  const harvest = harvestable(state, item);
  if (isFurnace(state)) dropFurnace(s, x, y, z);
  // Two-part blocks go by their base (lower or foot) cell: the other half loses its support and vanishes without a drop.
  const [bx, by, bz] = baseCell(state, x, y, z);
  setBlock(s, bx, by, bz, state === B.ice ? iceMelts(s, x, y, z) : B.air);
  let drop = harvest ? STATES[state].drop : 0;
  if (state === B.leaves && rndBelow(s, STREAM.dropRoll, packPos(x, y, z), 20) === 0) drop = I.apple;
  if (drop) dropAtBlock(s, packSlot(drop, 1), x, y, z);
  s.i32[H.brokenTotal]++;
  exhaust(s, EXHAUSTION.breakBlock);
  emit(s, EVENT.mined, state, item);
  if (harvest && STATES[state].drop) count(s, STAT_KIND.mined, STATES[state].drop);
  if (DURABILITY[item] > 0 && HARDNESS10[state] > 0) {
    count(s, STAT_KIND.used, item);
    emit(s, EVENT.used, item, state);
    if (wearHeld(s)) emit(s, EVENT.toolBroke, item);
  }
}

/** Ice over something solid or wet becomes water, elsewhere nothing. */
const iceMelts = (s: State, x: number, y: number, z: number) => (blockAt(s, x, y - 1, z) === B.air ? B.air : B.water);

function baseCell(state: number, x: number, y: number, z: number): [number, number, number] {
  if (isDoor(state) && ((state - B.door) & 1) === 1) return [x, y - 1, z];
  if (isBed(state) && ((state - B.bed) & 1) === 1) {
    const f = (state - B.bed) >> 1;
    return [x - FACING_DX[f], y, z - FACING_DZ[f]];
  }
  return [x, y, z];
}
