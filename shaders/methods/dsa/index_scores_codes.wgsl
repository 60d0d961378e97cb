// The lightning indexer on packed 8-bit keys with block scales: k_scale[s] * sum_j w[t, j] * ReLU(q[t, j] . k[s]), the scale
// outside the ReLU because it is positive. The many keys are read as 1 byte a channel and decoded once for all heads; the few
// queries come as what their codes stand for. WGSL has no 8-bit floats: codes save memory traffic, not arithmetic. Layout and
// bounds as index_scores.wgsl.
import package::methods::dsa::codes::decode4;

const D16: u32 = 1u;
const LOWEST: f32 = -3.4028234e38;

struct Params { rows: u32, heads: u32, per: u32, length: u32, mode: u32 }

@group(0) @binding(0) var<storage, read_write> q: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> k: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> k_scale: array<f32>;
@group(0) @binding(4) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(5) var<storage, read_write> scores: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn of_codes(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  // A workgroup is 64 keys of one query: no index is divided per key, and the query is the same for all lanes.
  let row = wid.y + wid.z * 65535u;
  let s = wid.x * 64u + lane;
  if (row >= params.rows || s >= params.length) { return; }
  let i = row * params.length + s;
  if (s < bounds[2u * row] || s >= bounds[2u * row + 1u]) {
    scores[i] = LOWEST;
    return;
  }
  let place = (row / params.per) * params.length + s;
  // Sixteen channels a load.
  var ka: array<vec4f, D16>;
  var kb: array<vec4f, D16>;
  var kc: array<vec4f, D16>;
  var kd: array<vec4f, D16>;
  for (var n = 0u; n < D16; n++) {
    let codes = k[place * D16 + n];
    ka[n] = decode4(codes.x, params.mode);
    kb[n] = decode4(codes.y, params.mode);
    kc[n] = decode4(codes.z, params.mode);
    kd[n] = decode4(codes.w, params.mode);
  }
  var total = 0.0;
  for (var j = 0u; j < params.heads; j++) {
    let begin = (row * params.heads + j) * D16 * 4u;
    var dots = vec4f(0.0);
    for (var n = 0u; n < D16; n++) {
      let at = begin + 4u * n;
      dots += q[at] * ka[n];
      dots += q[at + 1u] * kb[n];
      dots += q[at + 2u] * kc[n];
      dots += q[at + 3u] * kd[n];
    }
    total += w[row * params.heads + j] * max(dots.x + dots.y + dots.z + dots.w, 0.0);
  }
  total *= k_scale[place];
  scores[i] = select(total, 0.0, total == 0.0);
}
