/**
 * Health, food, air and falls, with plain numbers (methods/world.md 3.7): only in profiles with `survival`. Death drops nothing but
 * sends the player back to the spawn with full bars; the event is what matters.
 */
import { B } from './blocks.ts';
import { CAUSE, EVENT, emit } from './events.ts';
import { blockAt, player, type State, setPlayer } from './state.ts';
import { H, HEADER_FLAG, P } from './state-layout.ts';

const FULL = 20;
const AIR_TICKS = 300;
const BLOCK = 65536;

export function hurt(s: State, amount: number, cause: number): void {
  if (amount <= 0) return;
  setPlayer(s, P.health, player(s, P.health) - amount);
  setPlayer(s, P.hurtTimer, 10);
  emit(s, EVENT.hurt, amount, cause);
}

/** Costs in Q8: sprinting 0.1 per metre (0.28 m per tick), jumps 0.05 and 0.2, breaking a block 0.005. */
export const EXHAUSTION = { sprintTick: 7, jump: 13, sprintJump: 51, breakBlock: 1 } as const;

/** Q8 exhaustion; 4.0 costs a point of saturation, then of food. */
export function exhaust(s: State, q8: number): void {
  if (!s.cfg.survival) return;
  let e = player(s, P.exhaustion) + q8;
  while (e >= 1024) {
    e -= 1024;
    if (player(s, P.saturation) > 0) setPlayer(s, P.saturation, Math.max(0, player(s, P.saturation) - 256));
    else setPlayer(s, P.food, Math.max(0, player(s, P.food) - 1));
  }
  setPlayer(s, P.exhaustion, e);
}

export function tickSurvival(s: State): void {
  if (player(s, P.hurtTimer) > 0) setPlayer(s, P.hurtTimer, player(s, P.hurtTimer) - 1);
  const landed = player(s, P.onGround) === 1;
  const fell = player(s, P.fallDist);
  if (landed) setPlayer(s, P.fallDist, 0);
  if (!s.cfg.survival) return;
  if (landed && fell > 3 * BLOCK) hurt(s, Math.ceil((fell - 3 * BLOCK) / BLOCK), CAUSE.fall);
  const tick = s.i32[H.tick];
  breathe(s, tick);
  if (player(s, P.inWater) === 2 && tick % 10 === 0) hurt(s, 4, CAUSE.lava);
  if (touchesCactus(s) && tick % 10 === 0) hurt(s, 1, CAUSE.cactus);
  if (player(s, P.sprinting) === 1) exhaust(s, EXHAUSTION.sprintTick);
  const timer = player(s, P.regenTimer) + 1;
  setPlayer(s, P.regenTimer, timer >= 80 ? 0 : timer);
  if (timer >= 80) {
    if (player(s, P.food) >= 18 && player(s, P.health) < FULL) setPlayer(s, P.health, player(s, P.health) + 1);
    else if (player(s, P.food) === 0 && player(s, P.health) > 1) hurt(s, 1, CAUSE.hunger);
  }
  if (player(s, P.health) <= 0) die(s);
}

function breathe(s: State, tick: number): void {
  if (player(s, P.headInWater) === 0) {
    setPlayer(s, P.air, Math.min(AIR_TICKS, player(s, P.air) + 4));
    return;
  }
  setPlayer(s, P.air, Math.max(0, player(s, P.air) - 1));
  if (player(s, P.air) === 0 && tick % 20 === 0) hurt(s, 2, CAUSE.drown);
}

function touchesCactus(s: State): boolean {
  const x = player(s, P.x) >> 16;
  const y = player(s, P.y) >> 16;
  const z = player(s, P.z) >> 16;
  // A player is 0.3 wide to each side, and the cactus stands 1/16 inside its cell: contact begins a quarter from the cell.
  const r = 20480 - 4096;
  for (const [dx, dz] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ])
    if (blockAt(s, x + dx, y, z + dz) === B.cactus) {
      const fx = player(s, P.x) & 65535;
      const fz = player(s, P.z) & 65535;
      const gap = dx > 0 ? BLOCK - fx : dx < 0 ? fx : dz > 0 ? BLOCK - fz : fz;
      if (gap <= r) return true;
    }
  return blockAt(s, x, y - 1, z) === B.cactus && player(s, P.onGround) === 1;
}

function die(s: State): void {
  emit(s, EVENT.died);
  s.i32[H.flags] |= HEADER_FLAG.died;
  setPlayer(s, P.health, FULL);
  setPlayer(s, P.food, FULL);
  setPlayer(s, P.saturation, 5 << 8);
  setPlayer(s, P.exhaustion, 0);
  setPlayer(s, P.air, AIR_TICKS);
  setPlayer(s, P.fallDist, 0);
  for (const f of [P.vx, P.vy, P.vz]) setPlayer(s, f, 0);
  const x = player(s, P.spawnX);
  const z = player(s, P.spawnZ);
  let y = player(s, P.spawnY);
  // The spawn may have been built over since.
  while (y < 62 && (blockAt(s, x, y, z) !== B.air || blockAt(s, x, y + 1, z) !== B.air)) y++;
  setPlayer(s, P.x, x * BLOCK + 32768);
  setPlayer(s, P.y, y * BLOCK);
  setPlayer(s, P.z, z * BLOCK + 32768);
}
