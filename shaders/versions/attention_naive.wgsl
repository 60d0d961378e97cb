// Attention forward in three passes over the keys (largest score, sum, values), each score computed three times: the
// first rung of the ladder. One invocation per query and head, scalars only. Fast ones: attention/forward*.wgsl.
import package::attention::layout::{capped, first_row, Params, window_start};

const DH4: u32 = 4u;

@group(0) @binding(0) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(1) var<storage, read_write> mask: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<storage, read_write> lse: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

fn seen(i: u32, j: u32, sequence: u32, row: u32) -> bool {
  if (params.mode == 0u) { return ((mask[i * params.words + j / 32u] >> (j % 32u)) & 1u) == 1u; }
  if (params.mode == 3u) { return true; }
  if (params.mode == 2u) { return j >= mask[2u * row] && j < mask[2u * row + 1u]; }
  return j <= i && j >= window_start(i, mask[sequence / params.inner], params.window);
}

fn score(q_at: u32, k_at: u32) -> f32 {
  var sum = 0.0;
  for (var c = 0u; c < 4u * DH4; c++) { sum += qkv[q_at + c] * qkv[k_at + c]; }
  return capped(sum * params.scale, params.cap);
}

@compute @workgroup_size(8)
fn naive(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = wid.x * 8u + lane;
  if (i >= params.length) { return; }
  let sequence = wid.z;
  let dh = 4u * DH4;
  let kv_head = wid.y / (params.heads / params.kv);
  let width = (params.heads + 2u * params.kv) * dh;
  let base = first_row(params, sequence);
  let row = base + i * params.stride;
  let q_at = row * width + wid.y * dh;
  var m = -1e30;
  for (var j = 0u; j < params.length; j++) {
    let k_at = (base + j * params.stride) * width + (params.heads + kv_head) * dh;
    if (seen(i, j, sequence, row)) { m = max(m, score(q_at, k_at)); }
  }
  var l = 0.0;
  for (var j = 0u; j < params.length; j++) {
    let k_at = (base + j * params.stride) * width + (params.heads + kv_head) * dh;
    if (seen(i, j, sequence, row)) { l += exp(score(q_at, k_at) - m); }
  }
  let o_at = (row * params.heads + wid.y) * dh;
  for (var c = 0u; c < dh; c++) { out[o_at + c] = 0.0; }
  for (var j = 0u; j < params.length; j++) {
    let k_at = (base + j * params.stride) * width + (params.heads + kv_head) * dh;
    if (!seen(i, j, sequence, row)) { continue; }
    let p = exp(score(q_at, k_at) - m) / l;
    for (var c = 0u; c < dh; c++) { out[o_at + c] += p * qkv[k_at + params.kv * dh + c]; }
  }
  lse[row * params.heads + wid.y] = m + log(max(l, 1e-30));
}
