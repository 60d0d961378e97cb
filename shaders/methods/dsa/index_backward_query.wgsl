// Derivative of the index scores by queries and head weights, from the slopes g of the scores at a row's slots:
// dw[t, j] = sum_s g ReLU(z), dq[t, j] = sum_s g w 1[z > 0] k[s], z = q . k. One invocation per row and head.
import package::lib::index::linear;
import package::attention::latent_layout::NONE;

const D4: u32 = 4u;

struct Params { rows: u32, heads: u32, per: u32, length: u32, slots: u32, listed: u32 }

@group(0) @binding(0) var<storage, read_write> q: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> k: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> chosen: array<u32>;
@group(0) @binding(4) var<storage, read_write> slope: array<f32>;
@group(0) @binding(5) var<storage, read_write> upstream: array<f32>;
@group(0) @binding(6) var<storage, read_write> dq: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dw: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

@compute @workgroup_size(64)
fn backward_query(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.heads) { return; }
  let row = i / params.heads;
  var query: array<vec4f, D4>;
  var sum: array<vec4f, D4>;
  for (var c = 0u; c < D4; c++) { query[c] = q[i * D4 + c]; }
  for (var c = 0u; c < D4; c++) { sum[c] = vec4f(0.0); }
  var weight = 0.0;
  for (var n = 0u; n < params.slots; n++) {
    let g = slope[row * params.slots + n] * upstream[0];
    var s = n;
    if (params.listed == 1u) { s = chosen[row * params.slots + n]; }
    if (s == NONE || g == 0.0) { continue; }
    let at = ((row / params.per) * params.length + s) * D4;
    var dots = vec4f(0.0);
    for (var c = 0u; c < D4; c++) { dots += query[c] * k[at + c]; }
    let z = dots.x + dots.y + dots.z + dots.w;
    if (z > 0.0) {
      weight += g * z;
      for (var c = 0u; c < D4; c++) { sum[c] += g * k[at + c]; }
    }
  }
  for (var c = 0u; c < D4; c++) { dq[i * D4 + c] = sum[c] * w[i]; }
  dw[i] = weight;
}
