// Gradient of token_logprob.wgsl with respect to the logits: upstream[row] * (one hot - softmax).
import package::lib::index::linear;

struct Params { rows: u32, vocab: u32 }

@group(0) @binding(0) var<storage, read_write> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;
@group(0) @binding(3) var<storage, read_write> upstream: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.vocab) { return; }
  let r = i / params.vocab;
  let hit = select(0.0, 1.0, ids[r] == i % params.vocab);
  gradient[i] = select(0.0, upstream[r] * (hit - exp(logits[i] - lse[r])), ids[r] < params.vocab);
}
