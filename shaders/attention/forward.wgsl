// Attention forward with online softmax, keys in blocks of four; no score matrix is stored. One thread a query, one
// workgroup a block of queries of one head of one sequence: key and value addresses are the same for all lanes, which
// CPU adapters turn into scalar loads and GPUs into broadcasts. Grouped-query heads, soft cap, masks of layout.wgsl.
import package::attention::layout::{block_start, capped, first_row, Params, window_start};

const DH4: u32 = 4u;
const WIDTH: u32 = 8u;

@group(0) @binding(0) var<storage, read_write> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> mask: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> lse: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WIDTH)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let sequence = wid.z;
  let head = wid.y;
  let query = wid.x * WIDTH + lane;
  let kv_head = head / (params.heads / params.kv);
  let width = (params.heads + 2u * params.kv) * DH4;
  let base = first_row(params, sequence);
  let i = min(query, params.length - 1u);
  let row = base + i * params.stride;

  var q: array<vec4f, DH4>;
  var o: array<vec4f, DH4>;
  for (var c = 0u; c < DH4; c++) {
    q[c] = qkv[row * width + head * DH4 + c] * params.scale;
    o[c] = vec4f(0.0);
  }
  var lo = 0u;
  var hi = params.length;
  var first = 0u;
  if (params.mode == 1u) {
    let start = mask[sequence / params.inner];
    lo = window_start(i, start, params.window);
    hi = i + 1u;
    first = block_start(wid.x * WIDTH, params.window);
  }
  var last = select(params.length, min(params.length, (wid.x + 1u) * WIDTH), params.mode == 1u);
  if (params.mode == 2u) {
    lo = mask[2u * row];
    hi = mask[2u * row + 1u];
    first = params.length;
    last = 0u;
    for (var u = 0u; u < WIDTH; u++) {
      let other = base + min(wid.x * WIDTH + u, params.length - 1u) * params.stride;
      first = min(first, mask[2u * other]);
      last = max(last, min(mask[2u * other + 1u], params.length));
    }
  }
  var m = -1e30;
  var l = 0.0;
  for (var j = first; j < last; j += 4u) {
    var s = vec4f(-1e30);
    for (var u = 0u; u < 4u; u++) {
      let key = min(j + u, params.length - 1u);
      let at = (base + key * params.stride) * width + (params.heads + kv_head) * DH4;
      var dots = vec4f(0.0);
      for (var c = 0u; c < DH4; c++) { dots += q[c] * qkv[at + c]; }
      var seen = j + u >= lo && j + u < hi;
      if (params.mode == 0u) { seen = seen && ((mask[i * params.words + key / 32u] >> (key % 32u)) & 1u) == 1u; }
      if (seen) { s[u] = capped(dots.x + dots.y + dots.z + dots.w, params.cap); }
    }
    let m_new = max(m, max(max(s.x, s.y), max(s.z, s.w)));
    let shrink = exp(m - m_new);
    let p = select(exp(s - m_new), vec4f(0.0), s <= vec4f(-1e29));
    l = l * shrink + p.x + p.y + p.z + p.w;
    m = m_new;
    for (var c = 0u; c < DH4; c++) { o[c] *= shrink; }
    for (var u = 0u; u < 4u; u++) {
      let key = min(j + u, params.length - 1u);
      let at = (base + key * params.stride) * width + (params.heads + params.kv + kv_head) * DH4;
      for (var c = 0u; c < DH4; c++) { o[c] += p[u] * qkv[at + c]; }
    }
  }
  if (query < params.length) {
    let norm = 1.0 / max(l, 1e-30);
    for (var c = 0u; c < DH4; c++) { out[(row * params.heads + head) * DH4 + c] = o[c] * norm; }
    lse[row * params.heads + head] = m + log(max(l, 1e-30));
  }
}
