// Attention over latents, forward, in three passes over the keys (largest score, sum, values), every score computed three
// times. First rung of the ladder. The one in use: attention/latent_forward.wgsl.
import package::lib::index::linear;
import package::attention::latent_layout::{NONE, Params, row_quads};

const DK4: u32 = 5u;
const DV4: u32 = 4u;

@group(0) @binding(0) var<storage, read_write> q: array<f32>;
@group(0) @binding(1) var<storage, read_write> kv: array<f32>;
@group(0) @binding(2) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(3) var<storage, read_write> choice: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<storage, read_write> lse: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

// The n-th key that a row may see; NONE where it does not see it.
fn key_of(row: u32, n: u32) -> u32 {
  if (params.mode == 2u) { return choice[row * params.width + n]; }
  let s = bounds[2u * row] + n;
  if (params.mode == 0u || ((choice[row * params.width + s / 32u] >> (s % 32u)) & 1u) == 1u) { return s; }
  return NONE;
}

fn score(q_at: u32, k_at: u32) -> f32 {
  var sum = 0.0;
  for (var c = 0u; c < 4u * DK4; c++) { sum += q[q_at + c] * kv[k_at + c]; }
  return sum * params.scale;
}

@compute @workgroup_size(64)
fn naive(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.heads * params.splits) { return; }
  let row = i / params.heads / params.splits;
  let split = i / params.heads % params.splits;
  let head = i % params.heads;
  let width = 4u * row_quads(DK4, DV4, params.values / 4u);
  let base = (row / params.per) * params.length;
  let group = head / (params.heads / params.groups);
  let lo = bounds[2u * row];
  let hi = max(lo, min(bounds[2u * row + 1u], params.length));
  let all = select(hi - lo, params.width, params.mode == 2u);
  let step = (all + params.splits - 1u) / params.splits;
  let begin = min(split * step, all);
  let to = min(begin + step, all);
  let q_at = (row * params.heads + head) * 4u * DK4;
  let place = (row * params.splits + split) * params.heads + head;
  let o_at = place * 4u * DV4;
  var m = -1e30;
  for (var n = begin; n < to; n++) {
    let s = key_of(row, n);
    if (s != NONE) { m = max(m, score(q_at, ((base + s) * params.groups + group) * width)); }
  }
  var l = 0.0;
  for (var n = begin; n < to; n++) {
    let s = key_of(row, n);
    if (s != NONE) { l += exp(score(q_at, ((base + s) * params.groups + group) * width) - m); }
  }
  for (var c = 0u; c < 4u * DV4; c++) { out[o_at + c] = 0.0; }
  for (var n = begin; n < to; n++) {
    let s = key_of(row, n);
    if (s == NONE) { continue; }
    let k_at = ((base + s) * params.groups + group) * width;
    let p = exp(score(q_at, k_at) - m) / l;
    for (var c = 0u; c < 4u * DV4; c++) { out[o_at + c] += p * kv[k_at + params.values + c]; }
  }
  lse[place] = select(-1e30, m + log(l), l > 0.0);
}
