// AdamW once more, for the ladder: one element a thread. The one in use, with the meaning of its tables: train/adamw.wgsl.
import package::lib::index::linear;

struct Params { quads: u32 }

@group(0) @binding(0) var<storage, read_write> value: array<f32>;
@group(0) @binding(1) var<storage, read_write> grad: array<f32>;
@group(0) @binding(2) var<storage, read_write> first: array<f32>;
@group(0) @binding(3) var<storage, read_write> second: array<f32>;
@group(0) @binding(4) var<storage, read_write> average: array<f32>;
@group(0) @binding(5) var<storage, read_write> block: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> hyper: array<f32>;
@group(0) @binding(7) var<storage, read_write> norm2: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

@compute @workgroup_size(64)
fn scalars(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= 4u * params.quads) { return; }
  let factors = block[i / 64u];
  if (factors.x < 0.0) { return; }
  let norm = sqrt(norm2[0]) * hyper[9];
  let g = grad[i] * hyper[9] * select(1.0, hyper[8] / max(norm, 1e-12), norm > hyper[8]);
  first[i] = hyper[1] * first[i] + (1.0 - hyper[1]) * g;
  second[i] = hyper[2] * second[i] + (1.0 - hyper[2]) * g * g;
  let step = (first[i] / hyper[5]) / (sqrt(second[i] / hyper[6]) + hyper[3]);
  value[i] -= hyper[0] * factors.x * (step + hyper[4] * factors.y * value[i]);
  average[i] = hyper[7] * average[i] + (1.0 - hyper[7]) * value[i];
}
