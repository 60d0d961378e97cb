// cache_attention.wgsl for CPU adapters with subgroups of LANES invocations. Every lane takes every LANES-th key and scores
// it for HEADS query heads that share the key: a load, which is what costs there, serves all of them. A lane keeps its own
// online softmax; lanes meet once at the end. Loops over HEADS and DH4 are written out by unrollLoops.
import package::attention::layout::capped;
import package::attention::kept::{Four, widened};
enable subgroups;

const DH4: u32 = 4u;
const LANES: u32 = 8u;
const HEADS: u32 = 1u;

struct Params { rows: u32, queries: u32, heads: u32, kv: u32, capacity: u32, scale: f32, cap: f32 }

@group(0) @binding(0) var<storage, read_write> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> cache: array<Four>;
@group(0) @binding(2) var<storage, read_write> rule: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

// Workgroups: tiles of HEADS heads, rows.
@compute @workgroup_size(LANES)
fn tiled(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = wid.y;
  let head = wid.x * HEADS;
  let kv_head = head / (params.heads / params.kv);
  let base = (row / params.queries) * params.capacity;
  let last = min(rule[2u * row + 1u], params.capacity);

  var q: array<array<vec4f, DH4>, HEADS>;
  var o: array<array<vec4f, DH4>, HEADS>;
  var m: array<f32, HEADS>;
  var l: array<f32, HEADS>;
  for (var h = 0u; h < HEADS; h++) {
    let at = (row * (params.heads + 2u * params.kv) + head + h) * DH4;
    for (var c = 0u; c < DH4; c++) { q[h][c] = qkv[at + c] * params.scale; }
    m[h] = -1e30;
  }
  for (var j = rule[2u * row] + lane; j < last; j += LANES) {
    let at = ((base + j) * 2u * params.kv + kv_head) * DH4;
    var dots: array<vec4f, HEADS>;
    for (var h = 0u; h < HEADS; h++) { dots[h] = vec4f(0.0); }
    for (var c = 0u; c < DH4; c++) {
      let key = widened(cache[at + c]);
      for (var h = 0u; h < HEADS; h++) { dots[h] += q[h][c] * key; }
    }
    var shrink: array<f32, HEADS>;
    var p: array<f32, HEADS>;
    for (var h = 0u; h < HEADS; h++) {
      let s = capped(dots[h].x + dots[h].y + dots[h].z + dots[h].w, params.cap);
      let top = max(m[h], s);
      shrink[h] = exp(m[h] - top);
      p[h] = exp(s - top);
      l[h] = l[h] * shrink[h] + p[h];
      m[h] = top;
    }
    for (var c = 0u; c < DH4; c++) {
      let value = widened(cache[at + params.kv * DH4 + c]);
      for (var h = 0u; h < HEADS; h++) { o[h][c] = o[h][c] * shrink[h] + p[h] * value; }
    }
  }
  for (var h = 0u; h < HEADS; h++) {
    let top = subgroupMax(m[h]);
    let weight = exp(m[h] - top);
    let sum = subgroupAdd(l[h] * weight);
    let share = weight / max(sum, 1e-30);
    for (var c = 0u; c < DH4; c++) {
      let total = subgroupAdd(o[h][c] * share);
      if (lane == 0u) { out[(row * params.heads + head + h) * DH4 + c] = total; }
    }
  }
}
