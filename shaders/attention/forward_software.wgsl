// Attention forward for CPU adapters with subgroups of LANES invocations; the maths is that of forward.wgsl.
// There a load costs per lane even when all lanes want the same word, and a subgroup broadcast costs next to nothing: so
// every lane loads one key and one value of a block, and the rows travel by broadcast. Loops over DH4 and LANES are
// written out by unrollLoops (src/tensor/kernel.ts).
import package::attention::layout::{block_start, capped, first_row, Params, window_start};
enable subgroups;

const DH4: u32 = 4u;
const LANES: u32 = 8u;

@group(0) @binding(0) var<storage, read_write> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> mask: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> lse: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(LANES)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let sequence = wid.z;
  let head = wid.y;
  let query = wid.x * LANES + lane;
  let kv_head = head / (params.heads / params.kv);
  let width = (params.heads + 2u * params.kv) * DH4;
  let base = first_row(params, sequence);
  let i = min(query, params.length - 1u);
  let row = base + i * params.stride;

  var q: array<vec4f, DH4>;
  var o: array<vec4f, DH4>;
  for (var c = 0u; c < DH4; c++) { q[c] = qkv[row * width + head * DH4 + c] * params.scale; }
  var lo = 0u;
  var hi = params.length;
  var first = 0u;
  var last = params.length;
  if (params.mode == 1u) {
    let start = mask[sequence / params.inner];
    lo = window_start(i, start, params.window);
    hi = i + 1u;
    first = block_start(wid.x * LANES, params.window) / LANES * LANES;
    last = min(params.length, (wid.x + 1u) * LANES);
  }
  // Bounds from a buffer cannot end a loop here: broadcasts want control flow that is uniform to the compiler.
  if (params.mode == 2u) {
    lo = mask[2u * row];
    hi = mask[2u * row + 1u];
    last = select(last, min(params.length, (wid.x + 1u) * LANES), params.window == 1u);
  }
  var m = -1e30;
  var l = 0.0;
  for (var j = first; j < last; j += LANES) {
    let own = base + min(j + lane, params.length - 1u) * params.stride;
    let at = own * width + (params.heads + kv_head) * DH4;
    var k: array<vec4f, DH4>;
    var v: array<vec4f, DH4>;
    for (var c = 0u; c < DH4; c++) { k[c] = qkv[at + c]; }
    for (var c = 0u; c < DH4; c++) { v[c] = qkv[at + params.kv * DH4 + c]; }
    // A block of keys lies within one mask word, since LANES divides 32.
    var word = 0xffffffffu;
    if (params.mode == 0u) { word = mask[i * params.words + j / 32u] >> (j % 32u); }
    var s: array<f32, LANES>;
    for (var u = 0u; u < LANES; u++) {
      var dots = vec4f(0.0);
      for (var c = 0u; c < DH4; c++) { dots += q[c] * subgroupBroadcast(k[c], u); }
      let seen = (j + u >= lo) & (j + u < hi) & (((word >> u) & 1u) == 1u);
      s[u] = select(-1e30, capped(dots.x + dots.y + dots.z + dots.w, params.cap), seen);
    }
    var m_new = m;
    for (var u = 0u; u < LANES; u++) { m_new = max(m_new, s[u]); }
    let shrink = exp(m - m_new);
    l *= shrink;
    for (var c = 0u; c < DH4; c++) { o[c] *= shrink; }
    for (var u = 0u; u < LANES; u++) {
      let p = select(exp(s[u] - m_new), 0.0, s[u] <= -1e29);
      l += p;
      for (var c = 0u; c < DH4; c++) { o[c] += p * subgroupBroadcast(v[c], u); }
    }
    m = m_new;
  }
  if (query < params.length) {
    let norm = 1.0 / max(l, 1e-30);
    for (var c = 0u; c < DH4; c++) { out[(row * params.heads + head) * DH4 + c] = o[c] * norm; }
    lse[row * params.heads + head] = m + log(max(l, 1e-30));
  }
}
