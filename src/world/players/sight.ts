// What a player has seen (methods/world.md 8.1): a bitmap of cells, filled by rays inside the view frustum, so that no scripted player
// knows of an ore behind stone or a tree behind a hill. Everything above this file asks `at`, which knows nothing about unseen cells.
// Seen cells answer with their present state: the bitmap remembers places, the eyes are trusted for changes.

import { B, CLASS, FLAG, FLAGS, isWater, STATE_CLASS } from '../blocks.ts';
import { blockAt, lightAt, type State, WORLD_HEIGHT } from '../state.ts';
import type { Draws } from './draws.ts';
import type { Cell, Terrain } from './path.ts';

/** Rays per agent step; the range in blocks is the view distance of the smallest frame. */
const RAYS = 72;
const RANGE = 30;
/** Light (of 15) in front of a block below which its kind is not made out. */
const DIM = 3;
// Half extents of the image plane at distance 1: vertical field of view 70 degrees, picture 64 x 40.
const TAN_V = 0.7;
const TAN_H = 1.12;
const UNSEEN = -1;

/** Blocks worth remembering, by what a player would want them for. */
export type Kind =
  | 'log'
  | 'leaves'
  | 'stone'
  | 'coal'
  | 'iron'
  | 'diamond'
  | 'sand'
  | 'dirt'
  | 'table'
  | 'furnace'
  | 'water'
  | 'plant';

const KIND_OF: (Kind | undefined)[] = [];
KIND_OF[B.log] = 'log';
KIND_OF[B.leaves] = 'leaves';
KIND_OF[B.stone] = 'stone';
KIND_OF[B.cobblestone] = 'stone';
KIND_OF[B.coal_ore] = 'coal';
KIND_OF[B.iron_ore] = 'iron';
KIND_OF[B.diamond_ore] = 'diamond';
KIND_OF[B.sand] = 'sand';
KIND_OF[B.gravel] = 'sand';
KIND_OF[B.dirt] = 'dirt';
KIND_OF[B.grass] = 'dirt';
KIND_OF[B.crafting_table] = 'table';
for (let i = 0; i < 8; i++) KIND_OF[B.furnace + i] = 'furnace';
for (let i = 0; i < 9; i++) KIND_OF[B.water + i] = 'water';
for (const b of [B.tall_grass, B.flower_red, B.flower_yellow, B.sugar_cane]) KIND_OF[b] = 'plant';

/** Only this many places of a kind are kept, the latest ones: people forget, and lists stay short. */
const MEMORY = 256;

export class Sight implements Terrain {
  private readonly seen: Uint8Array;
  private readonly places = new Map<Kind, number[]>();
  private state: State;
  private readonly sizeX: number;
  private readonly sizeZ: number;

  constructor(s: State) {
    this.state = s;
    this.sizeX = s.sizeX;
    this.sizeZ = s.sizeZ;
    this.seen = new Uint8Array((s.sizeX * s.sizeZ * WORLD_HEIGHT) >> 3);
  }

  /** Block state of a seen cell, -1 for one never seen. Outside the world is known to be bedrock. */
  at(x: number, y: number, z: number): number {
    if (x >= 0 && z >= 0 && y >= 0 && x < this.sizeX && z < this.sizeZ && y < WORLD_HEIGHT) {
      const i = (y * this.sizeZ + z) * this.sizeX + x;
      if (((this.seen[i >> 3] >> (i & 7)) & 1) === 0) return UNSEEN;
    }
    return blockAt(this.state, x, y, z);
  }

  /** An unseen cell may well be air; what it rests on must have been seen. */
  passable(x: number, y: number, z: number): boolean {
    const b = this.at(x, y, z);
    return (
      b === UNSEEN ||
      b === B.air ||
      isWater(b) ||
      (b !== B.lava &&
        b !== B.cactus &&
        STATE_CLASS[b] === CLASS.shape &&
        (FLAGS[b] & (FLAG.cross | FLAG.needsSupport)) !== 0)
    );
  }

  solid(x: number, y: number, z: number): boolean {
    const b = this.at(x, y, z);
    return b !== UNSEEN && (FLAGS[b] & FLAG.fullSolid) !== 0;
  }

  water(x: number, y: number, z: number): boolean {
    const b = this.at(x, y, z);
    return b !== UNSEEN && isWater(b);
  }

  /** Remembered cells of a kind that still hold it, the most recently seen last. */
  remembered(kind: Kind): Cell[] {
    const list = this.places.get(kind);
    if (!list) return [];
    const kept = list.filter((k) => KIND_OF[blockAt(this.state, k & 255, k >> 16, (k >> 8) & 255)] === kind);
    this.places.set(kind, kept);
    return kept.map((k) => ({ x: k & 255, y: k >> 16, z: (k >> 8) & 255 }));
  }

