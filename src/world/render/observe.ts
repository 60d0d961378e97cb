/**
 * observeRec: what the player of a State sees, as a FrameRec. Reads the state, never changes it; pages go to the page
 * store at their present version, so the record stays true when the world moves on.
 */
import { FLAG, FLAGS, isWater } from '../blocks.ts';
import { DAY_TICKS } from '../daylight.ts';
import { slotId } from '../items.ts';
import { blockAt, eyeY, lightAt, type State } from '../state.ts';
import { E, ENT, ENT_MAX, ENT_WORDS, ENTITY, GUI, H, P, PLAYER, posX, posY, posZ } from '../state-layout.ts';
import { cosQ14, sinQ14 } from '../trig.ts';
import { NOON, nightDarkness, skyColours } from '../visual/brightness.ts';
import { CRACK_STAGES } from '../visual/cracks.ts';
import { iconMean } from '../visual/icons.ts';
import { INFO } from '../visual/materials.ts';
import { packRgba, type Rgb } from '../visual/tile-canvas.ts';
import {
  NONE,
  OPEN_AIR,
  R,
  REC_ENTITIES,
  REC_ENTITY_MAX,
  REC_ENTITY_WORDS,
  REC_FLAG,
  REC_SECTIONS,
  REC_WORDS,
  UNIFORM,
  WINDOW_SECTIONS,
} from './frame-rec.ts';
import type { FrameSpec } from './frame-spec.ts';
import { overlayRec } from './overlay-rec.ts';
import type { PageStore } from './page-store.ts';

const HALF_DROP_Q12 = 512;
const HURT: Rgb = 0xd02020;
/** Ticks after a hit during which the view is red. */
const HURT_TICKS = 10;
const HURT_ALPHA = 110;

/** Writes the record of `s` into out[at .. at + REC_WORDS). */
export function observeRec(s: State, out: Uint32Array, at: number, spec: FrameSpec, pages: PageStore): void {
  out.fill(0, at, at + REC_WORDS);
  const p = (field: number) => s.i32[PLAYER + field];
  const eye = [p(P.x), eyeY(s), p(P.z)];
  const block = eye.map((v) => v >> 16);
  // The eye lies in the middle 16 blocks of the 128-block window.
  const wx = ((block[0] + 8) >> 4) - WINDOW_SECTIONS / 2;
  const wz = ((block[2] + 8) >> 4) - WINDOW_SECTIONS / 2;
  out[at + R.eye] = (eye[0] >> 4) - (wx << 16);
  out[at + R.eye + 1] = eye[1] >> 4;
  out[at + R.eye + 2] = (eye[2] >> 4) - (wz << 16);
  camera(out, at, spec, p(P.yaw), p(P.pitch));
  out[at + R.topY] = sections(s, out, at, wx, wz, block[0], block[2], spec.viewDistance, pages);

  const time = s.cfg.dayCycle ? s.i32[H.time] : NOON;
  const { zenith, horizon } = skyColours(time);
  out[at + R.dark] = nightDarkness(time);
  out[at + R.zenith] = packRgba(zenith);
  out[at + R.horizon] = packRgba(horizon);
  const gui = p(P.guiKind) !== GUI.none;
  let flags = gui ? REC_FLAG.gui : REC_FLAG.crosshair;
  if (s.cfg.dayCycle) {
    const angle = Math.floor((time * 65536) / DAY_TICKS);
    out[at + R.sunX] = cosQ14(angle);
    out[at + R.sunY] = sinQ14(angle);
    flags |= REC_FLAG.sun;
  }
  out[at + R.flags] = flags;

  out[at + R.crackCell] = NONE;
  const breaking = p(P.breakPos);
  if (breaking > 0 && p(P.breakTicks) > 0) {
    const pos = breaking - 1;
    const x = posX(pos) - wx * 16;
    const z = posZ(pos) - wz * 16;
    out[at + R.crackCell] = x | (posY(pos) << 8) | (z << 16);
    const stage = 1 + Math.floor((CRACK_STAGES * p(P.breakTicks)) / Math.max(1, p(P.breakNeed)));
    out[at + R.crackStage] = Math.min(CRACK_STAGES, stage);
  }

  const here = blockAt(s, block[0], block[1], block[2]);
  out[at + R.eyeSky] = lightAt(s, block[0], block[1], block[2]) >> 4;
  if ((FLAGS[here] & FLAG.fluid) !== 0 && isWater(here)) {
    out[at + R.eyeLayer] = (INFO[here] >> 2) & 7;
    out[at + R.eyeState] = here;
    out[at + R.eyePass] = INFO[here] >>> 16;
  }
  const hurt = p(P.hurtTimer);
  if (hurt > 0 && s.cfg.survival)
    out[at + R.tint] = packRgba(HURT, Math.floor((HURT_ALPHA * Math.min(hurt, HURT_TICKS)) / HURT_TICKS));
  out[at + R.entityCount] = drops(s, out, at, wx, wz, block, spec);
  overlayRec(s, out, at, spec);
}

