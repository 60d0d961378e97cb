/**
 * Collision in Q16 integers: an axis-aligned body swept against the boxes of the cells around it. No forces here (physics.ts).
 * Order y, x, z, then an attempt to step up; a body already inside a box is never held by it.
 */
import { FLAG, FLAGS } from './blocks.ts';
import { COLLISION, connectMask } from './shapes.ts';
import { blockAt, player, type State } from './state.ts';
import { P } from './state-layout.ts';

/** The player's body: half width, and height standing or sneaking. */
export const HALF_WIDTH = 19661;
export const HEIGHT_STAND = 117965;
export const HEIGHT_SNEAK = 98304;

// Boxes near the body, Q16, 6 numbers each. A move gathers at most a few dozen.
const boxes = new Int32Array(6 * 512);
let boxCount = 0;

/** Gathers the collision boxes of all cells touched by an AABB. */
function gather(s: State, x0: number, y0: number, z0: number, x1: number, y1: number, z1: number): void {
  boxCount = 0;
  const cx0 = x0 >> 16;
  const cx1 = x1 >> 16;
  const cz0 = z0 >> 16;
  const cz1 = z1 >> 16;
  // A fence reaches half a block above its cell.
  const cy0 = (y0 >> 16) - 1;
  const cy1 = y1 >> 16;
  for (let y = cy0; y <= cy1; y++)
    for (let z = cz0; z <= cz1; z++)
      for (let x = cx0; x <= cx1; x++) {
        const state = blockAt(s, x, y, z);
        let k = state * 16;
        if (COLLISION.count[k] === 0 || boxCount >= 500) continue;
        if ((FLAGS[state] & FLAG.connects) !== 0)
          k += connectMask(
            state,
            blockAt(s, x, y, z - 1),
            blockAt(s, x, y, z + 1),
            blockAt(s, x - 1, y, z),
            blockAt(s, x + 1, y, z),
          );
        for (let b = 0; b < COLLISION.count[k]; b++) {
          const from = (COLLISION.first[k] + b) * 6;
          const to = boxCount * 6;
          const d = COLLISION.data;
          boxes[to] = (x << 16) + (d[from] << 12);
          boxes[to + 1] = (y << 16) + (d[from + 1] << 12);
          boxes[to + 2] = (z << 16) + (d[from + 2] << 12);
          boxes[to + 3] = (x << 16) + (d[from + 3] << 12);
          boxes[to + 4] = (y << 16) + (d[from + 4] << 12);
          boxes[to + 5] = (z << 16) + (d[from + 5] << 12);
          boxCount++;
        }
      }
}

/** The AABB being moved: min x,y,z, max x,y,z. */
const body = new Int32Array(6);

/** Farthest move along an axis (0 x, 1 y, 2 z) that keeps `body` out of the gathered boxes. */
function clip(axis: number, delta: number): number {
  const u = (axis + 1) % 3;
  const v = (axis + 2) % 3;
  let d = delta;
  for (let i = 0; i < boxCount && d !== 0; i++) {
    const o = i * 6;
    if (body[3 + u] <= boxes[o + u] || body[u] >= boxes[o + 3 + u]) continue;
    if (body[3 + v] <= boxes[o + v] || body[v] >= boxes[o + 3 + v]) continue;
    if (d > 0) {
      const room = boxes[o + axis] - body[3 + axis];
      if (room >= 0 && room < d) d = room;
    } else {
      const room = boxes[o + 3 + axis] - body[axis];
      if (room <= 0 && room > d) d = room;
    }
  }
  body[axis] += d;
  body[3 + axis] += d;
  return d;
}

export interface Moved {
  dx: number;
  dy: number;
  dz: number;
}
const moved: Moved = { dx: 0, dy: 0, dz: 0 };

/** Moves an AABB by (dx, dy, dz) in axis order y, x, z; `stepUp` lets it climb low edges. Result reused by the next call. */
export function sweep(
  s: State,
  x: number,
  y: number,
  z: number,
  half: number,
  height: number,
  dx: number,
  dy: number,
  dz: number,
  stepUp = 0,
): Moved {
  const reachUp = Math.max(dy, stepUp);
  gather(
    s,
    x - half + Math.min(dx, 0) - 1,
    y + Math.min(dy, 0) - 1,
    z - half + Math.min(dz, 0) - 1,
    x + half + Math.max(dx, 0) + 1,
    y + height + Math.max(reachUp, 0) + 1,
    z + half + Math.max(dz, 0) + 1,
  );
  const set = () => {
    body[0] = x - half;
    body[1] = y;
    body[2] = z - half;
    body[3] = x + half;
    body[4] = y + height;
    body[5] = z + half;
  };
  set();
  let my = clip(1, dy);
  let mx = clip(0, dx);
  let mz = clip(2, dz);
  if (stepUp > 0 && (mx !== dx || mz !== dz)) {
    set();
    const up = clip(1, stepUp);
    const sx = clip(0, dx);
    const sz = clip(2, dz);
    const down = clip(1, Math.min(dy, 0) - up);
    if (sx * sx + sz * sz > mx * mx + mz * mz) {
      mx = sx;
      mz = sz;
      my = up + down;
    }
  }
  moved.dx = mx;
  moved.dy = my;
  moved.dz = mz;
  return moved;
}

/** Is an AABB free of collision boxes? */
export function isFree(s: State, x: number, y: number, z: number, half: number, height: number): boolean {
  gather(s, x - half, y, z - half, x + half, y + height, z + half);
  for (let i = 0; i < boxCount; i++) {
    const o = i * 6;
    if (
      x + half > boxes[o] &&
      x - half < boxes[o + 3] &&
      y + height > boxes[o + 1] &&
      y < boxes[o + 4] &&
      z + half > boxes[o + 2] &&
      z - half < boxes[o + 5]
    )
      return false;
  }
  return true;
}

/** Would a state's collision boxes in a cell cut into the player? Panes and fences count as their bare post. */
export function meetsPlayer(s: State, state: number, x: number, y: number, z: number): boolean {
  const px = player(s, P.x);
  const py = player(s, P.y);
  const pz = player(s, P.z);
  const h = player(s, P.sneaking) ? HEIGHT_SNEAK : HEIGHT_STAND;
  const d = COLLISION.data;
  for (let b = 0; b < COLLISION.count[state * 16]; b++) {
    const o = (COLLISION.first[state * 16] + b) * 6;
    const lo = (a: number, c: number) => (c << 16) + (d[o + a] << 12);
    const hi = (a: number, c: number) => (c << 16) + (d[o + 3 + a] << 12);
    if (
      px + HALF_WIDTH > lo(0, x) &&
      px - HALF_WIDTH < hi(0, x) &&
      py + h > lo(1, y) &&
      py < hi(1, y) &&
      pz + HALF_WIDTH > lo(2, z) &&
      pz - HALF_WIDTH < hi(2, z)
    )
      return true;
  }
  return false;
}
