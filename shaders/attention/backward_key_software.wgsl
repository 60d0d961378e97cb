// Attention backward, key side, for CPU adapters with subgroups; maths of backward_key.wgsl. Every lane owns a key and
// loads one query of a block, whose row, gradient, lse and delta travel by broadcast.
import package::attention::layout::{capped, capped_slope, first_row, Params, window_start};
enable subgroups;

const DH4: u32 = 4u;
const LANES: u32 = 8u;

@group(0) @binding(0) var<storage, read_write> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> mask: array<u32>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;
@group(0) @binding(3) var<storage, read_write> dout: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> delta: array<f32>;
@group(0) @binding(5) var<storage, read_write> dqkv: array<vec4f>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(LANES)
fn backward_key(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let sequence = wid.z;
  let kv_head = wid.y;
  let wanted = wid.x * LANES + lane;
  let group = params.heads / params.kv;
  let width = (params.heads + 2u * params.kv) * DH4;
  let base = first_row(params, sequence);
  let j = min(wanted, params.length - 1u);
  let row = base + j * params.stride;
  let key_at = row * width + (params.heads + kv_head) * DH4;

  var k: array<vec4f, DH4>;
  var v: array<vec4f, DH4>;
  var dk: array<vec4f, DH4>;
  var dv: array<vec4f, DH4>;
  for (var c = 0u; c < DH4; c++) { k[c] = qkv[key_at + c]; }
  for (var c = 0u; c < DH4; c++) { v[c] = qkv[key_at + params.kv * DH4 + c]; }
  var first = 0u;
  var last = params.length;
  var start = 0u;
  if (params.mode == 1u) {
    first = wid.x * LANES;
    last = min(params.length, (wid.x + 1u) * LANES + params.window - 1u);
    start = mask[sequence / params.inner];
  }
  if (params.mode == 2u && params.window == 1u) { first = wid.x * LANES; }
  for (var h = 0u; h < group; h++) {
    let head = kv_head * group + h;
    for (var i = first; i < last; i += LANES) {
      let own_query = min(i + lane, params.length - 1u);
      let own = base + own_query * params.stride;
      var q: array<vec4f, DH4>;
      var d: array<vec4f, DH4>;
      for (var c = 0u; c < DH4; c++) { q[c] = qkv[own * width + head * DH4 + c]; }
      for (var c = 0u; c < DH4; c++) { d[c] = dout[(own * params.heads + head) * DH4 + c]; }
      let own_lse = lse[own * params.heads + head];
      let own_delta = delta[own * params.heads + head];
      // The keys of this workgroup lie within one mask word of every query.
      var own_word = 0xffffffffu;
      if (params.mode == 0u) { own_word = mask[own_query * params.words + wid.x * LANES / 32u]; }
      // Keys that the own query sees; like the rest of its row they travel by broadcast.
      var own_lo = 0u;
      var own_hi = params.length;
      if (params.mode == 1u) {
        own_lo = window_start(own_query, start, params.window);
        own_hi = own_query + 1u;
      }
      if (params.mode == 2u) {
        own_lo = mask[2u * own];
        own_hi = mask[2u * own + 1u];
      }
      for (var u = 0u; u < LANES; u++) {
        let at = i + u;
        let in_window = (j >= subgroupBroadcast(own_lo, u)) & (j < subgroupBroadcast(own_hi, u));
        let seen = (at < last) & in_window & (((subgroupBroadcast(own_word, u) >> (j % 32u)) & 1u) == 1u);
        var dots = vec4f(0.0);
        var grads = vec4f(0.0);
        for (var c = 0u; c < DH4; c++) { dots += k[c] * subgroupBroadcast(q[c], u); }
        for (var c = 0u; c < DH4; c++) { grads += v[c] * subgroupBroadcast(d[c], u); }
        let s = capped((dots.x + dots.y + dots.z + dots.w) * params.scale, params.cap);
        let p = select(0.0, exp(min(s - subgroupBroadcast(own_lse, u), 0.0)), seen);
        let ds = p * (grads.x + grads.y + grads.z + grads.w - subgroupBroadcast(own_delta, u))
          * capped_slope(s, params.cap) * params.scale;
        for (var c = 0u; c < DH4; c++) { dv[c] += p * subgroupBroadcast(d[c], u); }
        for (var c = 0u; c < DH4; c++) { dk[c] += ds * subgroupBroadcast(q[c], u); }
      }
    }
  }
  if (wanted < params.length) {
    for (var c = 0u; c < DH4; c++) {
      dqkv[key_at + c] = dk[c];
      dqkv[key_at + params.kv * DH4 + c] = dv[c];
    }
  }
}
