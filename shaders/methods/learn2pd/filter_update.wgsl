// Second half of a training step of the filter (filter_train.wgsl): one invocation a parameter sums its gradient over the
// batch in a fixed order and moves it by AdamW (Loshchilov and Hutter 2019) with beta 0.9 and 0.999.
import package::lib::index::linear;

struct Params { batch: u32, block: u32, depth: u32 }

// [batch, DEPTH, B]
@group(0) @binding(0) var<storage, read_write> inputs: array<f32>;
@group(0) @binding(1) var<storage, read_write> slopes: array<f32>;
// Rate, 1 - beta1^t, 1 - beta2^t, weight decay, 1 / positions that count.
@group(0) @binding(2) var<storage, read_write> hyper: array<f32>;
@group(0) @binding(3) var<storage, read_write> filter_: array<f32>;
@group(0) @binding(4) var<storage, read_write> first: array<f32>;
@group(0) @binding(5) var<storage, read_write> second: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn update(@builtin(global_invocation_id) gid: vec3u) {
  let B = params.block;
  let p = linear(gid);
  let layer = B * B + B;
  if (p >= params.depth * layer) { return; }
  let d = p / layer;
  let at = p % layer;
  let bias = at >= B * B;
  let o = select(at / B, at - B * B, bias);
  let i = at % B;
  var g = 0.0;
  for (var r = 0u; r < params.batch; r++) {
    let own = (r * params.depth + d) * B;
    g += slopes[own + o] * select(inputs[own + i], 1.0, bias);
  }
  let m = 0.9 * first[p] + 0.1 * g;
  let v = 0.999 * second[p] + 0.001 * g * g;
  first[p] = m;
  second[p] = v;
  let value = filter_[p];
  filter_[p] = value - hyper[0] * ((m / hyper[1]) / (sqrt(v / hyper[2]) + 1e-8) + hyper[3] * value);
}
