// Softmax cross-entropy of logits [rows, vocab] against class ids. loss[r] = weight * (logsumexp - logit[id]); rows with
// id >= vocab count nothing. One thread a row.
import package::lib::index::linear;

struct Params { rows: u32, vocab: u32, scale: f32 }

@group(0) @binding(0) var<storage, read_write> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> lse: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) gid: vec3u) {
  let r = linear(gid);
  if (r >= params.rows) { return; }
  let at = r * params.vocab;
  var m = -3.0e38;
  for (var i = 0u; i < params.vocab; i++) { m = max(m, logits[at + i]); }
  var sum = 0.0;
  for (var i = 0u; i < params.vocab; i++) { sum += exp(logits[at + i] - m); }
  let total = m + log(sum);
  lse[r] = total;
  loss[r] = select(0.0, total - logits[at + min(ids[r], params.vocab - 1u)], ids[r] < params.vocab);
}
