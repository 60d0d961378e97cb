// scale * sum of x * weight, first half: the products (reduce.ts adds them up in a fixed order); and the derivative.
import package::lib::index::linear;

struct Params { n: u32, scale: f32 }

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn products(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  // A weight of zero leaves an element out even when it is not a number.
  if (i < params.n) { y[i] = select(x[i] * weight[i], 0.0, weight[i] == 0.0); }
}

// Here x is the upstream scalar.
@compute @workgroup_size(64)
fn spread(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i < params.n) { y[i] = x[0] * params.scale * weight[i]; }
}
