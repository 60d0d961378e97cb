/**
 * Item entities: spawned by breaking and throwing, they fall, merge with equals nearby and fly into the inventory of a player who comes
 * close. Figures: methods/world.md 3.7.
 */

import { HALF_WIDTH, HEIGHT_STAND, sweep } from './collide.ts';
import { count, EVENT, emit } from './events.ts';
import { addStack } from './inventory.ts';
import { packSlot, STACK_MAX, slotCount, slotDamage, slotId } from './items.ts';
import { rndBelow, STREAM } from './random.ts';
import { eyeY, player, type State } from './state.ts';
import { E, ENT, ENT_MAX, ENT_WORDS, ENTITY, H, P, STAT_KIND } from './state-layout.ts';
import { direction } from './targeting.ts';

/** Half of the 0.25 cube. */
const HALF = 8192;
const SIZE = 16384;
const GRAVITY = 2621;
const LIFE = 6000;
const PICK_DELAY = 10;
const THROW_DELAY = 40;
const BLOCK = 65536;

function freeEntity(s: State): number {
  let oldest = -1;
  let least = 2147483647;
  for (let i = 0; i < ENT_MAX; i++) {
    const at = ENT + i * ENT_WORDS;
    if (s.i32[at] === ENTITY.none) return at;
    // With 64 entities the item nearest to its end makes room.
    if (s.i32[at] === ENTITY.item && s.i32[at + E.timer] < least) {
      least = s.i32[at + E.timer];
      oldest = at;
    }
  }
  return oldest;
}

function spawn(
  s: State,
  stack: number,
  x: number,
  y: number,
  z: number,
  vx: number,
  vy: number,
  vz: number,
  delay: number,
) {
  if (slotId(stack) === 0) return;
  const at = freeEntity(s);
  if (at < 0) return;
  const w = s.i32;
  w.fill(0, at, at + ENT_WORDS);
  w[at + E.type] = ENTITY.item;
  w[at + E.x] = x;
  w[at + E.y] = y;
  w[at + E.z] = z;
  w[at + E.vx] = vx;
  w[at + E.vy] = vy;
  w[at + E.vz] = vz;
  w[at + E.timer] = LIFE;
  w[at + E.state] = delay;
  s.u32[at + E.item] = stack;
  w[at + E.owner] = w[H.nextEntity]++;
}

/** Drop from a broken block: pops up a little in a random direction. */
export function dropAtBlock(s: State, stack: number, bx: number, by: number, bz: number): void {
  const i = (by << 16) | (bz << 8) | bx;
  const vx = rndBelow(s, STREAM.dropX, i, 5243) - 2621;
  const vz = rndBelow(s, STREAM.dropZ, i, 5243) - 2621;
  spawn(s, stack, bx * BLOCK + 32768, by * BLOCK + 16384, bz * BLOCK + 32768, vx, 9830, vz, PICK_DELAY);
}

/** Thrown by the player in the direction of view. */
export function throwStack(s: State, stack: number): void {
  const [dx, dy, dz] = direction(player(s, P.yaw), player(s, P.pitch));
  const v = (d: number) => Math.floor(d * 19661);
  spawn(s, stack, player(s, P.x), eyeY(s) - 19661, player(s, P.z), v(dx), v(dy) + 6554, v(dz), THROW_DELAY);
  emit(s, EVENT.dropped, slotId(stack), slotCount(stack));
}

export function tickDrops(s: State): void {
  const w = s.i32;
  for (let i = 0; i < ENT_MAX; i++) {
    const at = ENT + i * ENT_WORDS;
    if (w[at] !== ENTITY.item) continue;
    if (--w[at + E.timer] <= 0) {
      w.fill(0, at, at + ENT_WORDS);
      continue;
    }
    if (w[at + E.state] > 0) w[at + E.state]--;
    w[at + E.anim]++;
    if (w[at + E.flags] === 0 || (w[at + E.timer] & 7) === 0) fall(s, at);
    if (w[at + E.state] === 0 && near(s, at)) pickUp(s, at);
    else if ((w[at + E.timer] & 7) === 0) merge(s, i);
  }
}

/** flags = 1 while at rest; a resting item looks every 8 ticks whether its floor is still there. */
function fall(s: State, at: number): void {
  const w = s.i32;
  w[at + E.vy] -= GRAVITY;
  const vy = w[at + E.vy];
  const m = sweep(s, w[at + E.x], w[at + E.y], w[at + E.z], HALF, SIZE, w[at + E.vx], vy, w[at + E.vz]);
  w[at + E.x] += m.dx;
  w[at + E.y] += m.dy;
  w[at + E.z] += m.dz;
  const landed = vy < 0 && m.dy > vy;
  if (m.dx !== w[at + E.vx]) w[at + E.vx] = 0;
  if (m.dz !== w[at + E.vz]) w[at + E.vz] = 0;
  const drag = landed ? 35783 : 64225;
  w[at + E.vx] = Math.trunc((w[at + E.vx] * drag) / 65536);
  w[at + E.vz] = Math.trunc((w[at + E.vz] * drag) / 65536);
  w[at + E.vy] = landed ? 0 : Math.floor((vy * 64225) / 65536);
  w[at + E.flags] = landed && Math.abs(w[at + E.vx]) < 200 && Math.abs(w[at + E.vz]) < 200 ? 1 : 0;
}

/** Does the item touch the player's box grown by (1, 0.5, 1)? */
function near(s: State, at: number): boolean {
  const w = s.i32;
  const px = player(s, P.x);
  const py = player(s, P.y);
  const pz = player(s, P.z);
  const r = HALF_WIDTH + BLOCK + HALF;
  return (
    Math.abs(w[at + E.x] - px) <= r &&
    Math.abs(w[at + E.z] - pz) <= r &&
    w[at + E.y] <= py + HEIGHT_STAND + 32768 &&
    w[at + E.y] + SIZE >= py - 32768
  );
}

function pickUp(s: State, at: number): void {
  const stack = s.u32[at + E.item];
  const left = addStack(s, stack);
  const taken = slotCount(stack) - slotCount(left);
  if (taken === 0) return;
  emit(s, EVENT.picked, slotId(stack), taken);
  count(s, STAT_KIND.picked, slotId(stack), taken);
  if (left === 0) s.i32.fill(0, at, at + ENT_WORDS);
  else s.u32[at + E.item] = left;
}

function merge(s: State, i: number): void {
  const a = ENT + i * ENT_WORDS;
  const w = s.i32;
  for (let j = 0; j < i; j++) {
    const b = ENT + j * ENT_WORDS;
    if (w[b] !== ENTITY.item) continue;
    const p = s.u32[a + E.item];
    const q = s.u32[b + E.item];
    const n = slotCount(p) + slotCount(q);
    if (slotId(p) !== slotId(q) || slotDamage(p) !== slotDamage(q) || n > STACK_MAX[slotId(p)]) continue;
    if (Math.abs(w[a + E.x] - w[b + E.x]) > 32768 || Math.abs(w[a + E.y] - w[b + E.y]) > 32768) continue;
    if (Math.abs(w[a + E.z] - w[b + E.z]) > 32768) continue;
    s.u32[b + E.item] = packSlot(slotId(p), n, slotDamage(p));
    w[b + E.timer] = Math.max(w[a + E.timer], w[b + E.timer]);
    w.fill(0, a, a + ENT_WORDS);
    return;
  }
}
