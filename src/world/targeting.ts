/**
 * What the crosshair points at: the first outline box on the eye ray within reach, and the face it enters by.
 * Amanatides-Woo grid walk in doubles with + - * / only, which IEEE arithmetic defines bit for bit on every engine.
 */
import { CLASS, FACE, FLAG, FLAGS, STATE_CLASS, STATES } from './blocks.ts';
import { connectMask, OUTLINE } from './shapes.ts';
import { blockAt, eyeY, player, type State } from './state.ts';
import { P } from './state-layout.ts';
import { cosQ14, sinQ14 } from './trig.ts';

export const BLOCK_REACH = 4.5;

export interface Target {
  hit: boolean;
  x: number;
  y: number;
  z: number;
  /** FACE index of the surface looked at. */
  face: number;
  /** Blocks from the eye. */
  distance: number;
}

/** Unit direction of a view angle, as multiples of 2^-28. */
export function direction(yaw: number, pitch: number): [number, number, number] {
  const c = cosQ14(pitch);
  const k = 1 / 268435456;
  return [-sinQ14(yaw) * c * k, -sinQ14(pitch) * 16384 * k, cosQ14(yaw) * c * k];
}

const scratch: Target = { hit: false, x: 0, y: 0, z: 0, face: 0, distance: 0 };

/** Block in the crosshair. Fluids are passed through unless `fluids`. The result object is reused by the next call. */
export function target(s: State, fluids = false, reach = BLOCK_REACH): Target {
  const [dx, dy, dz] = direction(player(s, P.yaw), player(s, P.pitch));
  return cast(s, player(s, P.x) / 65536, eyeY(s) / 65536, player(s, P.z) / 65536, dx, dy, dz, reach, fluids);
}

/** Ray from (ox, oy, oz) in blocks along a unit direction. */
export function cast(
  s: State,
  ox: number,
  oy: number,
  oz: number,
  dx: number,
  dy: number,
  dz: number,
  reach: number,
  fluids = false,
): Target {
  let x = Math.floor(ox);
  let y = Math.floor(oy);
  let z = Math.floor(oz);
  const ix = dx === 0 ? 1e9 : Math.abs(1 / dx);
  const iy = dy === 0 ? 1e9 : Math.abs(1 / dy);
  const iz = dz === 0 ? 1e9 : Math.abs(1 / dz);
  const sx = dx < 0 ? -1 : 1;
  const sy = dy < 0 ? -1 : 1;
  const sz = dz < 0 ? -1 : 1;
  let tx = (dx < 0 ? ox - x : x + 1 - ox) * ix;
  let ty = (dy < 0 ? oy - y : y + 1 - oy) * iy;
  let tz = (dz < 0 ? oz - z : z + 1 - oz) * iz;
  let t = 0;
  let face: number = dy < 0 ? FACE.up : FACE.down;
  const out = scratch;
  out.hit = false;
  while (t <= reach) {
    const state = blockAt(s, x, y, z);
    const cls = STATE_CLASS[state];
    if (cls !== CLASS.air) {
      const fluid = (FLAGS[state] & FLAG.fluid) !== 0;
      if (fluid ? fluids && STATES[state].boxes[0][4] >= 14 : true) {
        if (cls === CLASS.cube || fluid) {
          out.hit = true;
          out.face = face;
          out.distance = t;
        } else shapeHit(s, state, x, y, z, ox, oy, oz, dx, dy, dz, reach, out);
        if (out.hit) {
          out.x = x;
          out.y = y;
          out.z = z;
          return out;
        }
      }
    }
    if (tx < ty && tx < tz) {
      t = tx;
      tx += ix;
      x += sx;
      face = dx < 0 ? FACE.east : FACE.west;
    } else if (ty < tz) {
      t = ty;
      ty += iy;
      y += sy;
      face = dy < 0 ? FACE.up : FACE.down;
    } else {
      t = tz;
      tz += iz;
      z += sz;
      face = dz < 0 ? FACE.south : FACE.north;
    }
  }
  return out;
}

/** Nearest of the state's boxes on the ray (slab test). */
function shapeHit(
  s: State,
  state: number,
  x: number,
  y: number,
  z: number,
  ox: number,
  oy: number,
  oz: number,
  dx: number,
  dy: number,
  dz: number,
  reach: number,
  out: Target,
): void {
  const mask =
    (FLAGS[state] & FLAG.connects) === 0
      ? 0
      : connectMask(
          state,
          blockAt(s, x, y, z - 1),
          blockAt(s, x, y, z + 1),
          blockAt(s, x - 1, y, z),
          blockAt(s, x + 1, y, z),
        );
  const k = state * 16 + mask;
  const d = OUTLINE.data;
  let best = reach;
  for (let b = 0; b < OUTLINE.count[k]; b++) {
    const at = (OUTLINE.first[k] + b) * 6;
    let near = 0;
    let far = reach;
    let face: number = dy < 0 ? FACE.up : FACE.down;
    for (let axis = 0; axis < 3 && near <= far; axis++) {
      const o = axis === 0 ? ox - x : axis === 1 ? oy - y : oz - z;
      const v = axis === 0 ? dx : axis === 1 ? dy : dz;
      const lo = d[at + axis] / 16;
      const hi = d[at + 3 + axis] / 16;
      if (v === 0) {
        if (o < lo || o > hi) near = far + 1;
        continue;
      }
      const a = (v > 0 ? lo - o : hi - o) / v;
      const c = (v > 0 ? hi - o : lo - o) / v;
      if (a > near) {
        near = a;
        face =
          axis === 0
            ? v > 0
              ? FACE.west
              : FACE.east
            : axis === 1
              ? v > 0
                ? FACE.down
                : FACE.up
              : v > 0
                ? FACE.north
                : FACE.south;
      }
      if (c < far) far = c;
    }
    if (near <= far && near < best) {
      best = near;
      out.hit = true;
      out.face = face;
      out.distance = near;
    }
  }
}
