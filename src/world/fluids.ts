/**
 * Scheduled ticks: water that spreads and dries up, sand and gravel that fall. At most 64 block ticks are worked off per game tick;
 * the rest waits in order. Rules: methods/world.md 3.5.
 */
import { B, FACING_DX, FACING_DZ, FLAG, FLAGS, isWater, STATES } from './blocks.ts';
import { popOff, setBlock } from './change.ts';
import { meetsPlayer } from './collide.ts';
import { popDue, SCHEDULE, schedKind, schedPos, schedule } from './schedule.ts';
import { blockAt, type State } from './state.ts';
import { packPos, posX, posY, posZ } from './state-layout.ts';

const PER_TICK = 64;

export function tickScheduled(s: State): void {
  for (let i = 0; i < PER_TICK; i++) {
    const k = popDue(s);
    if (k < 0) return;
    const p = schedPos(k);
    if (schedKind(k) === SCHEDULE.fluid) water(s, posX(p), posY(p), posZ(p));
    else fall(s, posX(p), posY(p), posZ(p));
  }
}

/** Air, plants, torches and fluids give way; whatever has a collision box and doors and beds do not. */
const givesWay = (state: number) =>
  state === B.air || ((FLAGS[state] & (FLAG.fluid | FLAG.needsSupport)) !== 0 && STATES[state].collision.length === 0);

function fall(s: State, x: number, y: number, z: number): void {
  const state = blockAt(s, x, y, z);
  if ((FLAGS[state] & FLAG.falls) === 0 || y === 0) return;
  const below = blockAt(s, x, y - 1, z);
  if (below !== B.air && (FLAGS[below] & (FLAG.fluid | FLAG.replaceable)) === 0) return;
  // It waits above a player's head instead of burying it.
  if (meetsPlayer(s, state, x, y - 1, z)) {
    schedule(s, SCHEDULE.fall, packPos(x, y, z), 2);
    return;
  }
  // A swap with what it falls into, so that water keeps its volume.
  setBlock(s, x, y, z, below === B.air || (FLAGS[below] & FLAG.fluid) === 0 ? B.air : below);
  setBlock(s, x, y - 1, z, state);
}

const SOURCE = B.water;
const FALLING = B.water + 8;
/** 0 for sources and falling water, 1..7 for the thinning flow. */
const level = (state: number) => (state === FALLING ? 0 : state - B.water);

function water(s: State, x: number, y: number, z: number): void {
  let state = blockAt(s, x, y, z);
  if (!isWater(state)) return;
  if (state !== SOURCE) {
    const next = supply(s, x, y, z);
    if (next !== state) {
      setBlock(s, x, y, z, next);
      state = next;
      if (!isWater(state)) return;
    }
  }
  const below = blockAt(s, x, y - 1, z);
  if (y > 0 && givesWay(below) && below !== B.lava) {
    if (below !== SOURCE && below !== FALLING) flowInto(s, x, y - 1, z, FALLING);
    // Water over water or over a drop does not spread sideways, except from a source.
    if (state !== SOURCE) return;
    if (!isWater(below)) return;
  }
  const out = level(state) + 1;
  if (out > 7) return;
  for (let f = 0; f < 4; f++) {
    const nx = x + FACING_DX[f];
    const nz = z + FACING_DZ[f];
    const n = blockAt(s, nx, y, nz);
    if (n === B.lava || !givesWay(n)) continue;
    if (isWater(n) && (n === FALLING || level(n) <= out)) continue;
    flowInto(s, nx, y, nz, B.water + out);
  }
}

/** What a flowing cell becomes, given its neighbours: a source between two sources on firm ground, a level, or air. */
function supply(s: State, x: number, y: number, z: number): number {
  if (isWater(blockAt(s, x, y + 1, z))) return FALLING;
  let best = 8;
  let sources = 0;
  for (let f = 0; f < 4; f++) {
    const n = blockAt(s, x + FACING_DX[f], y, z + FACING_DZ[f]);
    if (!isWater(n)) continue;
    if (n === SOURCE) sources++;
    best = Math.min(best, level(n) + 1);
  }
  const below = blockAt(s, x, y - 1, z);
  if (sources >= 2 && ((FLAGS[below] & FLAG.fullSolid) !== 0 || below === SOURCE)) return SOURCE;
  return best > 7 ? B.air : B.water + best;
}

function flowInto(s: State, x: number, y: number, z: number, state: number): void {
  const old = blockAt(s, x, y, z);
  if (old !== B.air && !isWater(old)) popOff(s, old, x, y, z);
  setBlock(s, x, y, z, state);
}
