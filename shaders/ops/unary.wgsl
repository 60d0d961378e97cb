// Elementwise maps of one tensor, four elements a thread. y = op(alpha * x + beta).
import package::lib::index::linear;

struct Params { quads: u32, alpha: f32, beta: f32 }

@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

fn affine(i: u32) -> vec4f { return params.alpha * x[i] + params.beta; }

@compute @workgroup_size(64)
fn scale(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i < params.quads) { y[i] = affine(i); }
}

@compute @workgroup_size(64)
fn tanh_(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  // tanh overflows on some drivers for large arguments; it is 1 to f32 precision beyond 10.
  if (i < params.quads) { y[i] = tanh(clamp(affine(i), vec4f(-10.0), vec4f(10.0))); }
}

@compute @workgroup_size(64)
fn sigmoid(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i < params.quads) { y[i] = 1.0 / (1.0 + exp(-affine(i))); }
}

@compute @workgroup_size(64)
fn silu(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i < params.quads) {
    let v = affine(i);
    y[i] = v / (1.0 + exp(-v));
  }
}

@compute @workgroup_size(64)
fn square(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i < params.quads) {
    let v = affine(i);
    y[i] = v * v;
  }
}

@compute @workgroup_size(64)
fn clamp_(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i < params.quads) { y[i] = clamp(x[i], vec4f(params.alpha), vec4f(params.beta)); }
}
