// Nesterov momentum of one matrix for Muon: m <- mu * m + g, u = g + mu * m. And u / |u| from the squared norm.
import package::lib::index::linear;

struct Params { n: u32, mu: f32 }

@group(0) @binding(0) var<storage, read_write> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> state: array<f32>;
@group(0) @binding(2) var<storage, read_write> u: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn momentum(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.n) { return; }
  let m = params.mu * state[i] + source[i];
  state[i] = m;
  u[i] = source[i] + params.mu * m;
}

// state[0] = squared norm of source. A gradient of exactly zero stays zero.
@compute @workgroup_size(64)
fn unit(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i < params.n) { u[i] = source[i] * inverseSqrt(max(state[0], 1e-30)); }
}
