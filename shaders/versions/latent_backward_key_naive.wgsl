// Attention over latents, key side of the derivative, one number at a time: dk and dv stay in memory, every row of the
// sequence is asked whether it sees the key. First rung of the ladder. The one in use: attention/latent_backward_key.wgsl.
import package::lib::index::linear;
import package::attention::latent_layout::{Params, row_quads};

const DK4: u32 = 5u;
const DV4: u32 = 4u;

@group(0) @binding(0) var<storage, read_write> q: array<f32>;
@group(0) @binding(1) var<storage, read_write> kv: array<f32>;
@group(0) @binding(2) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(3) var<storage, read_write> choice: array<u32>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;
@group(0) @binding(5) var<storage, read_write> dout: array<f32>;
@group(0) @binding(6) var<storage, read_write> delta: array<f32>;
@group(0) @binding(7) var<storage, read_write> dkv: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

@compute @workgroup_size(64)
fn naive_key(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= (params.rows / params.per) * params.length * params.groups) { return; }
  let s = i / params.groups % params.length;
  let sequence = i / params.groups / params.length;
  let width = 4u * row_quads(DK4, DV4, params.values / 4u);
  let heads = params.heads / params.groups;
  for (var c = 0u; c < width; c++) { dkv[i * width + c] = 0.0; }
  for (var row = sequence * params.per; row < (sequence + 1u) * params.per; row++) {
    var seen = s >= bounds[2u * row] && s < bounds[2u * row + 1u];
    if (params.mode != 0u) { seen = ((choice[row * params.width + s / 32u] >> (s % 32u)) & 1u) == 1u; }
    if (!seen) { continue; }
    for (var h = 0u; h < heads; h++) {
      let place = row * params.heads + i % params.groups * heads + h;
      var score = 0.0;
      for (var c = 0u; c < 4u * DK4; c++) { score += q[place * 4u * DK4 + c] * kv[i * width + c]; }
      var dp = 0.0;
      for (var c = 0u; c < 4u * DV4; c++) { dp += dout[place * 4u * DV4 + c] * kv[i * width + params.values + c]; }
      let p = exp(score * params.scale - lse[place]);
      let ds = p * (dp - delta[place]) * params.scale;
      // Latents: the values are channels of the key, both derivatives meet there.
      for (var c = 0u; c < 4u * DK4; c++) { dkv[i * width + c] += ds * q[place * 4u * DK4 + c]; }
      for (var c = 0u; c < 4u * DV4; c++) { dkv[i * width + params.values + c] += p * dout[place * 4u * DV4 + c]; }
    }
  }
}