/** Ray basis from yaw (0 = +z, clockwise) and pitch (> 0 = down): forward, right, up in Q14, then the image plane in Q20. */
function camera(out: Uint32Array, at: number, spec: FrameSpec, yaw: number, pitch: number): void {
  const sy = sinQ14(yaw);
  const cy = cosQ14(yaw);
  const sp = sinQ14(pitch);
  const cp = cosQ14(pitch);
  const q14 = (v: number) => Math.floor((v + 8192) / 16384);
  const forward = [q14(-sy * cp), -sp, q14(cy * cp)];
  const right = [-cy, 0, -sy];
  const up = [q14(-sy * sp), cp, q14(cy * sp)];
  const columns = spec.width * spec.ssaa;
  const rows = spec.viewHeight * spec.ssaa;
  for (let k = 0; k < 3; k++) {
    const across = right[k] * spec.tanH;
    const along = up[k] * spec.tanV;
    out[at + R.base + k] =
      forward[k] * 64 +
      Math.floor((across * (1 - columns)) / (columns * 256)) -
      Math.floor((along * (1 - rows)) / (rows * 256));
    out[at + R.dx + k] = Math.floor((2 * across) / (columns * 256));
    out[at + R.dy + k] = -Math.floor((2 * along) / (rows * 256));
  }
}

/** Fills the section table; returns the highest y with a block. Sections out of sight stay open air. */
function sections(
  s: State,
  out: Uint32Array,
  at: number,
  wx: number,
  wz: number,
  eyeX: number,
  eyeZ: number,
  distance: number,
  pages: PageStore,
): number {
  const nx = s.sizeX >> 4;
  const nz = s.sizeZ >> 4;
  // Light is sampled one cell beyond a hit.
  const limit = (distance + 2) * (distance + 2);
  let top = -1;
  for (let sz = 0; sz < WINDOW_SECTIONS; sz++)
    for (let sx = 0; sx < WINDOW_SECTIONS; sx++) {
      const gx = wx + sx;
      const gz = wz + sz;
      const dx = Math.max(gx * 16 - eyeX - 1, 0, eyeX - gx * 16 - 15);
      const dz = Math.max(gz * 16 - eyeZ - 1, 0, eyeZ - gz * 16 - 15);
      const seen = gx >= 0 && gz >= 0 && gx < nx && gz < nz && dx * dx + dz * dz <= limit;
      for (let sy = 0; sy < 4; sy++) {
        const o = at + REC_SECTIONS + ((sy << 6) | (sz << 3) | sx);
        if (!seen) {
          out[o] = UNIFORM | OPEN_AIR;
          continue;
        }
        const handle = s.handles[s.base + ((gz * nx + gx) << 2) + sy];
        if (handle < 0) {
          out[o] = UNIFORM | (handle & 0xffff);
          if ((handle & 255) !== 0) top = Math.max(top, sy * 16 + 15);
          continue;
        }
        const slot = pages.slot(handle);
        out[o] = slot;
        if (pages.top[slot] >= 0) top = Math.max(top, sy * 16 + pages.top[slot]);
      }
    }
  return top;
}

interface SeenDrop {
  entity: number;
  lo: number[];
  hi: number[];
  bounds: number;
}

