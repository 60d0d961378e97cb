// KL(p || softmax(I)) of every query row over its slots (all columns, or its chosen keys), with the derivative by I:
// (softmax(I) - p) * share. p is divided by its sum first.
// One invocation per row.
import package::lib::index::linear;
import package::attention::latent_layout::NONE;

struct Params { rows: u32, length: u32, slots: u32, listed: u32, share: f32 }

@group(0) @binding(0) var<storage, read_write> p: array<f32>;
@group(0) @binding(1) var<storage, read_write> scores: array<f32>;
@group(0) @binding(2) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(3) var<storage, read_write> chosen: array<u32>;
@group(0) @binding(4) var<storage, read_write> loss: array<f32>;
@group(0) @binding(5) var<storage, read_write> slope: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

fn column(row: u32, n: u32) -> u32 {
  if (params.listed == 1u) { return chosen[row * params.slots + n]; }
  return select(NONE, n, n >= bounds[2u * row] && n < bounds[2u * row + 1u]);
}

@compute @workgroup_size(64)
fn divergence(@builtin(global_invocation_id) gid: vec3u) {
  let row = linear(gid);
  if (row >= params.rows) { return; }
  var m = -1e30;
  var mass = 0.0;
  for (var n = 0u; n < params.slots; n++) {
    let s = column(row, n);
    if (s == NONE) { continue; }
    m = max(m, scores[row * params.length + s]);
    mass += p[row * params.slots + n];
  }
  var l = 0.0;
  for (var n = 0u; n < params.slots; n++) {
    let s = column(row, n);
    if (s != NONE) { l += exp(scores[row * params.length + s] - m); }
  }
  let lse = m + log(max(l, 1e-30));
  var total = 0.0;
  for (var n = 0u; n < params.slots; n++) {
    let s = column(row, n);
    var g = 0.0;
    if (s != NONE) {
      let target_ = p[row * params.slots + n] / max(mass, 1e-30);
      let logit = scores[row * params.length + s] - lse;
      // Both logarithms end at -100, as 0 log 0 is 0.
      total += target_ * (max(log(max(target_, 1e-38)), -100.0) - max(logit, -100.0));
      g = (exp(logit) - target_) * params.share;
    }
    slope[row * params.slots + n] = g;
  }
  loss[row] = total;
}
