/**
 * The voxel ray caster, TypeScript twin of shaders/world/frame.wgsl: the same integers line by line, so both give the
 * same bytes. Amanatides-Woo traversal in fixed point: origin Q12, direction Q14, ray parameter s Q18 where s is depth
 * along the camera axis. No floats; every product fits 32 bits.
 */
import { ATLAS, MIP_OFFSET, TILE_TEXELS } from '../visual/atlas.ts';
import { FACE_SHADE, LIGHT_LUT } from '../visual/brightness.ts';
import { CRACKS } from '../visual/cracks.ts';
import { BOX_RANGE, BOXES, FACE_TILES, INFO, JOINS, LAYER, MATERIAL } from '../visual/materials.ts';
import { NONE, OPEN_AIR, R, REC_ENTITIES, REC_ENTITY_WORDS, REC_FLAG, REC_SECTIONS } from './frame-rec.ts';
import type { FrameSpec } from './frame-spec.ts';

const FAR = 1 << 30;
/** How a ray ends. */
const END_SKY = 1;
const END_SOLID = 2;
const END_FAR = 3;
const SHADE = Int32Array.from(FACE_SHADE);
const SUN_COLOUR = [255, 244, 214] as const;
const EYE_LAYER_ALPHA = 90;

/** floor(f * inv / 4096) for f <= 4096, without 64-bit products. */
const fmul = (f: number, inv: number) => Math.imul(f, inv >> 12) + (Math.imul(f, inv & 4095) >> 12);
/** floor(ad * s / 2^20): how far the ray has moved along an axis, Q12. */
const travel = (ad: number, s: number) => (Math.imul(ad, s >> 10) + (Math.imul(ad, s & 1023) >> 10)) >> 10;
/** Ray parameter after a distance of f (Q12, any length); FAR when the ray is nearly parallel to the axis. */
function reach(f: number, inv: number): number {
  if (f <= 4096) return fmul(f, inv);
  if (inv >= 1 << 24) return FAR;
  return Math.imul(f >> 12, inv) + fmul(f & 4095, inv);
}

export interface Caster {
  /** Draws the world view of the record at rec[at..] into `out` (RGB bytes) from byte `outAt`, viewHeight rows of width pixels. */
  view(rec: Uint32Array, at: number, out: Uint8Array, outAt: number): void;
}

