/**
 * Ground of the overworld: heights, biomes, layers, water, caves, ore veins. A pure function of configuration and seed.
 * Formulas: methods/world.md 4. The whole dimension is generated at once (it is at most 256 x 64 x 256), so features may look at
 * their neighbourhood freely; the result is cached per seed by world.ts. Trees, outcrops and plants: features.ts.
 */
import { B } from './blocks.ts';
import type { Biome, WorldConfig } from './config.ts';
import { lattice3, noise2 } from './noise.ts';
import { BIOME, drawBelow, HEIGHT, newVolume, type Volume, vIndex } from './volume.ts';

export const SEA_LEVEL = 31;
/** The world rises towards its walls, so that the edge is a hill and not a cliff into nothing. */
const RIM = 10;

const STREAM = {
  height: 1,
  mid: 2,
  fine: 3,
  temperature: 4,
  humidity: 5,
  pond: 6,
  bedrock: 7,
  caveA: 8,
  caveB: 9,
  room: 10,
  vein: 20,
};

/** y of the top ground block per column z * sizeX + x. */
export function groundHeights(cfg: WorldConfig, seed: number): Uint8Array {
  const [sx, , sz] = cfg.dims[0];
  const octave = (stream: number, shift: number) => noise2(seed ^ stream, sx, sz, shift);
  const wide = octave(STREAM.height, 6);
  const middle = octave(STREAM.mid, 4);
  const fine = octave(STREAM.fine, 3);
  const pond = octave(STREAM.pond, 4);
  const pondLevel = 4096 - Math.floor((1900 * cfg.ponds) / 100);
  const out = new Uint8Array(sx * sz);
  for (let z = 0; z < sz; z++)
    for (let x = 0; x < sx; x++) {
      const i = z * sx + x;
      // Q12 sum of octaves: 22 + 16 n(64) + 6 n(16) + 3 n(8); the mean of n is 12.5 blocks. Scaled relief keeps the mean ground
      // 2.5 (flat) to 3.5 (documented) blocks above the sea.
      const n = 16 * wide[i] + 6 * middle[i] + 3 * fine[i];
      let h = SEA_LEVEL * 4096 + 10240 + Math.floor(((n - 51200 + 4096) * cfg.relief) / 100);
      const edge = Math.min(x, z, sx - 1 - x, sz - 1 - z);
      // Ponds: where the pond noise peaks the land sinks, at most 3 in 4 so that a swimmer finds a bank to leave by, deeper in the middle.
      const p = pond[i] - pondLevel;
      if (p > 0 && edge >= RIM + 4) h -= p * 8 + Math.max(0, p - 1300) * 12;
      let y = h >> 12;
      if (y < SEA_LEVEL - 6 && cfg.relief < 100) y = SEA_LEVEL - 6;
      if (edge < RIM) y = Math.max(y, SEA_LEVEL - 1 + ((RIM - edge) >> 1)) + Math.floor(((RIM - edge) * 3) / 4);
      out[i] = Math.max(8, Math.min(52, y));
    }
  return out;
}

function biomes(cfg: WorldConfig, seed: number): Uint8Array {
  const [sx, , sz] = cfg.dims[0];
  const shift = sx <= 128 ? 5 : 6;
  const temperature = noise2(seed ^ STREAM.temperature, sx, sz, shift);
  const humidity = noise2(seed ^ STREAM.humidity, sx, sz, shift);
  const has = (b: Biome) => cfg.biomes.includes(b);
  const [snowy, desert, forest, plains] = [has('snowy'), has('desert'), has('forest'), has('plains')];
  const fallback = plains ? BIOME.plains : BIOME[cfg.biomes[0]];
  return temperature.reduce(
    (out, t, i) => {
      const h = humidity[i];
      if (t < 1400 && snowy) out[i] = BIOME.snowy;
      else if (t > 2600 && h < 2300 && desert) out[i] = BIOME.desert;
      else out[i] = h > 2048 && forest ? BIOME.forest : fallback;
      return out;
    },
    new Uint8Array(sx * sz),
  );
}