  /** Touch: marks the cells around a body whose feet are in the given cell. */
  feel(s: State, x: number, y: number, z: number): void {
    this.state = s;
    for (let dy = -1; dy <= 2; dy++)
      for (let dz = -1; dz <= 1; dz++) for (let dx = -1; dx <= 1; dx++) this.mark(x + dx, y + dy, z + dz, true);
  }

  /** Casts the rays of one step from an eye in blocks along a direction in radians (yaw 0 = +z, clockwise; pitch > 0 = down). */
  look(s: State, eye: readonly [number, number, number], yaw: number, pitch: number, draws: Draws): void {
    this.state = s;
    const sy = Math.sin(yaw);
    const cy = Math.cos(yaw);
    const sp = Math.sin(pitch);
    const cp = Math.cos(pitch);
    for (let r = 0; r < RAYS; r++) {
      // The first ray is the crosshair's: what one points at one sees.
      const u = r === 0 ? 0 : (2 * draws.unit() - 1) * TAN_H;
      const v = r === 0 ? 0 : (2 * draws.unit() - 1) * TAN_V;
      // forward + u * right + v * up
      this.ray(eye, -sy * cp - u * cy - v * sy * sp, -sp + v * cp, cy * cp - u * sy + v * cy * sp);
    }
  }

  private ray(eye: readonly [number, number, number], dx: number, dy: number, dz: number): void {
    const walk = new CellWalk(eye, dx, dy, dz);
    let light = 15;
    for (;;) {
      // What lies in the dark is felt, not noticed.
      const b = this.mark(walk.x, walk.y, walk.z, light >= DIM);
      if (STATE_CLASS[b] === CLASS.cube || walk.y < 0 || walk.y >= WORLD_HEIGHT) return;
      const code = lightAt(this.state, walk.x, walk.y, walk.z);
      light = Math.max(code >> 4, code & 15);
      walk.next();
      if (walk.distance > RANGE) return;
    }
  }

  private mark(x: number, y: number, z: number, noticed: boolean): number {
    if (x < 0 || z < 0 || y < 0 || x >= this.sizeX || z >= this.sizeZ || y >= WORLD_HEIGHT) return B.bedrock;
    const b = blockAt(this.state, x, y, z);
    const i = (y * this.sizeZ + z) * this.sizeX + x;
    const bit = 1 << (i & 7);
    if (this.seen[i >> 3] & bit) return b;
    this.seen[i >> 3] |= bit;
    const kind = KIND_OF[b];
    if (kind && noticed) this.remember(kind, (y << 16) | (z << 8) | x);
    return b;
  }

  /** A block put there by the player itself: its cell was seen before, as air. */
  note(c: Cell): void {
    const kind = KIND_OF[this.mark(c.x, c.y, c.z, false)];
    const key = (c.y << 16) | (c.z << 8) | c.x;
    if (kind && !this.places.get(kind)?.includes(key)) this.remember(kind, key);
  }

  private remember(kind: Kind, key: number): void {
    let list = this.places.get(kind);
    if (!list) {
      list = [];
      this.places.set(kind, list);
    }
    list.push(key);
    if (list.length > MEMORY) list.splice(0, MEMORY / 4);
  }
}

/** The cells along a ray, nearest first. `axis` is the axis of the last crossing (0 x, 1 y, 2 z), `distance` in lengths of the direction. */
export class CellWalk {
  x: number;
  y: number;
  z: number;
  axis = -1;
  distance = 0;
  readonly sx: number;
  readonly sy: number;
  readonly sz: number;
  private mx: number;
  private my: number;
  private mz: number;
  private readonly ix: number;
  private readonly iy: number;
  private readonly iz: number;

  constructor(from: readonly [number, number, number], dx: number, dy: number, dz: number) {
    this.x = Math.floor(from[0]);
    this.y = Math.floor(from[1]);
    this.z = Math.floor(from[2]);
    this.sx = dx < 0 ? -1 : 1;
    this.sy = dy < 0 ? -1 : 1;
    this.sz = dz < 0 ? -1 : 1;
    this.ix = 1 / Math.max(Math.abs(dx), 1e-9);
    this.iy = 1 / Math.max(Math.abs(dy), 1e-9);
    this.iz = 1 / Math.max(Math.abs(dz), 1e-9);
    this.mx = (dx < 0 ? from[0] - this.x : this.x + 1 - from[0]) * this.ix;
    this.my = (dy < 0 ? from[1] - this.y : this.y + 1 - from[1]) * this.iy;
    this.mz = (dz < 0 ? from[2] - this.z : this.z + 1 - from[2]) * this.iz;
  }

  next(): void {
    if (this.mx < this.my && this.mx < this.mz) {
      this.distance = this.mx;
      this.mx += this.ix;
      this.x += this.sx;
      this.axis = 0;
    } else if (this.my < this.mz) {
      this.distance = this.my;
      this.my += this.iy;
      this.y += this.sy;
      this.axis = 1;
    } else {
      this.distance = this.mz;
      this.mz += this.iz;
      this.z += this.sz;
      this.axis = 2;
    }
  }
}
