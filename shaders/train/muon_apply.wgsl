// The last step of Muon for one matrix: value <- value - lr * (scale * x + decay * value), and the moving average.
//   x: orthogonalised momentum; hyper: as in adamw.wgsl (0 lr, 4 decay, 7 decay of the average)
import package::lib::index::linear;

struct Params { n: u32, scale: f32 }

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> value: array<f32>;
@group(0) @binding(2) var<storage, read_write> average: array<f32>;
@group(0) @binding(3) var<storage, read_write> hyper: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn apply(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.n) { return; }
  let next = value[i] - hyper[0] * (params.scale * x[i] + hyper[4] * value[i]);
  value[i] = next;
  average[i] = hyper[7] * average[i] + (1.0 - hyper[7]) * next;
}
