// First half of a training step of the filter (learn2pd 1.6, 4): one invocation a record of the batch, forward and backward.
// The second half, filter_update.wgsl, sums the gradients and moves the parameters.
//   z = W_D .. ReLU(W_1 c + b_1) .. + b_D;  loss = softplus(z) - y z, over all positions or the masked ones
// Layers of `filter_` lie one after the other: B x B weights (row = output), then B biases.
import package::lib::index::linear;

// Sizes are no constants: compilers of CPU adapters would write all loops over them out (minutes).
struct Params { batch: u32, masked_only: u32, block: u32, depth: u32 }

@group(0) @binding(0) var<storage, read_write> filter_: array<f32>;
// [records, B]: confidences; 1 = the guess is right, 2 = masked.
@group(0) @binding(1) var<storage, read_write> confidence: array<f32>;
@group(0) @binding(2) var<storage, read_write> marks: array<u32>;
// [batch]: records of this step.
@group(0) @binding(3) var<storage, read_write> picks: array<u32>;
// Rate, 1 - beta1^t, 1 - beta2^t, weight decay, 1 / positions that count.
@group(0) @binding(4) var<storage, read_write> hyper: array<f32>;
// [batch, DEPTH, B]: inputs of every layer, and slopes of the loss by its outputs.
@group(0) @binding(5) var<storage, read_write> inputs: array<f32>;
@group(0) @binding(6) var<storage, read_write> slopes: array<f32>;
@group(0) @binding(7) var<storage, read_write> losses: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

fn softplus(z: f32) -> f32 { return max(z, 0.0) + log(1.0 + exp(-abs(z))); }

@compute @workgroup_size(64)
fn records(@builtin(global_invocation_id) gid: vec3u) {
  let B = params.block;
  let DEPTH = params.depth;
  let r = linear(gid);
  if (r >= params.batch) { return; }
  let from_ = picks[r] * B;
  let own = r * DEPTH * B;
  for (var i = 0u; i < B; i++) { inputs[own + i] = confidence[from_ + i]; }
  var loss = 0.0;
  for (var d = 0u; d < DEPTH; d++) {
    let w = d * (B * B + B);
    for (var o = 0u; o < B; o++) {
      var z = filter_[w + B * B + o];
      for (var i = 0u; i < B; i++) { z += filter_[w + o * B + i] * inputs[own + d * B + i]; }
      if (d + 1u < DEPTH) {
        inputs[own + (d + 1u) * B + o] = max(z, 0.0);
      } else {
        let mark = marks[from_ + o];
        let counts = params.masked_only == 0u || (mark & 2u) != 0u;
        let y = f32(mark & 1u);
        loss += select(0.0, softplus(z) - y * z, counts);
        slopes[own + d * B + o] = select(0.0, (1.0 / (1.0 + exp(-z)) - y) * hyper[4], counts);
      }
    }
  }
  losses[r] = loss * hyper[4];
  for (var d = DEPTH - 1u; d > 0u; d--) {
    let w = d * (B * B + B);
    for (var i = 0u; i < B; i++) {
      var below = 0.0;
      for (var o = 0u; o < B; o++) { below += slopes[own + d * B + o] * filter_[w + o * B + i]; }
      // The input is an output of ReLU: zero means closed.
      slopes[own + (d - 1u) * B + i] = select(0.0, below, inputs[own + d * B + i] > 0.0);
    }
  }
}
