// Sum of all elements (or of their squares) in two passes with a fixed order: n -> parts -> 1.
import package::lib::index::linear;

struct Params { n: u32, parts: u32, per: u32, scale: f32 }

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn sum(@builtin(global_invocation_id) gid: vec3u) {
  let part = linear(gid);
  if (part >= params.parts) { return; }
  let end = min(params.n, (part + 1u) * params.per);
  var total = 0.0;
  for (var i = part * params.per; i < end; i++) { total += x[i]; }
  y[part] = total * params.scale;
}

@compute @workgroup_size(64)
fn sum_squares(@builtin(global_invocation_id) gid: vec3u) {
  let part = linear(gid);
  if (part >= params.parts) { return; }
  let end = min(params.n, (part + 1u) * params.per);
  var total = 0.0;
  for (var i = part * params.per; i < end; i++) { total += x[i] * x[i]; }
  y[part] = total * params.scale;
}
