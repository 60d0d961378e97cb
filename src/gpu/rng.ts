// Counter-based random numbers: hash of (x, y, z, stream) with no state, so any caller may ask for any number in any order.
// Not a cryptographic generator. Bit-equal to shaders/lib/rng.wgsl. Rounds: the 32-bit xorshift-multiply finaliser.

/** u32 hash of four u32 counters (other integers are taken modulo 2^32). */
export function mix32(x: number, y: number, z: number, s: number): number {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(z, 0x9e3779b1) ^ s;
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** [0, 1) in steps of 2^-24 from a u32 hash: every value is exact in f32. */
export function uniform01(h: number): number {
  return (h >>> 8) * 2 ** -24;
}
