// The lightning indexer on packed 8-bit codes with block scales: k_scale[s] * sum_j w[t, j] * q_scale[t, j] * ReLU(q . k),
// the scales outside the ReLU because they are positive. A key is read once, 1 byte a channel, and decoded once for all
// heads. WGSL has no 8-bit floats: the codes save memory traffic, not arithmetic. Layout and bounds as index_scores.wgsl.
import package::lib::index::linear;
import package::lib::e4m3::e4m3_decode4;

const D4: u32 = 4u;
const LOWEST: f32 = -3.4028234e38;

struct Params { rows: u32, heads: u32, per: u32, length: u32, mode: u32 }

@group(0) @binding(0) var<storage, read_write> q: array<u32>;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> q_scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> k: array<u32>;
@group(0) @binding(4) var<storage, read_write> k_scale: array<f32>;
@group(0) @binding(5) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(6) var<storage, read_write> scores: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

fn decode(word: u32) -> vec4f {
  if (params.mode == 1u) { return e4m3_decode4(word); }
  return vec4f(vec4i(vec4u(word << 24u, word << 16u, word << 8u, word)) >> vec4u(24u));
}

@compute @workgroup_size(64)
fn of_codes(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.length) { return; }
  let row = i / params.length;
  let s = i % params.length;
  if (s < bounds[2u * row] || s >= bounds[2u * row + 1u]) {
    scores[i] = LOWEST;
    return;
  }
  let place = (row / params.per) * params.length + s;
  var key: array<vec4f, D4>;
  for (var c = 0u; c < D4; c++) { key[c] = decode(k[place * D4 + c]); }
  var total = 0.0;
  for (var j = 0u; j < params.heads; j++) {
    let begin = (row * params.heads + j) * D4;
    var dots = vec4f(0.0);
    for (var c = 0u; c < D4; c++) { dots += decode(q[begin + c]) * key[c]; }
    let at = row * params.heads + j;
    total += w[at] * q_scale[at] * max(dots.x + dots.y + dots.z + dots.w, 0.0);
  }
  total *= k_scale[place];
  scores[i] = select(total, 0.0, total == 0.0);
}
