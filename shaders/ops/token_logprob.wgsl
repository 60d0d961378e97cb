// Log-probability of one chosen class per row of logits [rows, vocab], with log-sum-exp and entropy of the row (natural
// logarithms). ids >= vocab choose nothing: log-probability 0, no gradient.
import package::lib::index::linear;

struct Params { rows: u32, vocab: u32 }

@group(0) @binding(0) var<storage, read_write> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> logprob: array<f32>;
@group(0) @binding(3) var<storage, read_write> lse: array<f32>;
@group(0) @binding(4) var<storage, read_write> entropy: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

fn finish(r: u32, m: f32, sum: f32, weighted: f32) {
  let total = m + log(sum);
  lse[r] = total;
  // H = lse - sum p x, with x taken relative to the maximum.
  entropy[r] = total - m - weighted / sum;
  logprob[r] = select(0.0, logits[r * params.vocab + min(ids[r], params.vocab - 1u)] - total, ids[r] < params.vocab);
}

const BLOCK: u32 = 256u;

// One thread a row: CPU adapters, and small vocabularies.
@compute @workgroup_size(64)
fn rows(@builtin(global_invocation_id) gid: vec3u) {
  let r = linear(gid);
  if (r >= params.rows) { return; }
  let at = r * params.vocab;
  var m = -3.0e38;
  for (var i = 0u; i < params.vocab; i++) { m = max(m, logits[at + i]); }
  // In blocks: one running f32 sum over a vocabulary of 10^5 loses three digits.
  var sum = vec2f(0.0);
  for (var block = 0u; block < params.vocab; block += BLOCK) {
    var part = vec2f(0.0);
    for (var i = block; i < min(block + BLOCK, params.vocab); i++) {
      let x = logits[at + i] - m;
      part += vec2f(1.0, x) * exp(x);
    }
    sum += part;
  }
  finish(r, m, sum.x, sum.y);
}

// One workgroup a row: large vocabularies on GPUs.
var<workgroup> parts: array<vec2f, 256>;

@compute @workgroup_size(256)
fn wide(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let r = wid.x + wid.y * 65535u;
  if (r >= params.rows) { return; }
  let at = r * params.vocab;
  var top = -3.0e38;
  for (var i = lane; i < params.vocab; i += 256u) { top = max(top, logits[at + i]); }
  parts[lane].x = top;
  workgroupBarrier();
  for (var step = 128u; step > 0u; step >>= 1u) {
    if (lane < step) { parts[lane].x = max(parts[lane].x, parts[lane + step].x); }
    workgroupBarrier();
  }
  let m = parts[0].x;
  workgroupBarrier();
  var sum = vec2f(0.0);
  for (var i = lane; i < params.vocab; i += 256u) {
    let x = logits[at + i] - m;
    sum += vec2f(1.0, x) * exp(x);
  }
  parts[lane] = sum;
  workgroupBarrier();
  for (var step = 128u; step > 0u; step >>= 1u) {
    if (lane < step) { parts[lane] += parts[lane + step]; }
    workgroupBarrier();
  }
  if (lane == 0u) { finish(r, m, parts[0].x, parts[0].y); }
}
