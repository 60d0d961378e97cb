// C = A * B, one invocation per element of C, straight from the formula, in all three forms. Kept as the first rungs of the
// ladders: every element of A and B is loaded as often as it is used. Fast ones: ops/matmul_software.wgsl,
// ops/matmul_quad.wgsl, ops/matmul_tile.wgsl.
struct Params { m: u32, n: u32, k: u32, stride_a: u32, stride_b: u32, stride_c: u32, share: u32 }

// 1: A lies as [K, M] (form tn), B as [N, K] (form nt).
const TURN_A: u32 = 0u;
const TURN_B: u32 = 0u;

@group(0) @binding(0) var<storage, read_write> a: array<f32>;
@group(0) @binding(1) var<storage, read_write> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

fn from_a(row: u32, k: u32) -> f32 {
  if (TURN_A == 1u) { return a[k * p.m + row]; }
  return a[row * p.k + k];
}

fn from_b(k: u32, col: u32) -> f32 {
  if (TURN_B == 1u) { return b[col * p.k + k]; }
  return b[k * p.n + col];
}

@compute @workgroup_size(8, 8)
fn naive(@builtin(global_invocation_id) at: vec3u) {
  if (at.y >= p.m || at.x >= p.n) { return; }
  var sum = 0.0;
  for (var k = 0u; k < p.k; k++) { sum += from_a(at.y, k) * from_b(k, at.x); }
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
  let i = min(vec4u(row, row + 1u, row + 2u, row + 3u), vec4u(p.m - 1u));
  let j = min(vec4u(col, col + 1u, col + 2u, col + 3u), vec4u(p.n - 1u));
  for (var k = 0u; k < p.k; k++) {
    let y = vec4f(from_b(k, j.x), from_b(k, j.y), from_b(k, j.z), from_b(k, j.w));
    s0 += from_a(i.x, k) * y;
    s1 += from_a(i.y, k) * y;
    s2 += from_a(i.z, k) * y;
    s3 += from_a(i.w, k) * y;
  }
  for (var r = 0u; r < 4u; r++) {
    if (row + r >= p.m) { break; }
    let s = select(select(s0, s1, r == 1u), select(s2, s3, r == 3u), r >= 2u);
    for (var q = 0u; q < 4u; q++) {
      if (col + q >= p.n) { break; }
      c[(row + r) * p.n + col + q] = s[q];
    }
  }
}
