// Backward of RMSNorm: dx = rstd * (g dy - x * rstd^2 * mean(x . g dy)), and the summand of the gain's
// gradient, dy * x * rstd, which sum_rows.wgsl adds over rows.
import package::lib::index::linear;

struct Params { rows: u32, d4: u32 }

@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> gain: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> rstd: array<f32>;
@group(0) @binding(3) var<storage, read_write> dy: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dgain: array<vec4f>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) gid: vec3u) {
  let row = linear(gid);
  if (row >= params.rows) { return; }
  let at = row * params.d4;
  let r = rstd[row];
  var sum = 0.0;
  for (var i = 0u; i < params.d4; i++) { sum += dot(dy[at + i] * gain[i], x[at + i]); }
  let c = sum * r * r / f32(params.d4 * 4u);
  for (var i = 0u; i < params.d4; i++) {
    let d = dy[at + i];
    dx[at + i] = r * (d * gain[i] - x[at + i] * c);
    dgain[at + i] = d * x[at + i] * r;
  }
}
