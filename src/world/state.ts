/**
 * State: one running world, as flat arrays (state-layout.ts) plus a table of section handles (pool.ts), with its accessors.
 * Raw reads and writes only: neighbour updates, light and events are the business of the step modules.
 */
import { B } from './blocks.ts';
import type { WorldConfig } from './config.ts';
import { mix32 } from './hash.ts';
import { PAGE_CELLS, pool } from './pool.ts';
import { H, INV, P, PLAYER, packPos, STATE_BYTES } from './state-layout.ts';

export interface State {
  readonly cfg: WorldConfig;
  /** The 16 KB block as i32 and as u32 words. */
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  /** Section handles of all dimensions: dimBase[dim] + (sz * nx + sx) * 4 + sy with sx = x >> 4 and so on. */
  readonly handles: Int32Array;
  readonly dimBase: readonly number[];
  /** Size of the current dimension in blocks (height is always 64). */
  sizeX: number;
  sizeZ: number;
  /** Index of the first handle of the current dimension. */
  base: number;
  token: number;
  readonly root: WeakRef<Int32Array>;
  released: boolean;
}

export const WORLD_HEIGHT = 64;

export function sectionCounts(cfg: WorldConfig): number[] {
  return cfg.dims.map(([x, , z]) => (x >> 4) * (z >> 4) * 4);
}

/** A State around given buffers; the caller fills them. */
export function makeState(cfg: WorldConfig, words: ArrayBuffer, handles: Int32Array): State {
  const counts = sectionCounts(cfg);
  const dimBase = counts.map((_, i) => counts.slice(0, i).reduce((a, b) => a + b, 0));
  const s: State = {
    cfg,
    i32: new Int32Array(words),
    u32: new Uint32Array(words),
    handles,
    dimBase,
    sizeX: 0,
    sizeZ: 0,
    base: 0,
    token: pool.token(),
    root: pool.keep(handles),
    released: false,
  };
  selectDim(s, s.i32[H.dim]);
  return s;
}

export const newStateBuffer = () => new ArrayBuffer(STATE_BYTES);

export function selectDim(s: State, dim: number): void {
  s.i32[H.dim] = dim;
  s.sizeX = s.cfg.dims[dim][0];
  s.sizeZ = s.cfg.dims[dim][2];
  s.base = s.dimBase[dim];
}

/** Block state at a cell of the current dimension; bedrock beside and below the world, air above it. */
export function blockAt(s: State, x: number, y: number, z: number): number {
  if (x < 0 || z < 0 || x >= s.sizeX || z >= s.sizeZ || y < 0) return B.bedrock;
  if (y >= WORLD_HEIGHT) return B.air;
  const h = s.handles[s.base + (((z >> 4) * (s.sizeX >> 4) + (x >> 4)) << 2) + (y >> 4)];
  if (h < 0) return h & 255;
  return pool.blocks[h * PAGE_CELLS + ((y & 15) << 8) + ((z & 15) << 4) + (x & 15)];
}

/** Light byte (sky << 4 | block); full sky above the world, dark outside it. */
export function lightAt(s: State, x: number, y: number, z: number): number {
  if (y >= WORLD_HEIGHT) return 0xf0;
  if (x < 0 || z < 0 || x >= s.sizeX || z >= s.sizeZ || y < 0) return 0;
  const h = s.handles[s.base + (((z >> 4) * (s.sizeX >> 4) + (x >> 4)) << 2) + (y >> 4)];
  if (h < 0) return (h >>> 8) & 255;
  return pool.light[h * PAGE_CELLS + ((y & 15) << 8) + ((z & 15) << 4) + (x & 15)];
}

export const inWorld = (s: State, x: number, y: number, z: number) =>
  x >= 0 && z >= 0 && y >= 0 && x < s.sizeX && z < s.sizeZ && y < WORLD_HEIGHT;

/** Handle of the section that holds a cell inside the world. */
export const sectionIndex = (s: State, x: number, y: number, z: number) =>
  s.base + (((z >> 4) * (s.sizeX >> 4) + (x >> 4)) << 2) + (y >> 4);

const cell = (x: number, y: number, z: number) => ((y & 15) << 8) + ((z & 15) << 4) + (x & 15);

/** Contribution of one cell's state to the change hash. */
export const changeLo = (dim: number, pos: number, state: number) => mix32(pos, state, dim, 0x51ab);
export const changeHi = (dim: number, pos: number, state: number) => mix32(pos, state, dim, 0x7c3d);

/** Writes a block inside the world and keeps the change hash; no light, no neighbour updates. */
export function writeBlock(s: State, x: number, y: number, z: number, state: number): void {
  const old = blockAt(s, x, y, z);
  if (old === state) return;
  const i = sectionIndex(s, x, y, z);
  const page = pool.writable(s.handles[i], s.token);
  s.handles[i] = page;
  pool.blocks[page * PAGE_CELLS + cell(x, y, z)] = state;
  const dim = s.i32[H.dim];
  const pos = packPos(x, y, z);
  s.u32[H.changeLo] ^= changeLo(dim, pos, old) ^ changeLo(dim, pos, state);
  s.u32[H.changeHi] ^= changeHi(dim, pos, old) ^ changeHi(dim, pos, state);
}

/** Writes a light byte inside the world. */
export function writeLight(s: State, x: number, y: number, z: number, light: number): void {
  const i = sectionIndex(s, x, y, z);
  const h = s.handles[i];
  if (h < 0 && ((h >>> 8) & 255) === light) return;
  const page = pool.writable(h, s.token);
  s.handles[i] = page;
  pool.light[page * PAGE_CELLS + cell(x, y, z)] = light;
}

/** Player field by index from state-layout P. */
export const player = (s: State, field: number) => s.i32[PLAYER + field];
export const setPlayer = (s: State, field: number, value: number) => {
  s.i32[PLAYER + field] = value;
};
/** Packed slot 0..45 (items.ts: slotId, slotCount, slotDamage). */
export const slot = (s: State, i: number) => s.u32[INV + i];
export const setSlot = (s: State, i: number, packed: number) => {
  s.u32[INV + i] = packed;
};
export const heldSlot = (s: State) => s.u32[INV + s.i32[PLAYER + P.selected]];

/** Eye position in Q16. */
export const EYE_STAND = 106168;
export const EYE_SNEAK = 83231;
export const eyeY = (s: State) => s.i32[PLAYER + P.y] + (s.i32[PLAYER + P.sneaking] ? EYE_SNEAK : EYE_STAND);
