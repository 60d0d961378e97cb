// y[M,N] = x[M,K] * W[N,K]^T with W in bfloat16, straight from the formula: one invocation per element, one channel at a time.
// First rung of the ladder. Those in use: ops/linear_bf16.wgsl.
import package::lib::index::linear;

struct Params { m: u32, n: u32, k8: u32 }

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> w: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn naive(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.m * params.n) { return; }
  let row = i / params.n;
  let column = i % params.n;
  let k = params.k8 * 8u;
  var sum = 0.0;
  for (var c = 0u; c < k; c++) {
    let word = w[(column * k + c) / 2u];
    sum += x[row * k + c] * bitcast<f32>(select(word << 16u, word & 0xffff0000u, c % 2u == 1u));
  }
  y[i] = sum;
}