export function createCaster(spec: FrameSpec, cells: Uint16Array): Caster {
  const table = new Int32Array(256);
  const entity = new Int32Array(24 * REC_ENTITY_WORDS);
  const { width, viewHeight, ssaa, viewDistance, fogStart16, mipDepth, depth1 } = spec;
  const fogSpan16 = viewDistance * 16 - fogStart16;
  // Frame
  let ox = 0;
  let oy = 0;
  let oz = 0;
  let dark = 0;
  let crackCell = 0;
  let crackStage = 0;
  let zenith = 0;
  let horizon = 0;
  let topY = 0;
  let entities = 0;
  let flags = 0;
  let sunX = 0;
  let sunY = 0;
  let eyeSky = 0;
  let eyeLayer = 0;
  let eyeState = 0;
  let eyePass = 0;
  // Ray
  let rx = 0;
  let ry = 0;
  let rz = 0;
  let ax = 0;
  let ay = 0;
  let az = 0;
  let ix = 0;
  let iy = 0;
  let iz = 0;
  let d1 = 0;
  // Results of box(), sky() and shade()
  let boxS = 0;
  let boxAxis = 0;
  let red = 0;
  let green = 0;
  let blue = 0;
  let alpha = 0;
  // Light corners of the last face, reused by neighbouring rays
  let faceKey = -1;
  let c00 = 0;
  let c10 = 0;
  let c01 = 0;
  let c11 = 0;
  let faceSky = 0;

  /** Cell value inside the window; open air above it, an opaque floor (bedrock, dark) below it. */
  function cell(x: number, y: number, z: number): number {
    if (y > 63) return OPEN_AIR;
    if (y < 0) return 1;
    const t = table[((y >> 4) << 6) | ((z >> 4) << 3) | (x >> 4)];
    if (t < 0) return t & 0xffff;
    return cells[(t << 12) | ((y & 15) << 8) | ((z & 15) << 4) | (x & 15)];
  }

  /** Light level 0..15 of a cell after the night's loss, -1 if opaque. */
  function light(v: number): number {
    if ((INFO[v & 255] & 3) === MATERIAL.cube) return -1;
    const sky = (v >> 12) - dark;
    const block = (v >> 8) & 15;
    return block > sky ? block : sky;
  }

  /** Sum of the four cells that meet in a face corner; behind two opaque sides the diagonal is hidden. */
  function corner(centre: number, a: number, b: number, diagonal: number): number {
    const sides = (a > 0 ? a : 0) + (b > 0 ? b : 0);
    const d = (a < 0 && b < 0) || diagonal < 0 ? 0 : diagonal;
    return centre + sides + d;
  }

  /** Light in the plane in front of a cube face; (ux, uy, uz) and (wx, wy, wz) span it. */
  function faceLight(x: number, y: number, z: number, ux: number, uz: number, wy: number, wz: number): void {
    const m = cell(x, y, z);
    faceSky = m >> 12;
    const l = light(m);
    const centre = l > 0 ? l : 0;
    const l0 = light(cell(x - ux, y, z - uz));
    const l1 = light(cell(x + ux, y, z + uz));
    const b0 = light(cell(x, y - wy, z - wz));
    const b1 = light(cell(x, y + wy, z + wz));
    c00 = corner(centre, l0, b0, light(cell(x - ux, y - wy, z - uz - wz)));
    c10 = corner(centre, l1, b0, light(cell(x + ux, y - wy, z + uz - wz)));
    c01 = corner(centre, l0, b1, light(cell(x - ux, y + wy, z - uz + wz)));
    c11 = corner(centre, l1, b1, light(cell(x + ux, y + wy, z + uz + wz)));
  }

  /** Sky colour along the ray: gradient by elevation, square sun. */
  function sky(): void {
    const up = Math.imul(ry, d1 >> 4) >> 14;
    let t = up >> 5;
    t = t < 0 ? 0 : t > 256 ? 256 : t;
    red = (horizon & 255) + ((((zenith & 255) - (horizon & 255)) * t) >> 8);
    green = ((horizon >> 8) & 255) + (((((zenith >> 8) & 255) - ((horizon >> 8) & 255)) * t) >> 8);
    blue = ((horizon >> 16) & 255) + (((((zenith >> 16) & 255) - ((horizon >> 16) & 255)) * t) >> 8);
    if ((flags & REC_FLAG.sun) !== 0) {
      const along = (Math.imul(rx, sunX) + Math.imul(ry, sunY)) >> 14;
      const across = (Math.imul(ry, sunX) - Math.imul(rx, sunY)) >> 14;
      if (along > 0 && Math.abs(across) * 10 < along && az * 10 < along) {
        red = SUN_COLOUR[0];
        green = SUN_COLOUR[1];
        blue = SUN_COLOUR[2];
      }
    }
  }

  /** Fades the current colour into the sky of this ray; in places without sky light the fog is dark. */
  function fog(s: number, skyLight: number): void {
    let t = Math.floor(((Math.floor((s * 16) / d1) - fogStart16) * 256) / fogSpan16);
    if (t <= 0) return;
    t = t > 256 ? 256 : t;
    const r = red;
    const g = green;
    const b = blue;
    sky();
    dim(skyLight);
    red = r + (((red - r) * t) >> 8);
    green = g + (((green - g) * t) >> 8);
    blue = b + (((blue - b) * t) >> 8);
  }

  function dim(skyLight: number): void {
    const k = LIGHT_LUT[4 * (skyLight > eyeSky ? skyLight : eyeSky)] + 1;
    red = (red * k) >> 8;
    green = (green * k) >> 8;
    blue = (blue * k) >> 8;
  }

  /** Does the ray enter the box lo..hi (Q12, window)? Sets boxS and boxAxis; a ray that starts inside misses. */
  function box(x0: number, y0: number, z0: number, x1: number, y1: number, z1: number): boolean {
    let enter = -1;
    let exit = FAR;
    let near = rx >= 0 ? x0 - ox : ox - x1;
    let far = rx >= 0 ? x1 - ox : ox - x0;
    if (far < 0) return false;
    if (near >= 0) {
      enter = reach(near, ix);
      boxAxis = 0;
    }
    exit = reach(far, ix);
    near = ry >= 0 ? y0 - oy : oy - y1;
    far = ry >= 0 ? y1 - oy : oy - y0;
    if (far < 0) return false;
    if (near >= 0) {
      const t = reach(near, iy);
      if (t > enter) {
        enter = t;
        boxAxis = 1;
      }
    }
    let t = reach(far, iy);
    if (t < exit) exit = t;
    near = rz >= 0 ? z0 - oz : oz - z1;
    far = rz >= 0 ? z1 - oz : oz - z0;
    if (far < 0) return false;
    if (near >= 0) {
      t = reach(near, iz);
      if (t > enter) {
        enter = t;
        boxAxis = 2;
      }
    }
    t = reach(far, iz);
    if (t < exit) exit = t;
    boxS = enter;
    return enter >= 0 && enter < exit;
  }

  function boxWord(b: number, x: number, y: number, z: number, top: number): boolean {
    const bx = x << 12;
    const by = y << 12;
    const bz = z << 12;
    const y1 = top > 0 ? top : (b >> 20) & 31;
    return box(
      bx + ((b & 31) << 8),
      by + (((b >> 5) & 31) << 8),
      bz + (((b >> 10) & 31) << 8),
      bx + (((b >> 15) & 31) << 8),
      by + (y1 << 8),
      bz + (((b >> 25) & 31) << 8),
    );
  }

  /** Nearest box of a cell; sets boxS and boxAxis. Water under water is a full cube. */
  function hitBoxes(state: number, info: number, x: number, y: number, z: number): boolean {
    let mask = 0;
    if ((info & 1024) !== 0) {
      const kind = (info & 3) === MATERIAL.layer ? 2 : 1;
      mask =
        ((JOINS[cell(x, y, z - 1) & 255] & kind) !== 0 ? 1 : 0) |
        ((JOINS[cell(x, y, z + 1) & 255] & kind) !== 0 ? 2 : 0) |
        ((JOINS[cell(x - 1, y, z) & 255] & kind) !== 0 ? 4 : 0) |
        ((JOINS[cell(x + 1, y, z) & 255] & kind) !== 0 ? 8 : 0);
    }
    const top =
      ((info >> 2) & 7) === LAYER.water && ((INFO[cell(x, y + 1, z) & 255] >> 2) & 7) === LAYER.water ? 16 : 0;
    const range = BOX_RANGE[(state << 4) | mask];
    let best = FAR;
    let axis = 0;
    for (let k = 0; k < (range & 15); k++) {
      if (boxWord(BOXES[(range >> 4) + k], x, y, z, top) && boxS < best) {
        best = boxS;
        axis = boxAxis;
      }
    }
    boxS = best;
    boxAxis = axis;
    return best < FAR;
  }

  /** Colour (red, green, blue) and tile alpha of the face entered along `axis` at parameter s; `whole` = the face of a unit cube. */
  function shade(state: number, x: number, y: number, z: number, axis: number, s: number, whole: boolean): void {
    // Position in the cell, 0..15 per axis.
    let fx = (rx >= 0 ? ox + travel(ax, s) : ox - travel(ax, s)) - (x << 12);
    let fy = (ry >= 0 ? oy + travel(ay, s) : oy - travel(ay, s)) - (y << 12);
    let fz = (rz >= 0 ? oz + travel(az, s) : oz - travel(az, s)) - (z << 12);
    fx = (fx < 0 ? 0 : fx > 4095 ? 4095 : fx) >> 8;
    fy = (fy < 0 ? 0 : fy > 4095 ? 4095 : fy) >> 8;
    fz = (fz < 0 ? 0 : fz > 4095 ? 4095 : fz) >> 8;
    let face = 0;
    let u = 0;
    let v = 0;
    let a = 0;
    let b = 0;
    if (axis === 1) {
      face = ry < 0 ? 1 : 0;
      u = fx;
      v = fz;
      a = fx;
      b = fz;
    } else if (axis === 2) {
      face = rz < 0 ? 3 : 2;
      u = rz < 0 ? fx : 15 - fx;
      v = 15 - fy;
      a = fx;
      b = fy;
    } else {
      face = rx < 0 ? 5 : 4;
      u = rx < 0 ? 15 - fz : fz;
      v = 15 - fy;
      a = fz;
      b = fy;
    }
    let level: number;
    if (whole) {
      const key = (((((y << 7) | z) << 7) | x) << 3) | face;
      if (key !== faceKey) {
        faceKey = key;
        if (axis === 1) faceLight(x, ry < 0 ? y + 1 : y - 1, z, 1, 0, 0, 1);
        else if (axis === 2) faceLight(x, y, rz < 0 ? z + 1 : z - 1, 1, 0, 1, 0);
        else faceLight(rx < 0 ? x + 1 : x - 1, y, z, 0, 1, 1, 0);
      }
      const low = c00 * (15 - a) + c10 * a;
      const high = c01 * (15 - a) + c11 * a;
      level = ((low * (15 - b) + high * b) / 225) | 0;
    } else {
      const here = cell(x, y, z);
      faceSky = here >> 12;
      faceKey = -1;
      const l = light(here);
      level = l > 0 ? 4 * l : 0;
    }
    const glow = ((INFO[state] >> 5) & 15) * 4;
    if (glow > level) level = glow;
    let mip = 0;
    if (s > mipDepth) mip = s <= mipDepth * 2 ? 1 : s <= mipDepth * 4 ? 2 : s <= mipDepth * 8 ? 3 : 4;
    if (!whole && mip > 2) mip = 2;
    const texel =
      ATLAS[FACE_TILES[state * 6 + face] * TILE_TEXELS + MIP_OFFSET[mip] + ((v >> mip) << (4 - mip)) + (u >> mip)];
    alpha = texel >>> 24;
    let k = Math.imul(LIGHT_LUT[level] + 1, SHADE[face]);
    if (crackStage > 0 && ((z << 16) | (y << 8) | x) === crackCell) {
      const crack = CRACKS[(v << 4) | u];
      k = crack > 0 && crack <= crackStage ? (k * 96) >> 8 : (k * (256 - 20 * crackStage)) >> 8;
    }
    red = ((texel & 255) * k) >> 16;
    green = (((texel >> 8) & 255) * k) >> 16;
    blue = (((texel >> 16) & 255) * k) >> 16;
    fog(s, faceSky);
  }

  /** Nearest entity box before `limit` whose screen bounds hold pixel (px, py): its index, or -1; sets boxS and boxAxis. */
  function hitEntity(px: number, py: number): number {
    let best = FAR;
    let axis = 0;
    let index = -1;
    for (let e = 0; e < entities; e++) {
      const o = e * REC_ENTITY_WORDS;
      const bounds = entity[o + 7];
      const x = px >> 2;
      const y = py >> 2;
      if (x < (bounds & 255) || x > ((bounds >> 8) & 255) || y < ((bounds >> 16) & 255) || y > bounds >>> 24) continue;
      if (box(entity[o], entity[o + 1], entity[o + 2], entity[o + 3], entity[o + 4], entity[o + 5]) && boxS < best) {
        best = boxS;
        axis = boxAxis;
        index = e;
      }
    }
    boxS = best;
    boxAxis = axis;
    return index;
  }

  /** One sample: leaves its colour in red, green, blue. */
  function cast(px: number, py: number): void {
    ax = rx < 0 ? -rx : rx;
    ay = ry < 0 ? -ry : ry;
    az = rz < 0 ? -rz : rz;
    if (ax < 4) ax = 4;
    if (ay < 4) ay = 4;
    if (az < 4) az = 4;
    ix = (0xffffffff / ax) | 0;
    iy = (0xffffffff / ay) | 0;
    iz = (0xffffffff / az) | 0;
    let x = ox >> 12;
    let y = oy >> 12;
    let z = oz >> 12;
    const stepX = rx >= 0 ? 1 : -1;
    const stepY = ry >= 0 ? 1 : -1;
    const stepZ = rz >= 0 ? 1 : -1;
    let sx = fmul(rx >= 0 ? ((x + 1) << 12) - ox : ox - (x << 12), ix);
    let sy = fmul(ry >= 0 ? ((y + 1) << 12) - oy : oy - (y << 12), iy);
    let sz = fmul(rz >= 0 ? ((z + 1) << 12) - oz : oz - (z << 12), iz);
    const stop = viewDistance * d1;
    let entityS = FAR;
    let entityAxis = 0;
    let entityHit = -1;
    if (entities > 0) {
      entityHit = hitEntity(px, py);
      entityS = boxS;
      entityAxis = boxAxis;
    }
    // Layers seen so far, front to back: weight left for what lies behind, weighted colour sums.
    let left = 256;
    let sumR = 0;
    let sumG = 0;
    let sumB = 0;
    let layers = 0;
    let passFrom = eyePass & 255;
    let passSpan = eyePass >> 8;
    let pending = eyeLayer;
    let pendR = 0;
    let pendG = 0;
    let pendB = 0;
    let pendA = 0;
    let pendS = 0;
    if (pending > 0) {
      const texel = ATLAS[FACE_TILES[eyeState * 6] * TILE_TEXELS + MIP_OFFSET[4]];
      const k = LIGHT_LUT[4 * eyeSky] + 1;
      pendR = ((texel & 255) * k) >> 8;
      pendG = (((texel >> 8) & 255) * k) >> 8;
      pendB = (((texel >> 16) & 255) * k) >> 8;
      pendA = EYE_LAYER_ALPHA;
    }
    const limit = entityS < stop ? entityS : stop;
    let s = 0;
    let axis = 0;
    let value = OPEN_AIR;
    let end = END_FAR;
    let state = 0;
    let whole = true;
    for (;;) {
      if (sx < sy && sx < sz) {
        s = sx;
        sx += ix;
        x += stepX;
        axis = 0;
      } else if (sy < sz) {
        s = sy;
        sy += iy;
        y += stepY;
        axis = 1;
      } else {
        s = sz;
        sz += iz;
        z += stepZ;
        axis = 2;
      }
      if (((x | z) & ~127) !== 0 || y < 0 || (ry >= 0 && y > topY)) {
        end = END_SKY;
        break;
      }
      if (s >= limit) break;
      if (y > 63) value = OPEN_AIR;
      else {
        const t = table[((y >> 4) << 6) | ((z >> 4) << 3) | (x >> 4)];
        value = t < 0 ? t & 0xffff : cells[(t << 12) | ((y & 15) << 8) | ((z & 15) << 4) | (x & 15)];
      }
      state = value & 255;
      const beyond = state - passFrom;
      if (beyond >= 0 && beyond <= passSpan) continue;
      const info = INFO[state];
      const kind = (info >> 2) & 7;
      if (pending > 0) {
        let d = pending === LAYER.water ? Math.floor(((s - pendS) * 16) / d1) : 0;
        d = d > 80 ? 80 : d;
        let w = pendA + d;
        w = w > 255 ? 256 : w + (w >> 7);
        w = (left * w) >> 8;
        sumR += pendR * w;
        sumG += pendG * w;
        sumB += pendB * w;
        left -= w;
        pending = 0;
      }
      passFrom = 0;
      passSpan = 0;
      const material = info & 3;
      if (material === MATERIAL.air) continue;
      let entry = s;
      let entryAxis = axis;
      whole = material === MATERIAL.cube || (info & 512) !== 0;
      if (!whole) {
        if (!hitBoxes(state, info, x, y, z)) continue;
        entry = boxS;
        entryAxis = boxAxis;
        whole = kind === LAYER.water;
      }
      if (material === MATERIAL.layer) {
        passFrom = (info >> 16) & 255;
        passSpan = info >>> 24;
        // Two layers at most.
        if (layers === 2) continue;
      }
      // What stands behind an entity is not seen.
      if (entry >= entityS) continue;
      shade(state, x, y, z, entryAxis, entry, whole);
      if (material !== MATERIAL.layer) {
        s = entry;
        end = END_SOLID;
        break;
      }
      layers++;
      pending = kind;
      pendR = red;
      pendG = green;
      pendB = blue;
      pendA = alpha;
      pendS = entry;
    }
    if (end !== END_SOLID) {
      if (entityHit >= 0 && entityS < stop) {
        s = entityS;
        end = END_SOLID;
        const colour = entity[entityHit * REC_ENTITY_WORDS + 6];
        const face = entityAxis === 1 ? (ry < 0 ? 1 : 0) : entityAxis === 2 ? (rz < 0 ? 3 : 2) : rx < 0 ? 5 : 4;
        const k = Math.imul(LIGHT_LUT[(colour >> 24) & 63] + 1, SHADE[face]);
        red = ((colour & 255) * k) >> 16;
        green = (((colour >> 8) & 255) * k) >> 16;
        blue = (((colour >> 16) & 255) * k) >> 16;
        fog(s, eyeSky);
      } else {
        sky();
        if (end === END_FAR) {
          s = stop;
          dim(value >> 12);
        }
      }
    }
    if (pending > 0) {
      let d = pending === LAYER.water ? (end === END_SKY ? 80 : Math.floor(((s - pendS) * 16) / d1)) : 0;
      d = d > 80 ? 80 : d;
      let w = pendA + d;
      w = w > 255 ? 256 : w + (w >> 7);
      w = (left * w) >> 8;
      sumR += pendR * w;
      sumG += pendG * w;
      sumB += pendB * w;
      left -= w;
    }
    red = (sumR + red * left) >> 8;
    green = (sumG + green * left) >> 8;
    blue = (sumB + blue * left) >> 8;
  }

  function load(rec: Uint32Array, at: number): void {
    ox = rec[at + R.eye] | 0;
    oy = rec[at + R.eye + 1] | 0;
    oz = rec[at + R.eye + 2] | 0;
    dark = rec[at + R.dark];
    crackCell = rec[at + R.crackCell] | 0;
    crackStage = rec[at + R.crackCell] === NONE ? 0 : rec[at + R.crackStage];
    zenith = rec[at + R.zenith];
    horizon = rec[at + R.horizon];
    topY = rec[at + R.topY] | 0;
    entities = rec[at + R.entityCount];
    flags = rec[at + R.flags];
    sunX = rec[at + R.sunX] | 0;
    sunY = rec[at + R.sunY] | 0;
    eyeSky = rec[at + R.eyeSky];
    eyeLayer = rec[at + R.eyeLayer];
    eyeState = rec[at + R.eyeState];
    eyePass = rec[at + R.eyePass];
    for (let i = 0; i < 256; i++) table[i] = rec[at + REC_SECTIONS + i];
    for (let i = 0; i < entities * REC_ENTITY_WORDS; i++) entity[i] = rec[at + REC_ENTITIES + i];
    faceKey = -1;
  }

  function view(rec: Uint32Array, at: number, out: Uint8Array, outAt: number): void {
    load(rec, at);
    const bx = rec[at + R.base] | 0;
    const by = rec[at + R.base + 1] | 0;
    const bz = rec[at + R.base + 2] | 0;
    const dxx = rec[at + R.dx] | 0;
    const dxy = rec[at + R.dx + 1] | 0;
    const dxz = rec[at + R.dx + 2] | 0;
    const dyx = rec[at + R.dy] | 0;
    const dyy = rec[at + R.dy + 1] | 0;
    const dyz = rec[at + R.dy + 2] | 0;
    const columns = width * ssaa;
    let o = outAt;
    for (let py = 0; py < viewHeight; py++)
      for (let px = 0; px < width; px++) {
        let r = 0;
        let g = 0;
        let b = 0;
        for (let j = 0; j < ssaa; j++)
          for (let i = 0; i < ssaa; i++) {
            const x = px * ssaa + i;
            const y = py * ssaa + j;
            rx = (bx + Math.imul(x, dxx) + Math.imul(y, dyx)) >> 6;
            ry = (by + Math.imul(x, dxy) + Math.imul(y, dyy)) >> 6;
            rz = (bz + Math.imul(x, dxz) + Math.imul(y, dyz)) >> 6;
            d1 = depth1[y * columns + x];
            cast(px, py);
            r += red;
            g += green;
            b += blue;
          }
        if (ssaa === 2) {
          r = (r + 2) >> 2;
          g = (g + 2) >> 2;
          b = (b + 2) >> 2;
        }
        out[o++] = r;
        out[o++] = g;
        out[o++] = b;
      }
  }

  return { view };
}
