/**
 * Fixed-point value noise on a hashed lattice: Q12 in, Q12 out (0..4095), smoothstep weights, integer operations only, so that
 * terrain has the same bits everywhere. Frequency is a shift: one lattice cell is 2^shift blocks.
 */
import { mix32 } from './hash.ts';

/** t*t*(3-2t) in Q12. */
const SMOOTH = new Int32Array(4096);
for (let t = 0; t < 4096; t++) SMOOTH[t] = Math.floor((t * t * (12288 - 2 * t)) / 16777216);

const lerp = (a: number, b: number, w: number) => a + (((b - a) * w) >> 12);

/** A whole field of sizeX x sizeZ values, index z * sizeX + x; every lattice point is hashed once. */
export function noise2(seed: number, sizeX: number, sizeZ: number, shift: number): Int16Array {
  const nx = (sizeX >> shift) + 2;
  const nz = (sizeZ >> shift) + 2;
  const lattice = new Int16Array(nx * nz);
  for (let z = 0; z < nz; z++) for (let x = 0; x < nx; x++) lattice[z * nx + x] = mix32(x, 0, z, seed) & 4095;
  const mask = (1 << shift) - 1;
  const out = new Int16Array(sizeX * sizeZ);
  for (let z = 0; z < sizeZ; z++) {
    const wz = SMOOTH[(z & mask) << (12 - shift)];
    for (let x = 0; x < sizeX; x++) {
      const wx = SMOOTH[(x & mask) << (12 - shift)];
      const i = (z >> shift) * nx + (x >> shift);
      const near = lerp(lattice[i], lattice[i + 1], wx);
      out[z * sizeX + x] = lerp(near, lerp(lattice[i + nx], lattice[i + nx + 1], wx), wz);
    }
  }
  return out;
}

export function noise3(seed: number, x: number, y: number, z: number, shift: number): number {
  const ix = x >> shift;
  const iy = y >> shift;
  const iz = z >> shift;
  const mask = (1 << shift) - 1;
  const wx = SMOOTH[(x & mask) << (12 - shift)];
  const wy = SMOOTH[(y & mask) << (12 - shift)];
  const wz = SMOOTH[(z & mask) << (12 - shift)];
  const at = (dx: number, dy: number, dz: number) => mix32(ix + dx, iy + dy, iz + dz, seed) & 4095;
  const low = lerp(lerp(at(0, 0, 0), at(1, 0, 0), wx), lerp(at(0, 0, 1), at(1, 0, 1), wx), wz);
  const high = lerp(lerp(at(0, 1, 0), at(1, 1, 0), wx), lerp(at(0, 1, 1), at(1, 1, 1), wx), wz);
  return lerp(low, high, wy);
}

/** Noise sampled on a lattice of 4 blocks, for caves: the whole volume is interpolated from it. */
export function lattice3(seed: number, nx: number, ny: number, nz: number, shift: number): Int16Array {
  const out = new Int16Array(nx * ny * nz);
  for (let y = 0; y < ny; y++)
    for (let z = 0; z < nz; z++)
      for (let x = 0; x < nx; x++) out[(y * nz + z) * nx + x] = noise3(seed, x * 4, y * 4, z * 4, shift);
  return out;
}