export function buildGround(cfg: WorldConfig, seed: number): Volume {
  const [sx, , sz] = cfg.dims[0];
  const v = newVolume(sx, sz, seed);
  v.ground.set(groundHeights(cfg, seed));
  v.biome.set(biomes(cfg, seed));
  for (let z = 0; z < sz; z++) for (let x = 0; x < sx; x++) fillColumn(v, x, z);
  if (cfg.caves) carveCaves(v);
  for (let cz = 0; cz < sz >> 4; cz++) for (let cx = 0; cx < sx >> 4; cx++) columnVeins(v, cx, cz);
  return v;
}

/** Is there open water within r columns (square neighbourhood)? */
export function nearWater(v: Volume, x: number, z: number, r: number): boolean {
  for (let dz = -r; dz <= r; dz++)
    for (let dx = -r; dx <= r; dx++) {
      const a = x + dx;
      const b = z + dz;
      if (a >= 0 && b >= 0 && a < v.sizeX && b < v.sizeZ && v.ground[b * v.sizeX + a] < SEA_LEVEL) return true;
    }
  return false;
}

function fillColumn(v: Volume, x: number, z: number): void {
  const h = v.ground[z * v.sizeX + x];
  const biome = v.biome[z * v.sizeX + x];
  const wet = h < SEA_LEVEL;
  const beach = wet || (h <= SEA_LEVEL + 1 && nearWater(v, x, z, 2));
  const sandy = beach || biome === BIOME.desert;
  const bedrockTop = drawBelow(v, STREAM.bedrock, x, z, 2);
  for (let y = 0; y <= h; y++) {
    let state: number = B.stone;
    if (y <= bedrockTop) state = B.bedrock;
    else if (y === h) state = sandy ? B.sand : biome === BIOME.snowy ? B.snow : B.grass;
    else if (y >= h - 3) state = !sandy ? B.dirt : biome === BIOME.desert && y < h - 1 ? B.sandstone : B.sand;
    v.blocks[vIndex(v, x, y, z)] = state;
  }
  for (let y = h + 1; y <= SEA_LEVEL; y++)
    v.blocks[vIndex(v, x, y, z)] = y === SEA_LEVEL && biome === BIOME.snowy ? B.ice : B.water;
}

/**
 * Worm caves |a - 1/2| < 0.054 and |b - 1/2| < 0.098, rooms c > 0.8 below y 24; lava below y 5. The fields live on a lattice of
 * 4 blocks; a lattice cell whose corner range excludes caves is skipped whole.
 */
function carveCaves(v: Volume): void {
  const nx = (v.sizeX >> 2) + 1;
  const nz = (v.sizeZ >> 2) + 1;
  const ny = (HEIGHT >> 2) + 1;
  const a = lattice3(v.seed ^ STREAM.caveA, nx, ny, nz, 4);
  const b = lattice3(v.seed ^ STREAM.caveB, nx, ny, nz, 4);
  const c = lattice3(v.seed ^ STREAM.room, nx, ny, nz, 4);
  const lowest = lowestCarve(v);
  const corners = [0, 1, nx, nx + 1, nz * nx, nz * nx + 1, nz * nx + nx, nz * nx + nx + 1];
  const range = (f: Int16Array, i: number, lo: number, hi: number) => {
    let min = 4096;
    let max = -1;
    for (const d of corners) {
      const q = f[i + d];
      if (q < min) min = q;
      if (q > max) max = q;
    }
    return max > lo && min < hi;
  };
  const A = [2048 - 221, 2048 + 221];
  const BB = [2048 - 401, 2048 + 401];
  const ROOM = 3276;
  for (let ly = 0; ly < ny - 1; ly++)
    for (let lz = 0; lz < nz - 1; lz++)
      for (let lx = 0; lx < nx - 1; lx++) {
        const i = (ly * nz + lz) * nx + lx;
        const worm = range(a, i, A[0], A[1]) && range(b, i, BB[0], BB[1]);
        const room = ly < 6 && range(c, i, ROOM, 4096);
        if (!worm && !room) continue;
        for (let k = 0; k < 64; k++) {
          const x = k & 3;
          const z = (k >> 2) & 3;
          const y = k >> 4;
          const wx = lx * 4 + x;
          const wy = ly * 4 + y;
          const wz = lz * 4 + z;
          if (wy < 2 || wy > lowest[wz * v.sizeX + wx]) continue;
          let open = false;
          if (worm) {
            const p = trilinear(a, i, nx, nz * nx, x, y, z);
            if (p > A[0] && p < A[1]) {
              const q = trilinear(b, i, nx, nz * nx, x, y, z);
              open = q > BB[0] && q < BB[1];
            }
          }
          if (!open && room && wy < 24) open = trilinear(c, i, nx, nz * nx, x, y, z) > ROOM;
          if (open) v.blocks[vIndex(v, wx, wy, wz)] = wy < 5 ? B.lava : B.air;
        }
      }
}

