// y[M,N] = x[M,K] * W[N,K]^T with W stored as bfloat16, two to a word (low half first), for weights that are only read:
// half the memory and half the traffic of f32. K is a multiple of 8. Not linked but put together by unroll(): lines that end
// in `if gpu`, `if software` or `if residual` stay when that holds.
const ROWS: u32 = 4u;
const LANES: u32 = 8u; // if software
const LANES: u32 = 64u; // if gpu

struct Params { m: u32, n: u32, k8: u32 }

@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> w: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> residual: array<f32>; // if residual
@group(0) @binding(4) var<uniform> params: Params; // if residual
@group(0) @binding(3) var<uniform> params: Params; // if plain

var<workgroup> parts: array<vec4f, 64>; // if gpu

// A bfloat16 is the upper half of an f32.
fn products(row: u32, k: u32, words: vec4u) -> f32 {
  let at = 2u * (min(row, params.m - 1u) * params.k8 + k);
  let low = bitcast<vec4f>(words << vec4u(16u));
  let high = bitcast<vec4f>(words & vec4u(0xffff0000u));
  let first = x[at];
  let second = x[at + 1u];
  return dot(vec4f(first.x, first.z, second.x, second.z), low) + dot(vec4f(first.y, first.w, second.y, second.w), high);
}

fn finish(row: u32, n: u32, sum: f32) {
  if (row >= params.m || n >= params.n) { return; }
  var value = sum;
  value += residual[row * params.n + n]; // if residual
  y[row * params.n + n] = value;
}

// CPU adapters: one thread a column of ROWS rows. GPUs: eight lanes share a column, so that they read one line of memory.
@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = wid.y * ROWS;
  let n = wid.x * 8u + lane; // if software
  let n = wid.x * 8u + lane / 8u; // if gpu
  let column = min(n, params.n - 1u);
  var sums = vec4f(0.0);
  for (var k = 0u; k < params.k8; k += 1u) { // if software
  for (var k = lane % 8u; k < params.k8; k += 8u) { // if gpu
    let words = w[column * params.k8 + k];
    sums.x += products(row, k, words);
    if (row + 1u < params.m) { sums.y += products(row + 1u, k, words); }
    if (row + 2u < params.m) { sums.z += products(row + 2u, k, words); }
    if (row + 3u < params.m) { sums.w += products(row + 3u, k, words); }
  }
  parts[lane] = sums; // if gpu
  workgroupBarrier(); // if gpu
  if (lane % 8u != 0u) { return; } // if gpu
  for (var i = 1u; i < 8u; i++) { sums += parts[lane + i]; } // if gpu
  finish(row, n, sums.x);
  finish(row + 1u, n, sums.y);
  finish(row + 2u, n, sums.z);
  finish(row + 3u, n, sums.w);
}
