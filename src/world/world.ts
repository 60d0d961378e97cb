/**
 * Life of a world: create, fork, release, snapshot, restore, hash. Generated dimensions are cached per (configuration, seed) and shared
 * by all states of a thread; a state copies a page only when it changes it (pool.ts).
 */
import { deflateSync, inflateSync } from 'fflate';
import { B } from './blocks.ts';
import { configCrc, type WorldConfig } from './config.ts';
import { addFeatures, findSpawn, guaranteeLadder, type Spawn } from './features.ts';
import { crc32, digest64, mix32 } from './hash.ts';
import { itemId, packSlot, STACK_MAX } from './items.ts';
import { fillLight } from './light-fill.ts';
import { PAGE_CELLS, pool, uniformHandle } from './pool.ts';
import { makeState, newStateBuffer, type State, sectionCounts } from './state.ts';
import { H, INV, P, PLAYER, RING, SLOT, STATE_BYTES, STATE_WORDS } from './state-layout.ts';
import { buildGround } from './terrain.ts';
import { SIM_VERSION } from './version.ts';
import { HEIGHT, type Volume } from './volume.ts';

export { SIM_VERSION } from './version.ts';

const MAGIC = 0x44345753;

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

interface Template {
  handles: Int32Array;
  root: WeakRef<Int32Array>;
  spawn: Spawn;
}

const templates = new Map<string, Template>();
const MAX_TEMPLATES = 12;

/** Fresh, uncached overworld of a seed: blocks and light as flat arrays. */
export function generate(cfg: WorldConfig, seed: number): { volume: Volume; spawn: Spawn } {
  const volume = buildGround(cfg, mix32(seed, 0x7e44a1, configSalt(cfg), 0));
  addFeatures(cfg, volume);
  const spawn = findSpawn(volume);
  if (cfg.ladder) guaranteeLadder(volume, spawn);
  // Adding trees or veins can bury the point that was dry before.
  while (spawn.y < HEIGHT - 2 && volume.blocks[(spawn.y * volume.sizeZ + spawn.z) * volume.sizeX + spawn.x] !== B.air)
    spawn.y++;
  fillLight(volume);
  return { volume, spawn };
}

/** Terrain depends on the size only through the rim, so different sizes get different worlds. */
const configSalt = (cfg: WorldConfig) => cfg.dims[0][0] * 1024 + cfg.dims[0][2];

function template(cfg: WorldConfig, seed: number): Template {
  const key = `${configCrc(cfg)}:${seed}`;
  const known = templates.get(key);
  if (known) {
    templates.delete(key);
    templates.set(key, known);
    return known;
  }
  const { volume, spawn } = generate(cfg, seed);
  const counts = sectionCounts(cfg);
  const handles = new Int32Array(counts[0] + counts[1] + counts[2]).fill(uniformHandle(B.air, 0));
  const root = pool.keep(handles);
  toPages(volume, handles);
  const t = { handles, root, spawn };
  templates.set(key, t);
  if (templates.size > MAX_TEMPLATES) {
    const oldest = templates.keys().next().value as string;
    pool.drop((templates.get(oldest) as Template).root);
    templates.delete(oldest);
  }
  return t;
}

/** Cuts a volume into read-only pages; sections of one state and one light value need none. */
function toPages(v: Volume, handles: Int32Array): void {
  const nx = v.sizeX >> 4;
  const nz = v.sizeZ >> 4;
  for (let sz = 0; sz < nz; sz++)
    for (let sx = 0; sx < nx; sx++)
      for (let sy = 0; sy < 4; sy++) {
        const at = (i: number) => {
          const y = sy * 16 + (i >> 8);
          const z = sz * 16 + ((i >> 4) & 15);
          return (y * v.sizeZ + z) * v.sizeX + sx * 16;
        };
        const first = at(0);
        const state = v.blocks[first];
        const light = v.light[first];
        let uniform = true;
        for (let row = 0; row < PAGE_CELLS && uniform; row += 16) {
          const i = at(row);
          for (let x = 0; x < 16; x++)
            if (v.blocks[i + x] !== state || v.light[i + x] !== light) {
              uniform = false;
              break;
            }
        }
        const h = ((sz * nx + sx) << 2) + sy;
        if (uniform) {
          handles[h] = uniformHandle(state, light);
          continue;
        }
        const page = pool.alloc(0);
        for (let row = 0; row < PAGE_CELLS; row += 16) {
          const i = at(row);
          pool.blocks.set(v.blocks.subarray(i, i + 16), page * PAGE_CELLS + row);
          pool.light.set(v.light.subarray(i, i + 16), page * PAGE_CELLS + row);
        }
        handles[h] = page;
      }
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
  const order = [
    ...Array.from({ length: s.cfg.hotbarSlots }, (_, i) => SLOT.hotbar + i),
    ...Array.from({ length: s.cfg.mainSlots }, (_, i) => SLOT.main + i),
  ];
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
  const b = digest64(s.u32, RING + 16 + 256, STATE_WORDS);
  return [(a[0] ^ mix32(b[0], a[1], 3, 0)) >>> 0, (a[1] ^ mix32(b[1], a[0], 5, 0)) >>> 0];
}

