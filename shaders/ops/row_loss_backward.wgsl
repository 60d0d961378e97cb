// Gradients of row_loss.wgsl with respect to the prediction.
import package::lib::index::linear;

struct Params { rows: u32, c: u32, scale: f32 }

@group(0) @binding(0) var<storage, read_write> prediction: array<f32>;
@group(0) @binding(1) var<storage, read_write> target_: array<f32>;
@group(0) @binding(2) var<storage, read_write> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> upstream: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn squared(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.c) { return; }
  let factor = upstream[0] * params.scale * weight[i / params.c] / f32(params.c);
  gradient[i] = 2.0 * factor * (prediction[i] - target_[i]);
}

@compute @workgroup_size(64)
fn absolute(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.c) { return; }
  let factor = upstream[0] * params.scale * weight[i / params.c] / f32(params.c);
  gradient[i] = factor * sign(prediction[i] - target_[i]);
}
