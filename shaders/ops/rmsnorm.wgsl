// RMSNorm over rows of width 4*d4: y = x * rstd * gain, rstd = 1 / sqrt(mean(x^2) + eps). For CPU
// adapters: one thread a row, since barriers cost more there than they save (GPUs: rmsnorm_tree.wgsl). Few rows are few
// threads, so that each core gets some. Loops leave at their end: one that leaves at its beginning runs its body once more
// with no lane active.
import package::lib::index::linear;

const GROUP: u32 = 64u;

struct Params { rows: u32, d4: u32, eps: f32 }

@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> gain: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> rstd: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(GROUP)
fn forward(@builtin(global_invocation_id) gid: vec3u) {
  let row = linear(gid);
  if (row >= params.rows) { return; }
  let at = row * params.d4;
  var sum = 0.0;
  var i = 0u;
  loop {
    let v = x[at + i];
    sum += dot(v, v);
    continuing { i++; break if i >= params.d4; }
  }
  let r = inverseSqrt(sum / f32(params.d4 * 4u) + params.eps);
  rstd[row] = r;
  i = 0u;
  loop {
    y[at + i] = x[at + i] * r * gain[i];
    continuing { i++; break if i >= params.d4; }
  }
}
