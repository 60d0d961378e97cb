// AdamW (Loshchilov and Hutter 2019) with global-norm clipping and an exponential moving average of the weights, over
// one arena that holds all parameters; four elements a thread.
//   block: per 64 elements (learning rate factor, weight decay factor); a negative factor = another optimiser's parameter
//   hyper: lr, beta1, beta2, eps, decay, 1 - beta1^t, 1 - beta2^t, ema decay, clip norm, gradient scale
//   norm2: squared norm of all gradients before scaling
import package::lib::index::linear;

struct Params { quads: u32 }

@group(0) @binding(0) var<storage, read_write> value: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> grad: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> first: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> second: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> average: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> block: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> hyper: array<f32>;
@group(0) @binding(7) var<storage, read_write> norm2: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

@compute @workgroup_size(64)
fn adamw(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.quads) { return; }
  let factors = block[i / 16u];
  if (factors.x < 0.0) { return; }
  let norm = sqrt(norm2[0]) * hyper[9];
  let scale = hyper[9] * select(1.0, hyper[8] / max(norm, 1e-12), norm > hyper[8]);
  let g = grad[i] * scale;
  let m = hyper[1] * first[i] + (1.0 - hyper[1]) * g;
  let v = hyper[2] * second[i] + (1.0 - hyper[2]) * g * g;
  let lr = hyper[0] * factors.x;
  let step = (m / hyper[5]) / (sqrt(v / hyper[6]) + hyper[3]);
  let next = value[i] - lr * (step + hyper[4] * factors.y * value[i]);
  first[i] = m;
  second[i] = v;
  value[i] = next;
  average[i] = hyper[7] * average[i] + (1.0 - hyper[7]) * next;
}
