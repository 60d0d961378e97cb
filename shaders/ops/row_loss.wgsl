// Per-row losses with a weight per row: rows [R, C] of prediction and target.
//   squared: loss[r] = weight[r] * mean_c (p - t)^2          absolute: loss[r] = weight[r] * mean_c |p - t|
// The gradient kernels multiply by the upstream scalar and by `scale` (one over the number of rows).
import package::lib::index::linear;

struct Params { rows: u32, c: u32, scale: f32 }

@group(0) @binding(0) var<storage, read_write> prediction: array<f32>;
@group(0) @binding(1) var<storage, read_write> target_: array<f32>;
@group(0) @binding(2) var<storage, read_write> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn squared(@builtin(global_invocation_id) gid: vec3u) {
  let r = linear(gid);
  if (r >= params.rows) { return; }
  var sum = 0.0;
  for (var i = r * params.c; i < (r + 1u) * params.c; i++) {
    let d = prediction[i] - target_[i];
    sum += d * d;
  }
  loss[r] = weight[r] * sum / f32(params.c);
}

@compute @workgroup_size(64)
fn absolute(@builtin(global_invocation_id) gid: vec3u) {
  let r = linear(gid);
  if (r >= params.rows) { return; }
  var sum = 0.0;
  for (var i = r * params.c; i < (r + 1u) * params.c; i++) { sum += abs(prediction[i] - target_[i]); }
  loss[r] = weight[r] * sum / f32(params.c);
}

// GPUs: one workgroup a row; its threads read side by side, then a tree.
var<workgroup> partial: array<f32, 64>;

fn finish(row: u32, lane: u32, mine: f32) {
  partial[lane] = mine;
  workgroupBarrier();
  for (var step = 32u; step > 0u; step >>= 1u) {
    if (lane < step) { partial[lane] += partial[lane + step]; }
    workgroupBarrier();
  }
  if (lane == 0u) { loss[row] = weight[row] * partial[0] / f32(params.c); }
}

@compute @workgroup_size(64)
fn squared_tree(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let r = wid.x + wid.y * 65535u;
  if (r >= params.rows) { return; }
  var sum = 0.0;
  for (var i = r * params.c + lane; i < (r + 1u) * params.c; i += 64u) {
    let d = prediction[i] - target_[i];
    sum += d * d;
  }
  finish(r, lane, sum);
}

@compute @workgroup_size(64)
fn absolute_tree(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let r = wid.x + wid.y * 65535u;
  if (r >= params.rows) { return; }
  var sum = 0.0;
  for (var i = r * params.c + lane; i < (r + 1u) * params.c; i += 64u) { sum += abs(prediction[i] - target_[i]); }
  finish(r, lane, sum);
}
