/**
 * Keeps sky and block light at the fixpoint defined in light-fill.ts after one block change: first take away everything that may
 * have depended on the old cell, then let light flow back in. Never deferred, so light is a function of the blocks alone.
 */
import { EMISSION, OPACITY } from './blocks.ts';
import { blockAt, inWorld, lightAt, type State, WORLD_HEIGHT, writeLight } from './state.ts';
import { packPos, posX, posY, posZ } from './state-layout.ts';

const DX = [1, -1, 0, 0, 0, 0];
const DY = [0, 0, 0, 0, 1, -1];
const DZ = [0, 0, 1, -1, 0, 0];
const DOWN = 5;

// Queues of packed position | level << 24. They grow with the disturbance, at most a few thousand entries.
const removeQueue: number[] = [];
const addQueue: number[] = [];

/** Call after the block at (x, y, z) changed from `old` to its present state. */
export function relight(s: State, x: number, y: number, z: number, old: number): void {
  const now = blockAt(s, x, y, z);
  if (OPACITY[old] !== OPACITY[now]) channel(s, x, y, z, 4);
  if (OPACITY[old] !== OPACITY[now] || EMISSION[old] !== EMISSION[now]) channel(s, x, y, z, 0);
}

function put(s: State, x: number, y: number, z: number, shift: number, level: number): void {
  const l = lightAt(s, x, y, z);
  writeLight(s, x, y, z, (l & ~(15 << shift)) | (level << shift));
}

function channel(s: State, x: number, y: number, z: number, shift: number): void {
  removeQueue.length = 0;
  addQueue.length = 0;
  const start = (lightAt(s, x, y, z) >> shift) & 15;
  const own = shift === 0 ? EMISSION[blockAt(s, x, y, z)] : 0;
  if (start !== own) put(s, x, y, z, shift, own);
  if (start > 0) removeQueue.push(packPos(x, y, z) | (start << 24));
  if (own > 0) addQueue.push(packPos(x, y, z));
  for (let i = 0; i < removeQueue.length; i++) {
    const entry = removeQueue[i];
    const level = entry >>> 24;
    const p = entry & 0xffffff;
    for (let d = 0; d < 6; d++) {
      const nx = posX(p) + DX[d];
      const ny = posY(p) + DY[d];
      const nz = posZ(p) + DZ[d];
      if (!inWorld(s, nx, ny, nz)) continue;
      const l = (lightAt(s, nx, ny, nz) >> shift) & 15;
      if (l === 0) continue;
      const fell = shift === 4 && d === DOWN && level === 15 && l === 15;
      if (l < level || fell) {
        const emission = shift === 0 ? EMISSION[blockAt(s, nx, ny, nz)] : 0;
        if (l === emission) {
          addQueue.push(packPos(nx, ny, nz));
          continue;
        }
        put(s, nx, ny, nz, shift, emission);
        removeQueue.push(packPos(nx, ny, nz) | (l << 24));
        if (emission > 0) addQueue.push(packPos(nx, ny, nz));
      } else addQueue.push(packPos(nx, ny, nz));
    }
  }
  // The changed cell may let light in from any side.
  for (let d = 0; d < 6; d++)
    if (inWorld(s, x + DX[d], y + DY[d], z + DZ[d])) addQueue.push(packPos(x + DX[d], y + DY[d], z + DZ[d]));
  if (shift === 4 && y === WORLD_HEIGHT - 1) {
    const o = OPACITY[blockAt(s, x, y, z)];
    const l = o === 0 ? 15 : 15 - o;
    if (l > 0) {
      put(s, x, y, z, 4, l);
      addQueue.push(packPos(x, y, z));
    }
  }
  for (let i = 0; i < addQueue.length; i++) {
    const p = addQueue[i];
    const px = posX(p);
    const py = posY(p);
    const pz = posZ(p);
    const level = (lightAt(s, px, py, pz) >> shift) & 15;
    if (level <= 1) continue;
    for (let d = 0; d < 6; d++) {
      const nx = px + DX[d];
      const ny = py + DY[d];
      const nz = pz + DZ[d];
      if (!inWorld(s, nx, ny, nz)) continue;
      const o = OPACITY[blockAt(s, nx, ny, nz)];
      if (o === 15) continue;
      const m = shift === 4 && d === DOWN && level === 15 && o === 0 ? 15 : level - Math.max(1, o);
      if (m <= ((lightAt(s, nx, ny, nz) >> shift) & 15)) continue;
      put(s, nx, ny, nz, shift, m);
      addQueue.push(packPos(nx, ny, nz));
    }
  }
}
