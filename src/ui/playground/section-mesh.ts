// The faces of one section as triangles for the smooth view: hidden faces culled, light smoothed over corners as the ray
// caster does it (methods/world.md 5.2), boxes for plants, torches and doors. No DOM, no three.js.

import { FACE_DX, FACE_DY, FACE_DZ } from '../../world/blocks.ts';
import { pool } from '../../world/pool.ts';
import { connectMask } from '../../world/shapes.ts';
import { blockAt, lightAt, type State } from '../../world/state.ts';
import { FACE_SHADE, LIGHT_LUT } from '../../world/visual/brightness.ts';
import { BOX_RANGE, BOXES, FACE_TILES, INFO, LAYER, MATERIAL } from '../../world/visual/materials.ts';
import { DEEP, type SectionMesh, VERTEX } from './protocol.ts';

const SIDE = 16;
const PAD = SIDE + 2;
const blocks = new Uint8Array(PAD ** 3);
const light = new Uint8Array(PAD ** 3);
/** Cell of the padded copy; coordinates -1..16. */
const cell = (x: number, y: number, z: number) => ((y + 1) * PAD + z + 1) * PAD + x + 1;
const material = (state: number) => INFO[state] & 3;
const layer = (state: number) => (INFO[state] >> 2) & 7;

/** Two axes that span each face, chosen so that (u, v) x order is counter-clockwise seen from outside. FACE order of blocks.ts. */
const SPAN: readonly (readonly [u: readonly [number, number, number], v: readonly [number, number, number]])[] = [
  [
    [1, 0, 0],
    [0, 0, 1],
  ], // down
  [
    [1, 0, 0],
    [0, 0, -1],
  ], // up
  [
    [-1, 0, 0],
    [0, 1, 0],
  ], // north, -z
  [
    [1, 0, 0],
    [0, 1, 0],
  ], // south, +z
  [
    [0, 0, 1],
    [0, 1, 0],
  ], // west, -x
  [
    [0, 0, -1],
    [0, 1, 0],
  ], // east, +x
];

/** Section coordinates sx, sy, sz; `dark` is the sky light lost to the night. */
export function meshSection(s: State, sx: number, sy: number, sz: number, dark: number): SectionMesh | null {
  const origin: [number, number, number] = [sx * SIDE, sy * SIDE, sz * SIDE];
  if (!copyCells(s, origin)) return null;
  const vertices: number[] = [];
  const opaque: number[] = [];
  const translucent: number[] = [];
  for (let y = 0; y < SIDE; y++)
    for (let z = 0; z < SIDE; z++)
      for (let x = 0; x < SIDE; x++) {
        const state = blocks[cell(x, y, z)];
        const kind = material(state);
        if (kind === MATERIAL.cube) cube(vertices, opaque, x, y, z, state, dark);
        else if (kind !== MATERIAL.air)
          boxes(
            vertices,
            kind === MATERIAL.layer ? translucent : opaque,
            x,
            y,
            z,
            state,
            dark,
            layer(state) === LAYER.water ? waterBelow(s, origin[0] + x, origin[1] + y, origin[2] + z) : 0,
          );
      }
  return {
    key: `${sx}.${sy}.${sz}`,
    at: origin,
    vertices: Float32Array.from(vertices),
    opaque: Uint32Array.from(opaque),
    translucent: Uint32Array.from(translucent),
  };
}

/** Cells of water from this one down, at most DEEP. */
function waterBelow(s: State, x: number, y: number, z: number): number {
  let depth = 1;
  while (depth < DEEP && y - depth >= 0 && layer(blockAt(s, x, y - depth, z)) === LAYER.water) depth++;
  return depth;
}

/** Changes whenever a page of the section or of a neighbour does. */
export function sectionStamp(s: State, sx: number, sy: number, sz: number): number {
  const nx = s.sizeX >> 4;
  const nz = s.sizeZ >> 4;
  let stamp = 17;
  // All 26 neighbours: light at a corner is that of the sections around it.
  for (let i = 0; i < 27; i++) {
    const [dx, dy, dz] = [(i % 3) - 1, (Math.floor(i / 3) % 3) - 1, Math.floor(i / 9) - 1];
    const x = sx + dx;
    const y = sy + dy;
    const z = sz + dz;
    if (x < 0 || z < 0 || y < 0 || x >= nx || z >= nz || y > 3) continue;
    const handle = s.handles[s.base + ((z * nx + x) << 2) + y];
    stamp = (Math.imul(stamp, 0x01000193) ^ (handle < 0 ? handle : pool.version[handle])) >>> 0;
  }
  return stamp;
}

function copyCells(s: State, [ox, oy, oz]: readonly number[]): boolean {
  let any = false;
  for (let y = -1; y <= SIDE; y++)
    for (let z = -1; z <= SIDE; z++)
      for (let x = -1; x <= SIDE; x++) {
        const i = cell(x, y, z);
        blocks[i] = blockAt(s, ox + x, oy + y, oz + z);
        light[i] = lightAt(s, ox + x, oy + y, oz + z);
        any ||= blocks[i] !== 0 && x >= 0 && y >= 0 && z >= 0 && x < SIDE && y < SIDE && z < SIDE;
      }
  return any;
}

