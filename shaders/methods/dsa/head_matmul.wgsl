// One small matrix per head, for absorbing and applying MLA's up-projections: W [K, heads * N] in columns by head.
//   up     y[r, h, n] = sum_k x[r, h, k] W[k, h N + n]
//   down   x[r, h, k] = sum_n y[r, h, n] W[k, h N + n]
//   weight W[k, h N + n] = sum_r x[r, h, k] y[r, h, n]
// Each is the derivative of the other two. One invocation per element of the result, sums in a fixed order.
import package::lib::index::linear;

struct Params { rows: u32, heads: u32, k: u32, n: u32 }

@group(0) @binding(0) var<storage, read_write> a: array<f32>;
@group(0) @binding(1) var<storage, read_write> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn up(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.heads * params.n) { return; }
  let column = i % (params.heads * params.n);
  let begin = (i / params.n) * params.k;
  var sum = 0.0;
  for (var j = 0u; j < params.k; j++) { sum += a[begin + j] * b[j * params.heads * params.n + column]; }
  c[i] = sum;
}

@compute @workgroup_size(64)
fn down(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.heads * params.k) { return; }
  let j = i % params.k;
  let head = (i / params.k) % params.heads;
  let begin = (i / params.k) * params.n;
  let column = (j * params.heads + head) * params.n;
  var sum = 0.0;
  for (var v = 0u; v < params.n; v++) { sum += a[begin + v] * b[column + v]; }
  c[i] = sum;
}

@compute @workgroup_size(64)
fn weight(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.k * params.heads * params.n) { return; }
  let column = i % (params.heads * params.n);
  let head = column / params.n;
  let j = i / (params.heads * params.n);
  var sum = 0.0;
  for (var r = 0u; r < params.rows; r++) {
    sum += a[(r * params.heads + head) * params.k + j] * b[r * params.heads * params.n + column];
  }
  c[i] = sum;
}
