// Masked autoencoding: each token of a frame is replaced by one learned vector with the frame's own probability
// p ~ U(0, p_max). keep[token] is 1 or 0. Randomness: counter hash of (seed, step, frame or token).
import package::lib::index::linear;
import package::lib::rng::{mix32, uniform01};

struct Params { frames: u32, tokens: u32, p_max: f32 }

@group(0) @binding(0) var<storage, read_write> seed: array<u32>;
@group(0) @binding(1) var<storage, read_write> keep: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn choose(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.frames * params.tokens) { return; }
  let p = uniform01(mix32(seed[0], seed[1], i / params.tokens, 11u)) * params.p_max;
  keep[i] = select(0.0, 1.0, uniform01(mix32(seed[0], seed[1], i, 12u)) >= p);
}
