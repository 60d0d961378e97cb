// RMSNorm for GPUs: one workgroup a row, the sum of squares by a tree in workgroup memory. Otherwise as rmsnorm.wgsl.
struct Params { rows: u32, d4: u32, eps: f32 }

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> gain: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> rstd: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

var<workgroup> parts: array<f32, 64>;

@compute @workgroup_size(64)
fn tree(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = wid.x + wid.y * 65535u;
  if (row >= params.rows) { return; }
  let d = params.d4 * 4u;
  var sum = 0.0;
  for (var i = lane; i < d; i += 64u) { sum += x[row * d + i] * x[row * d + i]; }
  parts[lane] = sum;
  workgroupBarrier();
  for (var step = 32u; step > 0u; step >>= 1u) {
    if (lane < step) { parts[lane] += parts[lane + step]; }
    workgroupBarrier();
  }
  let r = inverseSqrt(parts[0] / f32(d) + params.eps);
  if (lane == 0u) { rstd[row] = r; }
  for (var i = lane; i < d; i += 64u) { y[row * d + i] = x[row * d + i] * r * gain[i]; }
}
