// RMSNorm once more, for the ladder: in scalars. Those in use: ops/rmsnorm.wgsl and ops/rmsnorm_tree.wgsl.
struct Params { rows: u32, d4: u32, eps: f32 }

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> gain: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> rstd: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn scalars(@builtin(global_invocation_id) gid: vec3u) {
  let row = gid.x;
  if (row >= params.rows) { return; }
  let d = params.d4 * 4u;
  var sum = 0.0;
  for (var i = 0u; i < d; i++) { sum += x[row * d + i] * x[row * d + i]; }
  let r = inverseSqrt(sum / f32(d) + params.eps);
  rstd[row] = r;
  for (var i = 0u; i < d; i++) { y[row * d + i] = x[row * d + i] * r * gain[i]; }
}
