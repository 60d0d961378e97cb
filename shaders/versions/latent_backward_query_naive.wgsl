// Attention over latents, query side of the derivative, one number at a time in two passes over the keys: first delta, then
// dq, which stays in memory. First rung of the ladder. The one in use: attention/latent_backward_query.wgsl.
import package::lib::index::linear;
import package::attention::latent_layout::{NONE, Params, row_quads};

const DK4: u32 = 5u;
const DV4: u32 = 4u;

@group(0) @binding(0) var<storage, read_write> q: array<f32>;
@group(0) @binding(1) var<storage, read_write> kv: array<f32>;
@group(0) @binding(2) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(3) var<storage, read_write> choice: array<u32>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;
@group(0) @binding(5) var<storage, read_write> dout: array<f32>;
@group(0) @binding(6) var<storage, read_write> dq: array<f32>;
@group(0) @binding(7) var<storage, read_write> delta: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

// The n-th key that a row may see; NONE where it does not see it.
fn key_of(row: u32, n: u32) -> u32 {
  if (params.mode == 2u) { return choice[row * params.width + n]; }
  let s = bounds[2u * row] + n;
  if (params.mode == 0u || ((choice[row * params.width + s / 32u] >> (s % 32u)) & 1u) == 1u) { return s; }
  return NONE;
}

// P and dP of head i and a key.
fn weight(i: u32, k_at: u32) -> vec2f {
  var score = 0.0;
  for (var c = 0u; c < 4u * DK4; c++) { score += q[i * 4u * DK4 + c] * kv[k_at + c]; }
  var dp = 0.0;
  for (var c = 0u; c < 4u * DV4; c++) { dp += dout[i * 4u * DV4 + c] * kv[k_at + params.values + c]; }
  return vec2f(exp(score * params.scale - lse[i]), dp);
}

@compute @workgroup_size(64)
fn naive_query(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.heads) { return; }
  let row = i / params.heads;
  let width = 4u * row_quads(DK4, DV4, params.values / 4u);
  let base = (row / params.per) * params.length;
  let group = i % params.heads / (params.heads / params.groups);
  let lo = bounds[2u * row];
  let hi = max(lo, min(bounds[2u * row + 1u], params.length));
  let all = select(hi - lo, params.width, params.mode == 2u);
  var total = 0.0;
  for (var n = 0u; n < all; n++) {
    let s = key_of(row, n);
    if (s == NONE) { continue; }
    let w = weight(i, ((base + s) * params.groups + group) * width);
    total += w.x * w.y;
  }
  delta[i] = total;
  for (var c = 0u; c < 4u * DK4; c++) { dq[i * 4u * DK4 + c] = 0.0; }
  for (var n = 0u; n < all; n++) {
    let s = key_of(row, n);
    if (s == NONE) { continue; }
    let k_at = ((base + s) * params.groups + group) * width;
    let w = weight(i, k_at);
    let ds = w.x * (w.y - total) * params.scale;
    for (var c = 0u; c < 4u * DK4; c++) { dq[i * 4u * DK4 + c] += ds * kv[k_at + c]; }
  }
}
