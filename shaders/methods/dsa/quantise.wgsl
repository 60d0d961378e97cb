// One block scale and 8-bit codes (codes.wgsl) for every row of 4 * d4 channels (a whole indexer head), and what the codes
// stand for. That is exact with power-of-two scales: scores of values and of codes agree in every bit.
import package::lib::index::linear;
import package::methods::dsa::codes::{block_scale, decode4, encode4};

struct Params { rows: u32, d4: u32, mode: u32 }

@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> codes: array<u32>;
@group(0) @binding(2) var<storage, read_write> scales: array<f32>;
@group(0) @binding(3) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn quantise(@builtin(global_invocation_id) gid: vec3u) {
  let row = linear(gid);
  if (row >= params.rows) { return; }
  let at = row * params.d4;
  var most = vec4f(0.0);
  for (var n = 0u; n < params.d4; n++) { most = max(most, abs(x[at + n])); }
  let scale = block_scale(max(max(most.x, most.y), max(most.z, most.w)), params.mode);
  scales[row] = scale;
  for (var n = 0u; n < params.d4; n++) {
    let word = encode4(x[at + n] / scale, params.mode);
    codes[at + n] = word;
    values[at + n] = decode4(word, params.mode) * scale;
  }
}
