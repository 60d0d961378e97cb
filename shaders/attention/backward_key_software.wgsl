// Attention backward, key side, for CPU adapters with subgroups; maths of backward_key.wgsl. Every lane owns ROWS keys and
// loads one query of a block, whose row, gradient, lse and delta travel as in forward_software.wgsl.
import package::attention::layout::{capped, capped_slope, first_row, Params, window_start};
enable subgroups;

const DH4: u32 = 4u;
const LANES: u32 = 8u;
const ROWS: u32 = 1u;
const EXCHANGE: u32 = 0u;

@group(0) @binding(0) var<storage, read_write> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> mask: array<u32>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;
@group(0) @binding(3) var<storage, read_write> dout: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> delta: array<f32>;
@group(0) @binding(5) var<storage, read_write> dqkv: array<vec4f>;
@group(0) @binding(6) var<uniform> params: Params;

// The lane whose row is here in turn u of a block.
fn giver(lane: u32, u: u32) -> u32 {
  return select(u, lane ^ u, EXCHANGE == 1u);
}

@compute @workgroup_size(LANES)
fn backward_key(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let sequence = wid.z;
  let kv_head = wid.y;
  let left = wid.x * LANES * ROWS;
  let group = params.heads / params.kv;
  let width = (params.heads + 2u * params.kv) * DH4;
  let base = first_row(params, sequence);

  var k: array<array<vec4f, DH4>, ROWS>;
  var v: array<array<vec4f, DH4>, ROWS>;
  var dk: array<array<vec4f, DH4>, ROWS>;
  var dv: array<array<vec4f, DH4>, ROWS>;
  for (var r = 0u; r < ROWS; r++) {
    let j = min(left + r * LANES + lane, params.length - 1u);
    let at = (base + j * params.stride) * width + (params.heads + kv_head) * DH4;
    for (var c = 0u; c < DH4; c++) { k[r][c] = qkv[at + c]; }
    for (var c = 0u; c < DH4; c++) { v[r][c] = qkv[at + params.kv * DH4 + c]; }
  }
  var first = 0u;
  var last = params.length;
  var start = 0u;
  if (params.mode == 1u) {
    first = left;
    last = min(params.length, left + LANES * ROWS + params.window - 1u);
    start = mask[sequence / params.inner];
  }
  if (params.mode == 2u && params.window == 1u) { first = left; }
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
      // Keys that the own query sees; like the rest of its row they travel. A query beyond the end sees none.
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
      own_hi = select(0u, own_hi, i + lane < last);
      // The keys of a row of lanes lie within one mask word of every query.
      var own_word: array<u32, ROWS>;
      for (var r = 0u; r < ROWS; r++) { own_word[r] = 0xffffffffu; }
      if (params.mode == 0u) {
        for (var r = 0u; r < ROWS; r++) {
          own_word[r] = mask[own_query * params.words + min((left + r * LANES) / 32u, params.words - 1u)];
        }
      }
      var dots: array<array<vec4f, LANES>, ROWS>;
      var grads: array<array<vec4f, LANES>, ROWS>;
      for (var u = 0u; u < LANES; u++) {
        for (var r = 0u; r < ROWS; r++) { dots[r][u] = vec4f(0.0); }
        for (var r = 0u; r < ROWS; r++) { grads[r][u] = vec4f(0.0); }
        for (var c = 0u; c < DH4; c++) {
          let query = subgroupBroadcast(q[c], u);
          let upstream = subgroupBroadcast(d[c], u);
          for (var r = 0u; r < ROWS; r++) { dots[r][u] += k[r][c] * query; }
          for (var r = 0u; r < ROWS; r++) { grads[r][u] += v[r][c] * upstream; }
        }
      }
      var p: array<array<f32, LANES>, ROWS>;
      var ds: array<array<f32, LANES>, ROWS>;
      for (var u = 0u; u < LANES; u++) {
        let lo = subgroupBroadcast(own_lo, u);
        let hi = subgroupBroadcast(own_hi, u);
        let lse_there = subgroupBroadcast(own_lse, u);
        let delta_there = subgroupBroadcast(own_delta, u);
        for (var r = 0u; r < ROWS; r++) {
          let j = left + r * LANES + lane;
          let word = subgroupBroadcast(own_word[r], u);
          let seen = (j >= lo) & (j < hi) & (((word >> (j % 32u)) & 1u) == 1u);
          let s = capped((dots[r][u].x + dots[r][u].y + dots[r][u].z + dots[r][u].w) * params.scale, params.cap);
          p[r][u] = select(0.0, exp(min(s - lse_there, 0.0)), seen);
          let grad = grads[r][u].x + grads[r][u].y + grads[r][u].z + grads[r][u].w - delta_there;
          ds[r][u] = p[r][u] * grad * capped_slope(s, params.cap) * params.scale;
        }
      }
      for (var c = 0u; c < DH4; c++) {
        for (var u = 0u; u < LANES; u++) {
          let query = subgroupBroadcast(q[c], u);
          let upstream = subgroupBroadcast(d[c], u);
          for (var r = 0u; r < ROWS; r++) { dv[r][c] += p[r][u] * upstream; }
          for (var r = 0u; r < ROWS; r++) { dk[r][c] += ds[r][u] * query; }
        }
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    let wanted = left + r * LANES + lane;
    let at = (base + min(wanted, params.length - 1u) * params.stride) * width + (params.heads + kv_head) * DH4;
    if (wanted < params.length) {
      for (var c = 0u; c < DH4; c++) {
        dqkv[at + c] = dk[r][c];
        dqkv[at + params.kv * DH4 + c] = dv[r][c];
      }
    }
  }
}
