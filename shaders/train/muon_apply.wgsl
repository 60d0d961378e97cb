// The last step of Muon for all matrices of one shape: value <- value - lr * (scale * x + decay * value), and the moving average.
//   x: orthogonalised momenta, one after the other; places: where each matrix starts in the slabs, in elements
//   hyper: as in adamw.wgsl (0 lr, 4 decay, 7 decay of the average)
import package::lib::index::linear;

struct Params { n: u32, each: u32, scale: f32 }

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> value: array<f32>;
@group(0) @binding(2) var<storage, read_write> average: array<f32>;
@group(0) @binding(3) var<storage, read_write> hyper: array<f32>;
@group(0) @binding(4) var<storage, read_write> places: array<u32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn apply(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.n) { return; }
  let at = places[i / params.each] + i % params.each;
  let next = value[at] - hyper[0] * (params.scale * x[i] + hyper[4] * value[at]);
  value[at] = next;
  average[at] = hyper[7] * average[at] + (1.0 - hyper[7]) * next;
}
