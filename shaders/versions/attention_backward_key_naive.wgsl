// Attention backward, key side, straight from the formula: one invocation per key and key head, scalars only; key, value, dk
// and dv stay in memory. First rung of the ladder. Fast ones: attention/backward_key*.wgsl.
import package::attention::layout::{capped, capped_slope, first_row, Params, window_start};

const DH4: u32 = 4u;

@group(0) @binding(0) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(1) var<storage, read_write> mask: array<u32>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;
@group(0) @binding(3) var<storage, read_write> dout: array<f32>;
@group(0) @binding(4) var<storage, read_write> delta: array<f32>;
@group(0) @binding(5) var<storage, read_write> dqkv: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

fn seen(i: u32, j: u32, sequence: u32, row: u32) -> bool {
  if (params.mode == 0u) { return ((mask[i * params.words + j / 32u] >> (j % 32u)) & 1u) == 1u; }
  if (params.mode == 3u) { return true; }
  if (params.mode == 2u) { return j >= mask[2u * row] && j < mask[2u * row + 1u]; }
  return j <= i && j >= window_start(i, mask[sequence / params.inner], params.window);
}

@compute @workgroup_size(8)
fn naive_key(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let j = wid.x * 8u + lane;
  if (j >= params.length) { return; }
  let sequence = wid.z;
  let dh = 4u * DH4;
  let group = params.heads / params.kv;
  let width = (params.heads + 2u * params.kv) * dh;
  let base = first_row(params, sequence);
  let k_at = (base + j * params.stride) * width + (params.heads + wid.y) * dh;
  let v_at = k_at + params.kv * dh;
  for (var c = 0u; c < dh; c++) {
    dqkv[k_at + c] = 0.0;
    dqkv[v_at + c] = 0.0;
  }
  for (var head = wid.y * group; head < (wid.y + 1u) * group; head++) {
    for (var i = 0u; i < params.length; i++) {
      let row = base + i * params.stride;
      if (!seen(i, j, sequence, row)) { continue; }
      let q_at = row * width + head * dh;
      let o_at = (row * params.heads + head) * dh;
      var score = 0.0;
      for (var c = 0u; c < dh; c++) { score += qkv[q_at + c] * qkv[k_at + c]; }
      var dp = 0.0;
      for (var c = 0u; c < dh; c++) { dp += dout[o_at + c] * qkv[v_at + c]; }
      let s = capped(score * params.scale, params.cap);
      let p = exp(s - lse[row * params.heads + head]);
      let ds = p * (dp - delta[row * params.heads + head]) * capped_slope(s, params.cap) * params.scale;
      for (var c = 0u; c < dh; c++) { dqkv[v_at + c] += p * dout[o_at + c]; }
      for (var c = 0u; c < dh; c++) { dqkv[k_at + c] += ds * qkv[q_at + c]; }
    }
  }
}