/** Value inside the lattice cell whose lowest corner is i, at quarters x, y, z (0..3). */
function trilinear(f: Int16Array, i: number, row: number, layer: number, x: number, y: number, z: number): number {
  const j = i + layer;
  const a = (f[i] * (4 - x) + f[i + 1] * x) * (4 - z) + (f[i + row] * (4 - x) + f[i + row + 1] * x) * z;
  const b = (f[j] * (4 - x) + f[j + 1] * x) * (4 - z) + (f[j + row] * (4 - x) + f[j + row + 1] * x) * z;
  return (a * (4 - y) + b * y) >> 6;
}

/** Highest y that may be carved per column: the ground, but 4 below the bottom of any water within 2 columns. */
function lowestCarve(v: Volume): Uint8Array {
  const out = new Uint8Array(v.sizeX * v.sizeZ);
  for (let z = 0; z < v.sizeZ; z++)
    for (let x = 0; x < v.sizeX; x++) {
      let top = v.ground[z * v.sizeX + x];
      for (let dz = -2; dz <= 2; dz++)
        for (let dx = -2; dx <= 2; dx++) {
          const a = x + dx;
          const b = z + dz;
          if (a < 0 || b < 0 || a >= v.sizeX || b >= v.sizeZ) continue;
          const g = v.ground[b * v.sizeX + a];
          if (g < SEA_LEVEL && g - 4 < top) top = Math.max(0, g - 4);
        }
      out[z * v.sizeX + x] = top;
    }
  return out;
}

/** Veins per 16x16 column: [state, lowest y, highest y, veins, cells per vein]. */
const VEINS: readonly (readonly [number, number, number, number, number])[] = [
  [B.dirt, 5, 40, 2, 12],
  [B.gravel, 5, 40, 2, 12],
  [B.coal_ore, 5, 48, 8, 6],
  [B.iron_ore, 4, 30, 7, 5],
  [B.diamond_ore, 3, 12, 2, 4],
];

function columnVeins(v: Volume, cx: number, cz: number): void {
  const id = cz * 64 + cx;
  for (let k = 0; k < VEINS.length; k++) {
    const [state, low, high, veins, size] = VEINS[k];
    for (let n = 0; n < veins; n++) {
      const r = (j: number, below: number) => drawBelow(v, STREAM.vein + k, id, n * 64 + j, below);
      placeVein(v, state, cx * 16 + r(0, 16), low + r(1, high - low + 1), cz * 16 + r(2, 16), size, (j) => r(3 + j, 6));
    }
  }
}

/** Random walk that turns stone into ore; `turn(j)` gives a direction 0..5. Returns the number of cells changed. */
export function placeVein(
  v: Volume,
  state: number,
  x: number,
  y: number,
  z: number,
  size: number,
  turn: (j: number) => number,
): number {
  let placed = 0;
  for (let j = 0; j < size * 2 && placed < size; j++) {
    if (x >= 0 && z >= 0 && x < v.sizeX && z < v.sizeZ && y > 1 && y < HEIGHT) {
      const i = vIndex(v, x, y, z);
      if (v.blocks[i] === B.stone) {
        v.blocks[i] = state;
        placed++;
      }
    }
    const d = turn(j);
    if (d === 0) x++;
    else if (d === 1) x--;
    else if (d === 2) z++;
    else if (d === 3) z--;
    else if (d === 4) y++;
    else y--;
  }
  return placed;
}
