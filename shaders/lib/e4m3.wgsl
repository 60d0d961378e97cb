// FP8 e4m3 ("fn": no infinities, largest 448, NaN 0x7f and 0xff) in WGSL that has no such type: sign 1, exponent 4 (bias 7),
// mantissa 3 (Micikevicius et al. 2022). Subnormals go through integers, because GPUs may flush f32 subnormals to zero.
// WGSL promises nothing about NaN: nothing here writes its two codes, and the decoders read them as the number 480 of their bits.

// Nearest code, ties to even, of a value that is no NaN; larger magnitudes than 448 become 448.
fn e4m3_encode(x: f32) -> u32 {
  let a = min(abs(x), 448.0);
  let sign = (bitcast<u32>(x) >> 24u) & 0x80u;
  // Steps of 2^-9 below the smallest normal number 2^-6; eight of them are that number.
  if (a < 0.015625) { return sign | u32(round(a * 512.0)); }
  let bits = bitcast<u32>(a);
  let rounded = bits + 0x7ffffu + ((bits >> 20u) & 1u);
  return sign | min((rounded >> 20u) - 960u, 126u);
}

fn e4m3_decode(code: u32) -> f32 {
  let low = code & 0x7fu;
  let normal = bitcast<f32>((low << 20u) + 0x3c000000u);
  let magnitude = select(normal, f32(low) * 0.001953125, low < 8u);
  return bitcast<f32>(bitcast<u32>(magnitude) | ((code & 0x80u) << 24u));
}

// Four codes of a word, lowest byte first.
fn e4m3_decode4(word: u32) -> vec4f {
  let low = (vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0x7fu);
  let normal = bitcast<vec4f>((low << vec4u(20u)) + vec4u(0x3c000000u));
  let magnitude = select(normal, vec4f(low) * 0.001953125, low < vec4u(8u));
  let sign = (vec4u(word) << vec4u(24u, 16u, 8u, 0u)) & vec4u(0x80000000u);
  return bitcast<vec4f>(bitcast<vec4u>(magnitude) | sign);
}
