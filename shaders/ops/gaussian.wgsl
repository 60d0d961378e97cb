// Standard normal numbers from the counter hash (Box-Muller): value i depends on (seed[0], seed[1], stream, i) only.
import package::lib::index::linear;
import package::lib::rng::{mix32, uniform01};

struct Params { n: u32, stream: u32 }

@group(0) @binding(0) var<storage, read_write> seed: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn gaussian(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.n) { return; }
  let u = uniform01(mix32(seed[0], seed[1], i, params.stream * 2u + 1u));
  let v = uniform01(mix32(seed[0], seed[1], i, params.stream * 2u + 2u));
  y[i] = sqrt(-2.0 * log(1.0 - u)) * cos(6.283185307179586 * v);
}
