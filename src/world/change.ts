/**
 * Changing a block and what follows from it: light, then the neighbours - support, falling, fluids. Everything except world
 * generation changes blocks through setBlock().
 */
import {
  B,
  FACE_DX,
  FACE_DY,
  FACE_DZ,
  FACING_DX,
  FACING_DZ,
  FLAG,
  FLAGS,
  isBed,
  isDoor,
  isTorch,
  isWater,
  STATES,
} from './blocks.ts';
import { meetsPlayer } from './collide.ts';
import { dropAtBlock } from './drops.ts';
import { packSlot } from './items.ts';
import { relight } from './light.ts';
import { SCHEDULE, schedule } from './schedule.ts';
import { blockAt, inWorld, type State, writeBlock } from './state.ts';
import { packPos } from './state-layout.ts';

const FLUID_DELAY = 5;
const FALL_DELAY = 2;

export function setBlock(s: State, x: number, y: number, z: number, state: number): void {
  if (!inWorld(s, x, y, z)) return;
  const old = blockAt(s, x, y, z);
  if (old === state) return;
  writeBlock(s, x, y, z, state);
  relight(s, x, y, z, old);
  notify(s, x, y, z);
  for (let f = 0; f < 6; f++) notify(s, x + FACE_DX[f], y + FACE_DY[f], z + FACE_DZ[f]);
}

/** Places both halves of a door or bed at once, since each half stands only beside the other. */
export function setPair(
  s: State,
  a: readonly [number, number, number],
  stateA: number,
  b: readonly [number, number, number],
  stateB: number,
) {
  const oldA = blockAt(s, ...a);
  const oldB = blockAt(s, ...b);
  writeBlock(s, ...a, stateA);
  writeBlock(s, ...b, stateB);
  for (const [p, old] of [
    [a, oldA],
    [b, oldB],
  ] as const) {
    relight(s, ...p, old);
    for (let f = 0; f < 6; f++) notify(s, p[0] + FACE_DX[f], p[1] + FACE_DY[f], p[2] + FACE_DZ[f]);
  }
}

/** A neighbour (or the cell itself) changed: does this block still stand? */
function notify(s: State, x: number, y: number, z: number): void {
  if (!inWorld(s, x, y, z)) return;
  const state = blockAt(s, x, y, z);
  const flags = FLAGS[state];
  if ((flags & FLAG.needsSupport) !== 0 && !supported(s, state, x, y, z)) popOff(s, state, x, y, z);
  else if ((flags & FLAG.falls) !== 0) schedule(s, SCHEDULE.fall, packPos(x, y, z), FALL_DELAY);
  else if (isWater(state)) schedule(s, SCHEDULE.fluid, packPos(x, y, z), FLUID_DELAY);
  else if (state === B.lava && touchesWater(s, x, y, z) && !meetsPlayer(s, B.obsidian, x, y, z))
    setBlock(s, x, y, z, B.obsidian);
}

/** Breaks without a tool: the drop appears, and for two-part blocks only one of the parts drops. */
export function popOff(s: State, state: number, x: number, y: number, z: number): void {
  setBlock(s, x, y, z, B.air);
  const second = (isDoor(state) || isBed(state)) && ((state - (isDoor(state) ? B.door : B.bed)) & 1) === 1;
  if (!second && STATES[state].drop) dropAtBlock(s, packSlot(STATES[state].drop, 1), x, y, z);
}

const solid = (s: State, x: number, y: number, z: number) => (FLAGS[blockAt(s, x, y, z)] & FLAG.fullSolid) !== 0;

/** Would this state stand at this place? Used for placing and for popping off. */
export function supported(s: State, state: number, x: number, y: number, z: number): boolean {
  const below = blockAt(s, x, y - 1, z);
  if (isTorch(state)) {
    const a = state - B.torch;
    return a === 0 ? solid(s, x, y - 1, z) : solid(s, x - FACING_DX[a - 1], y, z - FACING_DZ[a - 1]);
  }
  if (isDoor(state)) {
    const upper = ((state - B.door) & 1) === 1;
    // The two halves agree in facing and opening: ids differ by the half bit alone.
    return upper ? below === state - 1 : solid(s, x, y - 1, z) && blockAt(s, x, y + 1, z) === state + 1;
  }
  if (isBed(state)) {
    const f = (state - B.bed) >> 1;
    const head = ((state - B.bed) & 1) === 1;
    return head
      ? blockAt(s, x - FACING_DX[f], y, z - FACING_DZ[f]) === state - 1
      : blockAt(s, x + FACING_DX[f], y, z + FACING_DZ[f]) === state + 1;
  }
  if (state === B.sugar_cane) return below === B.sugar_cane || (caneSoil(below) && besideWater(s, x, y - 1, z));
  if (state === B.cactus) return (below === B.sand || below === B.cactus) && !crowded(s, x, y, z);
  if (state === B.end_plant) return below === B.end_stone || below === B.end_plant;
  return below === B.grass || below === B.dirt || below === B.snow;
}

const caneSoil = (b: number) => b === B.grass || b === B.dirt || b === B.sand;

export function besideWater(s: State, x: number, y: number, z: number): boolean {
  for (let f = 0; f < 4; f++) if (isWater(blockAt(s, x + FACING_DX[f], y, z + FACING_DZ[f]))) return true;
  return false;
}

function crowded(s: State, x: number, y: number, z: number): boolean {
  for (let f = 0; f < 4; f++) if (solid(s, x + FACING_DX[f], y, z + FACING_DZ[f])) return true;
  return false;
}

function touchesWater(s: State, x: number, y: number, z: number): boolean {
  return besideWater(s, x, y, z) || isWater(blockAt(s, x, y + 1, z));
}
