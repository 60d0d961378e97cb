// Counter-based random numbers: hash of (x, y, z, stream) with no state, so any lane may ask for any number in any order.
// Not a cryptographic generator. Bit-equal to src/gpu/rng.ts. Rounds: the 32-bit xorshift-multiply finaliser.

fn mix32(x: u32, y: u32, z: u32, s: u32) -> u32 {
  var h = (x * 0x27d4eb2du) ^ (y * 0x165667b1u) ^ (z * 0x9e3779b1u) ^ s;
  h = (h ^ (h >> 15u)) * 0x85ebca6bu;
  h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
  return h ^ (h >> 16u);
}

// [0, 1) in steps of 2^-24: every value is exact in f32.
fn uniform01(h: u32) -> f32 {
  return f32(h >> 8u) * 0x1p-24f;
}
