// Vectors in 8 bits a channel with one scale each, four codes in a u32, lowest byte first. mode 1: e4m3 with a power-of-two
// scale 2^ceil(log2(amax / 448)) (ue8m0, as the release); mode 2: int8 with scale amax / 127. With power-of-two scales,
// code * scale is exact.
import package::lib::e4m3::{e4m3_decode4, e4m3_encode};

// The scale of a vector whose largest magnitude is `largest`.
fn block_scale(largest: f32, mode: u32) -> f32 {
  let amax = max(largest, 1e-4);
  if (mode != 1u) { return amax / 127.0; }
  // The exponent of amax / 448, one more unless the mantissa is zero. amax = m * 2^e with 448 = 1.75 * 2^8:
  // ceil(log2(amax / 448)) = e - 8 + (m > 1.75), free of any rounding of a quotient.
  let bits = bitcast<u32>(amax);
  let exponent = (bits >> 23u) - 8u + select(0u, 1u, (bits & 0x7fffffu) > 0x600000u);
  return bitcast<f32>(exponent << 23u);
}

// Codes of four channels that are divided by their scale.
fn encode4(x: vec4f, mode: u32) -> u32 {
  var codes = vec4u(e4m3_encode(x.x), e4m3_encode(x.y), e4m3_encode(x.z), e4m3_encode(x.w));
  if (mode != 1u) { codes = vec4u(vec4i(clamp(round(x), vec4f(-127.0), vec4f(127.0)))) & vec4u(0xffu); }
  return codes.x | (codes.y << 8u) | (codes.z << 16u) | (codes.w << 24u);
}

// What four codes stand for, before their scale.
fn decode4(word: u32, mode: u32) -> vec4f {
  if (mode == 1u) { return e4m3_decode4(word); }
  return vec4f(vec4i(vec4u(word << 24u, word << 16u, word << 8u, word)) >> vec4u(24u));
}
