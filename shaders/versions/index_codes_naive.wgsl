// The lightning indexer on packed 8-bit keys, one channel at a time: a key's codes are decoded anew for every head. First rung
// of the ladder. The one in use: methods/dsa/index_scores_codes.wgsl.
import package::lib::e4m3::e4m3_decode;

const D16: u32 = 1u;
const LOWEST: f32 = -3.4028234e38;

struct Params { rows: u32, heads: u32, per: u32, length: u32, mode: u32 }

@group(0) @binding(0) var<storage, read_write> q: array<f32>;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> k: array<u32>;
@group(0) @binding(3) var<storage, read_write> k_scale: array<f32>;
@group(0) @binding(4) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(5) var<storage, read_write> scores: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

// mode 1: e4m3, else int8.
fn decode(code: u32) -> f32 {
  if (params.mode == 1u) { return e4m3_decode(code); }
  return f32(i32(code << 24u) >> 24u);
}

@compute @workgroup_size(64)
fn naive(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = wid.y + wid.z * 65535u;
  let s = wid.x * 64u + lane;
  if (row >= params.rows || s >= params.length) { return; }
  let i = row * params.length + s;
  if (s < bounds[2u * row] || s >= bounds[2u * row + 1u]) {
    scores[i] = LOWEST;
    return;
  }
  let d = 16u * D16;
  let place = (row / params.per) * params.length + s;
  var total = 0.0;
  for (var j = 0u; j < params.heads; j++) {
    var sum = 0.0;
    for (var c = 0u; c < d; c++) {
      let code = (k[(place * d + c) / 4u] >> (8u * (c % 4u))) & 0xffu;
      sum += q[(row * params.heads + j) * d + c] * decode(code);
    }
    total += w[row * params.heads + j] * max(sum, 0.0);
  }
  total *= k_scale[place];
  scores[i] = select(total, 0.0, total == 0.0);
}
