// Lightning indexer on f32 vectors: I[t, s] = sum_j w[t, j] * ReLU(q[t, j] . k[s]) for the keys lo..hi-1 that query row t
// sees, the lowest f32 elsewhere. Row t belongs to sequence t / per; k [sequences, length, D], scores [rows, length].
// One invocation per pair. Training uses this text on what the codes stand for; index_scores_codes.wgsl reads the codes.

const D4: u32 = 4u;
const LOWEST: f32 = -3.4028234e38;

struct Params { rows: u32, heads: u32, per: u32, length: u32 }

@group(0) @binding(0) var<storage, read_write> q: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> k: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(4) var<storage, read_write> scores: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn of_values(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  // A workgroup is 64 keys of one query: no index is divided per key, and the query is the same for all lanes.
  let row = wid.y + wid.z * 65535u;
  let s = wid.x * 64u + lane;
  if (row >= params.rows || s >= params.length) { return; }
  let i = row * params.length + s;
  if (s < bounds[2u * row] || s >= bounds[2u * row + 1u]) {
    scores[i] = LOWEST;
    return;
  }
  let at = ((row / params.per) * params.length + s) * D4;
  var key: array<vec4f, D4>;
  for (var c = 0u; c < D4; c++) { key[c] = k[at + c]; }
  var total = 0.0;
  for (var j = 0u; j < params.heads; j++) {
    let begin = (row * params.heads + j) * D4;
    var dots = vec4f(0.0);
    for (var c = 0u; c < D4; c++) { dots += q[begin + c] * key[c]; }
    total += w[row * params.heads + j] * max(dots.x + dots.y + dots.z + dots.w, 0.0);
  }
  // No negative zero: equal scores must be equal keys of the selection.
  scores[i] = select(total, 0.0, total == 0.0);
}
