// Attention backward, query side, for CPU adapters with subgroups; maths of backward_query.wgsl, data movement of
// forward_software.wgsl.
import package::attention::layout::{block_start, capped, capped_slope, first_row, Params, window_start};
enable subgroups;

const DH4: u32 = 4u;
const LANES: u32 = 8u;

@group(0) @binding(0) var<storage, read_write> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> mask: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> lse: array<f32>;
@group(0) @binding(4) var<storage, read_write> dout: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dqkv: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> delta: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(LANES)
fn backward_query(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let sequence = wid.z;
  let head = wid.y;
  let query = wid.x * LANES + lane;
  let kv_head = head / (params.heads / params.kv);
  let width = (params.heads + 2u * params.kv) * DH4;
  let base = first_row(params, sequence);
  let i = min(query, params.length - 1u);
  let row = base + i * params.stride;

  var q: array<vec4f, DH4>;
  var d: array<vec4f, DH4>;
  var dq: array<vec4f, DH4>;
  var along = vec4f(0.0);
  for (var c = 0u; c < DH4; c++) {
    q[c] = qkv[row * width + head * DH4 + c] * params.scale;
    d[c] = dout[(row * params.heads + head) * DH4 + c];
    along += d[c] * out[(row * params.heads + head) * DH4 + c];
  }
  let own_delta = along.x + along.y + along.z + along.w;
  let own_lse = lse[row * params.heads + head];
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
  for (var j = first; j < last; j += LANES) {
    let own = base + min(j + lane, params.length - 1u) * params.stride;
    let at = own * width + (params.heads + kv_head) * DH4;
    var k: array<vec4f, DH4>;
    var v: array<vec4f, DH4>;
    for (var c = 0u; c < DH4; c++) { k[c] = qkv[at + c]; }
    for (var c = 0u; c < DH4; c++) { v[c] = qkv[at + params.kv * DH4 + c]; }
    var word = 0xffffffffu;
    if (params.mode == 0u) { word = mask[i * params.words + j / 32u] >> (j % 32u); }
    for (var u = 0u; u < LANES; u++) {
      var dots = vec4f(0.0);
      var grads = vec4f(0.0);
      for (var c = 0u; c < DH4; c++) { dots += q[c] * subgroupBroadcast(k[c], u); }
      for (var c = 0u; c < DH4; c++) { grads += d[c] * subgroupBroadcast(v[c], u); }
      let seen = (j + u >= lo) & (j + u < hi) & (((word >> u) & 1u) == 1u);
      let s = capped(dots.x + dots.y + dots.z + dots.w, params.cap);
      let p = select(0.0, exp(min(s - own_lse, 0.0)), seen);
      let ds = p * (grads.x + grads.y + grads.z + grads.w - own_delta) * capped_slope(s, params.cap) * params.scale;
      for (var c = 0u; c < DH4; c++) { dq[c] += ds * subgroupBroadcast(k[c], u); }
    }
  }
  if (query < params.length) {
    for (var c = 0u; c < DH4; c++) { dqkv[row * width + head * DH4 + c] = dq[c]; }
    delta[row * params.heads + head] = own_delta;
  }
}
