// Backward of RMSNorm once more, for the ladder: in scalars. The one in use: ops/rmsnorm_backward.wgsl.
import package::lib::index::linear;

struct Params { rows: u32, d4: u32 }

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> gain: array<f32>;
@group(0) @binding(2) var<storage, read_write> rstd: array<f32>;
@group(0) @binding(3) var<storage, read_write> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<storage, read_write> dgain: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn scalars(@builtin(global_invocation_id) gid: vec3u) {
  let row = linear(gid);
  if (row >= params.rows) { return; }
  let d = params.d4 * 4u;
  let at = row * d;
  let r = rstd[row];
  var sum = 0.0;
  for (var i = 0u; i < d; i++) { sum += dy[at + i] * gain[i] * x[at + i]; }
  for (var i = 0u; i < d; i++) {
    dx[at + i] = r * (dy[at + i] * gain[i] - x[at + i] * sum * r * r / f32(d));
    dgain[at + i] = dy[at + i] * x[at + i] * r;
  }
}
