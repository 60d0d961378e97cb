/**
 * Integer hashes: mix32 (random numbers without state, see rnd), crc32 (file and table checks) and a 64-bit mix of u32 words.
 * Everything is Math.imul and shifts, so every JavaScript engine and a WGSL or WASM port give the same bits.
 */

/** Two xorshift-multiply rounds over a linear combination of the inputs; returns u32. */
export function mix32(x: number, y: number, z: number, s: number): number {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(z, 0x9e3779b1) ^ s;
  h ^= h >>> 15;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h >>> 0;
}

const CRC = new Uint32Array(256);
for (let i = 0; i < 256; i++) {
  let c = i;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  CRC[i] = c >>> 0;
}

/** Pass an earlier result as `seed` to continue it over several pieces. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  let c = ~seed;
  for (let i = 0; i < bytes.length; i++) c = (c >>> 8) ^ CRC[(c ^ bytes[i]) & 255];
  return ~c >>> 0;
}

/** Order-dependent 64-bit digest of words[from..to) as [lo, hi]. Not cryptographic. */
export function digest64(words: Uint32Array | Int32Array, from: number, to: number): [number, number] {
  let a = 0x243f6a88;
  let b = 0x85a308d3;
  for (let i = from; i < to; i++) {
    const w = words[i];
    a = Math.imul(a ^ w, 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b + w, 0x9e3779b1);
    b ^= (b >>> 13) ^ a;
  }
  return [mix32(a, b, to - from, 1), mix32(b, a, to - from, 2)];
}

export const hex64 = ([lo, hi]: readonly [number, number]) =>
  hi.toString(16).padStart(8, '0') + lo.toString(16).padStart(8, '0');
