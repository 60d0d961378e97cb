/**
 * Life of a world: create, fork, release, hash. Terrain: generate.ts; ticks: step.ts; to and from bytes: snapshot.ts.
 */
import type { WorldConfig } from './config.ts';
import { template } from './generate.ts';
import { digest64, mix32 } from './hash.ts';
import { slotOrder } from './inventory.ts';
import { itemId, packSlot, STACK_MAX } from './items.ts';
import { pool } from './pool.ts';
import { makeState, newStateBuffer, type State } from './state.ts';
import { H, INV, MAGIC, P, PLAYER, RING, SPARE, STATE_WORDS } from './state-layout.ts';

export { SIM_VERSION } from './version.ts';

/** Optional start: everything else comes from the configuration. */
export interface StartSpec {
  episodeSeed?: number;
  /** Block position of the feet; default: the world's spawn. */
  at?: readonly [number, number, number];
  /** 1/65536 turn. */
  yaw?: number;
  pitch?: number;
  /** Ticks of the day, 0..23999. */
  time?: number;
  items?: readonly (readonly [string, number])[];
}

/** A new world at tick 0. Same configuration, seed and start: same bits. */
export function createWorld(cfg: WorldConfig, seed: number, start: StartSpec = {}): State {
  const t = template(cfg, seed);
  const s = makeState(cfg, newStateBuffer(), t.handles.slice());
  const w = s.i32;
  w[H.magic] = MAGIC;
  w[H.worldSeed] = seed | 0;
  w[H.episodeSeed] = (start.episodeSeed ?? 0) | 0;
  w[H.time] = start.time ?? (cfg.dayCycle ? 1000 : 6000);
  const [x, y, z] = start.at ?? [t.spawn.x, t.spawn.y, t.spawn.z];
  w[H.spawnX] = x;
  w[H.spawnY] = y;
  w[H.spawnZ] = z;
  const set = (field: number, value: number) => {
    w[PLAYER + field] = value;
  };
  set(P.x, x * 65536 + 32768);
  set(P.y, y * 65536);
  set(P.z, z * 65536 + 32768);
  set(P.yaw, (start.yaw ?? mix32(seed, start.episodeSeed ?? 0, 0, 0x59a3)) & 65535);
  set(P.pitch, start.pitch ?? 0);
  set(P.onGround, 1);
  // The fall speed of a body at rest (one tick of gravity), so that it counts as standing from the first tick on.
  set(P.vy, -5138);
  set(P.health, 20);
  set(P.food, 20);
  set(P.saturation, 5 << 8);
  set(P.air, 300);
  set(P.spawnX, x);
  set(P.spawnY, y);
  set(P.spawnZ, z);
  giveStart(s, start.items ?? cfg.startKit);
  return s;
}

function giveStart(s: State, items: readonly (readonly [string, number])[]): void {
  const order = slotOrder(s);
  if (items.length > order.length)
    throw new Error(`start kit has ${items.length} stacks, the inventory ${order.length} slots`);
  items.forEach(([name, n], i) => {
    const id = itemId(name);
    if (n < 1 || n > STACK_MAX[id])
      throw new Error(`start kit: ${n} x ${name} does not fit a stack of ${STACK_MAX[id]}`);
    s.u32[INV + order[i]] = packSlot(id, n);
  });
}

/** An independent copy: 16 KB and the handle table; pages are shared until one side writes. */
export function fork(s: State): State {
  const copy = makeState(s.cfg, s.i32.buffer.slice(0) as ArrayBuffer, s.handles.slice());
  // The parent's old pages are shared now: it must not write them in place either.
  s.token = pool.token();
  return copy;
}

/** Gives the pages back early; a released state must not be used again. Unreachable states are collected anyway. */
export function release(s: State): void {
  if (s.released) return;
  s.released = true;
  pool.drop(s.root);
}

/** 64 bits over everything that matters: dynamic state without the event ring, and the block changes. */
export function hash(s: State): [number, number] {
  const a = digest64(s.u32, 0, RING);
  const b = digest64(s.u32, SPARE, STATE_WORDS);
  return [(a[0] ^ mix32(b[0], a[1], 3, 0)) >>> 0, (a[1] ^ mix32(b[1], a[0], 5, 0)) >>> 0];
}
