// Rows chosen by a 0/1 flag: y[r] = keep[r] * x[r] + (1 - keep[r]) * vector. `split` is the derivative: dx = keep * dy
// and the summand of the vector's gradient (1 - keep) * dy.
import package::lib::index::linear;

struct Params { rows: u32, d4: u32 }

@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> keep: array<f32>;
@group(0) @binding(2) var<storage, read_write> vector: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn blend(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.d4) { return; }
  y[i] = select(vector[i % params.d4], x[i], keep[i / params.d4] > 0.5);
}

// x = dy, vector = summands (out), y = dx (out).
@compute @workgroup_size(64)
fn split(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.d4) { return; }
  let kept = keep[i / params.d4] > 0.5;
  y[i] = select(vec4f(0.0), x[i], kept);
  vector[i] = select(x[i], vec4f(0.0), kept);
}