function cube(
  vertices: number[],
  indices: number[],
  x: number,
  y: number,
  z: number,
  state: number,
  dark: number,
): void {
  for (let face = 0; face < 6; face++) {
    if (material(blocks[cell(x + FACE_DX[face], y + FACE_DY[face], z + FACE_DZ[face])]) === MATERIAL.cube) continue;
    quad(vertices, indices, [x, y, z], [0, 0, 0, 16, 16, 16], face, state, dark, true);
  }
}

function boxes(
  vertices: number[],
  indices: number[],
  x: number,
  y: number,
  z: number,
  state: number,
  dark: number,
  depth: number,
): void {
  const at = (dx: number, dz: number) => blocks[cell(x + dx, y, z + dz)];
  const mask = connectMask(state, at(0, -1), at(0, 1), at(-1, 0), at(1, 0));
  const range = BOX_RANGE[state * 16 + mask];
  for (let i = 0; i < (range & 15); i++) {
    const word = BOXES[(range >> 4) + i];
    const box = [0, 5, 10, 15, 20, 25].map((shift) => (word >> shift) & 31);
    for (let face = 0; face < 6; face++) {
      const next = blocks[cell(x + FACE_DX[face], y + FACE_DY[face], z + FACE_DZ[face])];
      const merges = layer(state) !== 0 && layer(next) === layer(state);
      if (merges || (touches(box, face) && material(next) === MATERIAL.cube)) continue;
      // Up is face 1. The surface lies below the top of its cell.
      const water = face === 1 && depth > 0 ? depth - 1 + box[4] / 16 : 0;
      quad(vertices, indices, [x, y, z], box, face, state, dark, false, water);
    }
  }
}

/** Does the box reach the cell's side on this face? */
function touches(box: readonly number[], face: number): boolean {
  return [box[1] === 0, box[4] === 16, box[2] === 0, box[5] === 16, box[0] === 0, box[3] === 16][face];
}

function quad(
  vertices: number[],
  indices: number[],
  at: readonly [number, number, number],
  box: readonly number[],
  face: number,
  state: number,
  dark: number,
  smooth: boolean,
  depth = 0,
): void {
  const [u, v] = SPAN[face];
  const front: [number, number, number] = [at[0] + FACE_DX[face], at[1] + FACE_DY[face], at[2] + FACE_DZ[face]];
  const shade = FACE_SHADE[face] / 256;
  const flat = smooth ? 0 : LIGHT_LUT[4 * level(cell(...at), dark)] / 255;
  const tile = FACE_TILES[state * 6 + face];
  const base = vertices.length / VERTEX;
  const normal = [FACE_DX[face], FACE_DY[face], FACE_DZ[face]];
  for (const [a, b] of [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1],
  ]) {
    const texel: number[] = [];
    for (let k = 0; k < 3; k++) {
      const along = u[k] * (a * 2 - 1) + v[k] * (b * 2 - 1) + normal[k];
      vertices.push(at[k] + (along > 0 ? box[k + 3] : box[k]) / 16);
    }
    const corner = vertices.slice(-3).map((value, k) => value - at[k]);
    texel.push(dot(u, corner), dot(v, corner));
    const bright = smooth ? cornerLight(front, u, v, a * 2 - 1, b * 2 - 1, dark) : flat;
    vertices.push(texel[0], texel[1], tile, shade * bright, depth);
  }
  indices.push(base, base + 1, base + 2, base, base + 2, base + 3);
}

/** Texel coordinate along an axis: backwards axes count from the far side. */
function dot(axis: readonly number[], corner: readonly number[]): number {
  const k = axis.findIndex((value) => value !== 0);
  return axis[k] > 0 ? corner[k] : 1 - corner[k];
}

const level = (i: number, dark: number) =>
  material(blocks[i]) === MATERIAL.cube ? 0 : Math.max(light[i] & 15, (light[i] >> 4) - dark, 0);

/** Centre, two sides and the diagonal of the 3x3 cells in front of a face. */
function cornerLight(
  front: readonly [number, number, number],
  u: readonly number[],
  v: readonly number[],
  a: number,
  b: number,
  dark: number,
): number {
  const at = (da: number, db: number) => {
    const x = front[0] + u[0] * da + v[0] * db;
    const y = front[1] + u[1] * da + v[1] * db;
    const z = front[2] + u[2] * da + v[2] * db;
    // The ring around the padded copy is not known: take the nearest known cell.
    return cell(clamp(x), clamp(y), clamp(z));
  };
  const one = at(a, 0);
  const other = at(0, b);
  const closed = material(blocks[one]) === MATERIAL.cube && material(blocks[other]) === MATERIAL.cube;
  const sum = level(at(0, 0), dark) + level(one, dark) + level(other, dark) + (closed ? 0 : level(at(a, b), dark));
  return LIGHT_LUT[Math.min(60, sum)] / 255;
}

const clamp = (i: number) => Math.max(-1, Math.min(SIDE, i));
