// One block scale and 8-bit codes for every row of `dim` channels (a whole indexer head), four codes in a u32, and what the
// codes stand for. mode 1: e4m3 with a power-of-two scale 2^ceil(log2(amax / 448)) (ue8m0, as the release); mode 2: int8 with
// scale amax / 127. With power-of-two scales, values = code * scale is exact: scores of values and of codes agree in every bit.
import package::lib::index::linear;
import package::lib::e4m3::{e4m3_decode, e4m3_encode};

struct Params { rows: u32, dim: u32, mode: u32 }

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> codes: array<u32>;
@group(0) @binding(2) var<storage, read_write> scales: array<f32>;
@group(0) @binding(3) var<storage, read_write> values: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn quantise(@builtin(global_invocation_id) gid: vec3u) {
  let row = linear(gid);
  if (row >= params.rows) { return; }
  let at = row * params.dim;
  var amax = 1e-4;
  for (var c = 0u; c < params.dim; c++) { amax = max(amax, abs(x[at + c])); }
  var scale = amax / 127.0;
  if (params.mode == 1u) {
    // The exponent of amax / 448, one more unless the mantissa is zero. amax = m * 2^e with 448 = 1.75 * 2^8:
    // ceil(log2(amax / 448)) = e - 8 + (m > 1.75), free of any rounding of a quotient.
    let bits = bitcast<u32>(amax);
    let exponent = (bits >> 23u) - 8u + select(0u, 1u, (bits & 0x7fffffu) > 0x600000u);
    scale = bitcast<f32>(exponent << 23u);
  }
  scales[row] = scale;
  for (var w = 0u; w < params.dim / 4u; w++) {
    var word = 0u;
    for (var b = 0u; b < 4u; b++) {
      let i = at + 4u * w + b;
      if (params.mode == 1u) {
        let code = e4m3_encode(x[i] / scale);
        values[i] = e4m3_decode(code) * scale;
        word |= code << (8u * b);
      } else {
        let code = i32(clamp(round(x[i] / scale), -127.0, 127.0));
        values[i] = f32(code) * scale;
        word |= (u32(code) & 0xffu) << (8u * b);
      }
    }
    codes[at / 4u + w] = word;
  }
}
