// Elementwise maps of two tensors, four elements a thread. b repeats after `period` quads (a row vector, a slot table).
import package::lib::index::linear;

struct Params { quads: u32, period: u32, alpha: f32, beta: f32 }

@group(0) @binding(0) var<storage, read_write> a: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn add(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i < params.quads) { y[i] = params.alpha * a[i] + params.beta * b[i % params.period]; }
}

@compute @workgroup_size(64)
fn mul(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i < params.quads) { y[i] = a[i] * b[i % params.period]; }
}

// Derivatives from the output: a = dy, b = y.
@compute @workgroup_size(64)
fn tanh_backward(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i < params.quads) { y[i] = params.alpha * a[i] * (1.0 - b[i] * b[i]); }
}

@compute @workgroup_size(64)
fn sigmoid_backward(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i < params.quads) { y[i] = params.alpha * a[i] * b[i] * (1.0 - b[i]); }
}

// a = dy, b = x.
@compute @workgroup_size(64)
fn silu_backward(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i < params.quads) {
    let s = 1.0 / (1.0 + exp(-b[i]));
    y[i] = a[i] * s * (1.0 + b[i] * (1.0 - s));
  }
}
