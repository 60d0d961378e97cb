// The indexer's queries of new tokens, from their projections raw [rows, heads, D] to what their codes stand for, and the
// head weights times their constant factor. mode 0: f32, no codes; 1 and 2: codes.wgsl. One invocation per row and head.
import package::lib::index::linear;
import package::methods::dsa::butterflies::D;
import package::methods::dsa::codes::{block_scale, decode4, encode4};
import package::methods::dsa::index_vector::{finish, largest, quad, turn};

struct Params { rows: u32, heads: u32, pairs: u32, mode: u32, spread: f32, factor: f32 }

@group(0) @binding(1) var<storage, read_write> raw: array<f32>;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> q: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> w: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn prepare_query(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.heads) { return; }
  w[i] = weights[i] * params.factor;
  var v: array<f32, D>;
  for (var c = 0u; c < D; c++) { v[c] = raw[i * D + c]; }
  finish(&v, i / params.heads, params.pairs, params.spread);
  let scale = block_scale(largest(&v), params.mode);
  for (var n = 0u; n < D / 4u; n++) {
    var four = quad(&v, n);
    if (params.mode != 0u) { four = decode4(encode4(four / scale, params.mode), params.mode) * scale; }
    q[i * (D / 4u) + n] = four;
  }
}