/** Blocks and light of a handle, XORed into a buffer: once with the world, once with the terrain leaves only what changed. */
function xorPage(out: Uint8Array, at: number, h: number): void {
  for (let i = 0; i < PAGE_CELLS; i++) {
    out[at + i] ^= h < 0 ? h & 255 : pool.blocks[h * PAGE_CELLS + i];
    out[at + PAGE_CELLS + i] ^= h < 0 ? (h >>> 8) & 255 : pool.light[h * PAGE_CELLS + i];
  }
}

const SECTION_BYTES = 4 + 2 * PAGE_CELLS;

/**
 * Bytes that restore() turns into an equal state: magic, version, CRC, then deflated: configuration, dynamic block and the difference to
 * generated terrain of every changed section. Typically 2-20 KB.
 */
export function snapshot(s: State): Uint8Array {
  const t = template(s.cfg, s.i32[H.worldSeed]);
  const changed: number[] = [];
  for (let i = 0; i < s.handles.length; i++) if (s.handles[i] !== t.handles[i]) changed.push(i);
  const config = new TextEncoder().encode(JSON.stringify(s.cfg));
  const head = 8 + ((config.length + 3) & ~3);
  const raw = new Uint8Array(head + STATE_BYTES + changed.length * SECTION_BYTES);
  const view = new DataView(raw.buffer);
  view.setUint32(0, config.length, true);
  view.setUint32(4, changed.length, true);
  raw.set(config, 8);
  raw.set(new Uint8Array(s.i32.buffer), head);
  changed.forEach((i, k) => {
    const at = head + STATE_BYTES + k * SECTION_BYTES;
    view.setUint32(at, i, true);
    xorPage(raw, at + 4, s.handles[i]);
    xorPage(raw, at + 4, t.handles[i]);
  });
  const packed = deflateSync(raw);
  const out = new Uint8Array(12 + packed.length);
  const top = new DataView(out.buffer);
  top.setUint32(0, MAGIC, true);
  top.setUint32(4, SIM_VERSION, true);
  top.setUint32(8, crc32(packed), true);
  out.set(packed, 12);
  return out;
}

/** Throws one clear error on foreign, damaged or other-version bytes. */
export function restore(bytes: Uint8Array): State {
  const top = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || top.getUint32(0, true) !== MAGIC) throw new Error('not a world snapshot');
  const version = top.getUint32(4, true);
  if (version !== SIM_VERSION)
    throw new Error(`snapshot of simulator version ${version}; this is version ${SIM_VERSION}`);
  const packed = bytes.subarray(12);
  if (crc32(packed) !== top.getUint32(8, true)) throw new Error('damaged world snapshot: checksum differs');
  const raw = inflateSync(packed);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const configLength = view.getUint32(0, true);
  const sections = view.getUint32(4, true);
  const head = 8 + ((configLength + 3) & ~3);
  const cfg = JSON.parse(new TextDecoder().decode(raw.subarray(8, 8 + configLength))) as WorldConfig;
  const words = raw.slice(head, head + STATE_BYTES).buffer as ArrayBuffer;
  const t = template(cfg, new Int32Array(words)[H.worldSeed]);
  const s = makeState(cfg, words, t.handles.slice());
  for (let k = 0; k < sections; k++) {
    const at = head + STATE_BYTES + k * SECTION_BYTES;
    const i = view.getUint32(at, true);
    xorPage(raw, at + 4, t.handles[i]);
    const page = pool.alloc(s.token);
    s.handles[i] = page;
    pool.blocks.set(raw.subarray(at + 4, at + 4 + PAGE_CELLS), page * PAGE_CELLS);
    pool.light.set(raw.subarray(at + 4 + PAGE_CELLS, at + SECTION_BYTES), page * PAGE_CELLS);
  }
  return s;
}
