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

// GPUs: one workgroup a part; its threads read side by side, then a tree.
var<workgroup> partial: array<f32, 256>;

fn reduce(lane: u32) {
  workgroupBarrier();
  for (var step = 128u; step > 0u; step >>= 1u) {
    if (lane < step) { partial[lane] += partial[lane + step]; }
    workgroupBarrier();
  }
}

@compute @workgroup_size(256)
fn sum_tree(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let end = min(params.n, (wid.x + 1u) * params.per);
  var total = 0.0;
  for (var i = wid.x * params.per + lane; i < end; i += 256u) { total += x[i]; }
  partial[lane] = total;
  reduce(lane);
  if (lane == 0u) { y[wid.x] = partial[0] * params.scale; }
}

@compute @workgroup_size(256)
fn sum_squares_tree(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let end = min(params.n, (wid.x + 1u) * params.per);
  var total = 0.0;
  for (var i = wid.x * params.per + lane; i < end; i += 256u) { total += x[i] * x[i]; }
  partial[lane] = total;
  reduce(lane);
  if (lane == 0u) { y[wid.x] = partial[0] * params.scale; }
}