/** Dropped items as quarter-block cubes, the nearest if there are too many; returns how many. */
function drops(s: State, out: Uint32Array, at: number, wx: number, wz: number, eye: number[], spec: FrameSpec): number {
  let seen: SeenDrop[] = [];
  for (let i = 0; i < ENT_MAX; i++) {
    const e = ENT + i * ENT_WORDS;
    if (s.i32[e + E.type] !== ENTITY.item) continue;
    const cell = cellOf(s, e);
    if (cell.some((v, k) => Math.abs(v - eye[k]) > spec.viewDistance)) continue;
    const x = (s.i32[e + E.x] >> 4) - (wx << 16);
    const y = s.i32[e + E.y] >> 4;
    const z = (s.i32[e + E.z] >> 4) - (wz << 16);
    const lo = [x - HALF_DROP_Q12, y, z - HALF_DROP_Q12];
    const hi = [x + HALF_DROP_Q12, y + 2 * HALF_DROP_Q12, z + HALF_DROP_Q12];
    const bounds = screenBounds(out, at, spec, lo, hi);
    if (bounds !== NONE) seen.push({ entity: e, lo, hi, bounds });
  }
  if (seen.length > REC_ENTITY_MAX) {
    const far = (d: SeenDrop) => d.lo.reduce((sum, v, k) => sum + (v - (out[at + R.eye + k] | 0)) ** 2, 0);
    seen = seen.sort((a, b) => far(a) - far(b)).slice(0, REC_ENTITY_MAX);
  }
  seen.forEach(({ entity, lo, hi, bounds }, n) => {
    const o = at + REC_ENTITIES + n * REC_ENTITY_WORDS;
    for (let k = 0; k < 3; k++) {
      out[o + k] = lo[k];
      out[o + 3 + k] = hi[k];
    }
    const light = lightAt(s, ...cellOf(s, entity));
    const level = 4 * Math.max(light & 15, (light >> 4) - out[at + R.dark], 0);
    const rgb = iconMean(slotId(s.u32[entity + E.item]));
    out[o + 6] = (packRgba(rgb, 0) | (level << 24)) >>> 0;
    out[o + 7] = bounds;
  });
  return seen.length;
}

function cellOf(s: State, entity: number): [number, number, number] {
  return [s.i32[entity + E.x] >> 16, s.i32[entity + E.y] >> 16, s.i32[entity + E.z] >> 16];
}

/** Pixels that may show the box, in units of 4 pixels with a margin; NONE when it is behind the camera. Only saves work. */
function screenBounds(out: Uint32Array, at: number, spec: FrameSpec, lo: number[], hi: number[]): number {
  const word = (i: number) => out[at + i] | 0;
  const columns = spec.width * spec.ssaa;
  const rows = spec.viewHeight * spec.ssaa;
  // The centre ray is forward (Q20); dx and dy span the image plane, so projecting means dividing by their squares.
  const dot = (a: number[], b: number[]) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const dx = [word(R.dx), word(R.dx + 1), word(R.dx + 2)];
  const dy = [word(R.dy), word(R.dy + 1), word(R.dy + 2)];
  const forward = [0, 1, 2].map((k) => word(R.base + k) + (dx[k] * (columns - 1)) / 2 + (dy[k] * (rows - 1)) / 2);
  let x0 = 255;
  let x1 = -1;
  let y0 = 255;
  let y1 = -1;
  let near = 0;
  let ahead = 0;
  for (let c = 0; c < 8; c++) {
    const v = [0, 1, 2].map((k) => ((c >> k) & 1 ? hi[k] : lo[k]) - word(R.eye + k));
    const depth = dot(v, forward) / dot(forward, forward);
    if (depth > 0) ahead++;
    if (depth * 3 * 1048576 < 4096) {
      near++;
      continue;
    }
    const px = Math.floor((dot(v, dx) / dot(dx, dx) / depth + (columns - 1) / 2) / (4 * spec.ssaa));
    const py = Math.floor((dot(v, dy) / dot(dy, dy) / depth + (rows - 1) / 2) / (4 * spec.ssaa));
    x0 = Math.min(x0, px - 1);
    x1 = Math.max(x1, px + 1);
    y0 = Math.min(y0, py - 1);
    y1 = Math.max(y1, py + 1);
  }
  if (ahead === 0) return NONE;
  // Within a third of a block of the camera plane the projection explodes: look everywhere.
  if (near > 0) return 0xff00ff00;
  if (x1 < 0 || y1 < 0 || x0 > 254 || y0 > 254) return NONE;
  const u8 = (v: number) => Math.max(0, Math.min(255, v));
  return (u8(x0) | (u8(x1) << 8) | (u8(y0) << 16) | (u8(y1) << 24)) >>> 0;
}
