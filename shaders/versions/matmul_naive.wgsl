// C = A * B, one invocation per element of C, straight from the formula. Kept as the first rung of the ladder: every
// element of A and B is loaded as often as it is used. Fast ones: ops/matmul_software.wgsl, ops/matmul_tile.wgsl.
struct Params { m: u32, n: u32, k: u32, stride_a: u32, stride_b: u32, stride_c: u32, share: u32 }

@group(0) @binding(0) var<storage, read_write> a: array<f32>;
@group(0) @binding(1) var<storage, read_write> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(8, 8)
fn naive(@builtin(global_invocation_id) at: vec3u) {
  if (at.y >= p.m || at.x >= p.n) { return; }
  var sum = 0.0;
  for (var k = 0u; k < p.k; k++) { sum += a[at.y * p.k + k] * b[k * p.n + at.x]; }
  c[at.y * p.n + at.x] = sum;
}

// Four rows and four columns a thread: a load of A serves four products, a load of B four others.
@compute @workgroup_size(8, 8)
fn quads(@builtin(global_invocation_id) at: vec3u) {
  let row = at.y * 4u;
  let col = at.x * 4u;
  if (row >= p.m || col >= p.n) { return; }
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  let last_row = p.m - 1u;
  let last_col = p.n - 1u;
  let r = min(vec4u(row, row + 1u, row + 2u, row + 3u), vec4u(last_row)) * p.k;
  let j = min(vec4u(col, col + 1u, col + 2u, col + 3u), vec4u(last_col));
  for (var k = 0u; k < p.k; k++) {
    let y = vec4f(b[k * p.n + j.x], b[k * p.n + j.y], b[k * p.n + j.z], b[k * p.n + j.w]);
    s0 += a[r.x + k] * y;
    s1 += a[r.y + k] * y;
    s2 += a[r.z + k] * y;
    s3 += a[r.w + k] * y;
  }
  for (var i = 0u; i < 4u; i++) {
    if (row + i >= p.m) { break; }
    let s = select(select(s0, s1, i == 1u), select(s2, s3, i == 3u), i >= 2u);
    for (var q = 0u; q < 4u; q++) {
      if (col + q >= p.n) { break; }
      c[(row + i) * p.n + col + q] = s[q];
    }
  }
}
