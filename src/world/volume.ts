/**
 * A whole dimension as flat arrays while it is generated; afterwards it becomes pages (world.ts).
 * Index = (y * sizeZ + z) * sizeX + x.
 */
import { B } from './blocks.ts';
import { mix32 } from './hash.ts';

export interface Volume {
  sizeX: number;
  sizeZ: number;
  seed: number;
  blocks: Uint8Array;
  light: Uint8Array;
  /** y of the highest natural ground block per column z * sizeX + x (before trees and caves). */
  ground: Uint8Array;
  /** Biome per column: 0 plains, 1 forest, 2 desert, 3 snowy. */
  biome: Uint8Array;
}

export const BIOME = { plains: 0, forest: 1, desert: 2, snowy: 3 } as const;

export const HEIGHT = 64;

export function newVolume(sizeX: number, sizeZ: number, seed: number): Volume {
  return {
    sizeX,
    sizeZ,
    seed,
    blocks: new Uint8Array(sizeX * sizeZ * HEIGHT),
    light: new Uint8Array(sizeX * sizeZ * HEIGHT),
    ground: new Uint8Array(sizeX * sizeZ),
    biome: new Uint8Array(sizeX * sizeZ),
  };
}

export const vIndex = (v: Volume, x: number, y: number, z: number) => (y * v.sizeZ + z) * v.sizeX + x;

export const vInside = (v: Volume, x: number, y: number, z: number) =>
  x >= 0 && z >= 0 && y >= 0 && x < v.sizeX && z < v.sizeZ && y < HEIGHT;

export const vGet = (v: Volume, x: number, y: number, z: number) =>
  vInside(v, x, y, z) ? v.blocks[vIndex(v, x, y, z)] : y >= HEIGHT ? B.air : B.bedrock;

export function vSet(v: Volume, x: number, y: number, z: number, state: number): void {
  if (vInside(v, x, y, z)) v.blocks[vIndex(v, x, y, z)] = state;
}

/** Random u32 of the terrain: stream names the purpose, i and j number the draws. */
export const draw = (v: Volume, stream: number, i: number, j: number) => mix32(i, j, stream, v.seed);
/** Uniform integer in 0..n-1. */
export const drawBelow = (v: Volume, stream: number, i: number, j: number, n: number) =>
  Math.floor((draw(v, stream, i, j) * n) / 4294967296);
