// Softmax over rows of width 4*d4 once more, for the ladder. The one in use: ops/softmax.wgsl.
import package::lib::index::linear;

struct Params { rows: u32, d4: u32 }

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

// Straight from the formula: the exponentials are computed twice, once for the sum and once for the result.
@compute @workgroup_size(64)
fn naive(@builtin(global_invocation_id) gid: vec3u) {
  let row = linear(gid);
  if (row >= params.rows) { return; }
  let d = params.d4 * 4u;
  let at = row * d;
  var top = -3.0e38;
  for (var i = 0u; i < d; i++) { top = max(top, x[at + i]); }
  var sum = 0.0;
  for (var i = 0u; i < d; i++) { sum += exp(x[at + i] - top); }
  for (var i = 0u; i < d; i++) { y[at + i] = exp(x[at + i] - top) / sum; }
}

// Milakov and Gimelshein 2018: the largest number and the sum in one pass, which shrinks whenever a larger one comes.
@compute @workgroup_size(64)
fn online(@builtin(global_invocation_id) gid: vec3u) {
  let row = linear(gid);
  if (row >= params.rows) { return; }
  let d = params.d4 * 4u;
  let at = row * d;
  var top = x[at];
  var sum = 0.0;
  for (var i = 0u; i < d; i++) {
    let v = x[at + i];
    if (v > top) {
      sum *= exp(top - v);
      top = v;
    }
    sum += exp(v - top);
  }
  for (var i = 0u; i < d; i++) { y[at + i] = exp(x[at + i] - top) / sum; }
}

var<workgroup> parts: array<f32, 64>;

// One workgroup a row: its lanes read side by side and meet in two trees.
@compute @workgroup_size(64)
fn tree(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = wid.x + wid.y * 65535u;
  if (row >= params.rows) { return; }
  let d = params.d4 * 4u;
  let at = row * d;
  var top = -3.0e38;
  for (var i = lane; i < d; i += 64u) { top = max(top, x[at + i]); }
  parts[lane] = top;
  workgroupBarrier();
  for (var step = 32u; step > 0u; step >>= 1u) {
    if (lane < step) { parts[lane] = max(parts[lane], parts[lane + step]); }
    workgroupBarrier();
  }
  top = parts[0];
  workgroupBarrier();
  var sum = 0.0;
  for (var i = lane; i < d; i += 64u) {
    let e = exp(x[at + i] - top);
    sum += e;
    y[at + i] = e;
  }
  parts[lane] = sum;
  workgroupBarrier();
  for (var step = 32u; step > 0u; step >>= 1u) {
    if (lane < step) { parts[lane] += parts[lane + step]; }
    workgroupBarrier();
  }
  let r = 1.0 / parts[0];
  for (var i = lane; i < d; i += 64u) { y[at + i] *= r; }
}
