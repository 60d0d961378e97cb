// Attention of new rows over a cache in three passes over the positions (largest score, sum, values), every score computed
// three times. First rung of the ladder, f32 only. Fast ones: attention/cache_attention*.wgsl.
import package::attention::layout::capped;

const DH4: u32 = 4u;

struct Params { rows: u32, queries: u32, heads: u32, kv: u32, capacity: u32, scale: f32, cap: f32 }

@group(0) @binding(0) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(1) var<storage, read_write> cache: array<f32>;
@group(0) @binding(2) var<storage, read_write> rule: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

fn score(q_at: u32, k_at: u32) -> f32 {
  var sum = 0.0;
  for (var c = 0u; c < 4u * DH4; c++) { sum += qkv[q_at + c] * cache[k_at + c]; }
  return capped(sum * params.scale, params.cap);
}

@compute @workgroup_size(8)
fn naive(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = wid.x * 8u + lane;
  if (i >= params.rows * params.heads) { return; }
  let row = i / params.heads;
  let head = i % params.heads;
  let dh = 4u * DH4;
  let kv_head = head / (params.heads / params.kv);
  let q_at = (row * (params.heads + 2u * params.kv) + head) * dh;
  let entry = 2u * params.kv * dh;
  let base = (row / params.queries) * params.capacity * entry + kv_head * dh;
  let first = rule[2u * row];
  let last = min(rule[2u * row + 1u], params.capacity);
  var m = -1e30;
  for (var j = first; j < last; j++) { m = max(m, score(q_at, base + j * entry)); }
  var l = 0.0;
  for (var j = first; j < last; j++) { l += exp(score(q_at, base + j * entry) - m); }
  for (var c = 0u; c < dh; c++) { out[i * dh + c] = 0.0; }
  for (var j = first; j < last; j++) {
    let k_at = base + j * entry;
    let p = exp(score(q_at, k_at) - m) / l;
    for (var c = 0u; c < dh; c++) { out[i * dh + c] += p * cache[k_at + params.kv * dh + c]; }
  }
}
