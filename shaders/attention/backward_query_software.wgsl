// Attention backward, query side, for CPU adapters with subgroups; maths of backward_query.wgsl, data movement of
// forward_software.wgsl.
import package::attention::layout::{block_start, capped, capped_slope, first_row, Params, window_start};
enable subgroups;

const DH4: u32 = 4u;
const LANES: u32 = 8u;
const ROWS: u32 = 1u;
const EXCHANGE: u32 = 0u;

@group(0) @binding(0) var<storage, read_write> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> mask: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> lse: array<f32>;
@group(0) @binding(4) var<storage, read_write> dout: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dqkv: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> delta: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

// The lane whose row is here in turn u of a block.
fn giver(lane: u32, u: u32) -> u32 {
  return select(u, lane ^ u, EXCHANGE == 1u);
}

@compute @workgroup_size(LANES)
fn backward_query(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let sequence = wid.z;
  let head = wid.y;
  let top = wid.x * LANES * ROWS;
  let kv_head = head / (params.heads / params.kv);
  let width = (params.heads + 2u * params.kv) * DH4;
  let base = first_row(params, sequence);

  var q: array<array<vec4f, DH4>, ROWS>;
  var d: array<array<vec4f, DH4>, ROWS>;
  var dq: array<array<vec4f, DH4>, ROWS>;
  var own_delta: array<f32, ROWS>;
  var own_lse: array<f32, ROWS>;
  var lo: array<u32, ROWS>;
  var hi: array<u32, ROWS>;
  var first = 0u;
  var last = params.length;
  if (params.mode == 1u) {
    first = block_start(top, params.window) / LANES * LANES;
    last = min(params.length, top + LANES * ROWS);
  }
  // Bounds from a buffer cannot end a loop here: exchanges want control flow that is uniform to the compiler.
  if (params.mode == 2u) { last = select(last, min(params.length, top + LANES * ROWS), params.window == 1u); }
  for (var r = 0u; r < ROWS; r++) {
    let i = min(top + r * LANES + lane, params.length - 1u);
    let row = base + i * params.stride;
    var along = vec4f(0.0);
    for (var c = 0u; c < DH4; c++) {
      q[r][c] = qkv[row * width + head * DH4 + c] * params.scale;
      d[r][c] = dout[(row * params.heads + head) * DH4 + c];
      along += d[r][c] * out[(row * params.heads + head) * DH4 + c];
    }
    own_delta[r] = along.x + along.y + along.z + along.w;
    own_lse[r] = lse[row * params.heads + head];
    lo[r] = 0u;
    hi[r] = params.length;
    if (params.mode == 1u) {
      lo[r] = window_start(i, mask[sequence / params.inner], params.window);
      hi[r] = i + 1u;
    }
    if (params.mode == 2u) {
      lo[r] = mask[2u * row];
      hi[r] = mask[2u * row + 1u];
    }
  }
  for (var j = first; j < last; j += LANES) {
    let own = base + min(j + lane, params.length - 1u) * params.stride;
    let at = own * width + (params.heads + kv_head) * DH4;
    var k: array<vec4f, DH4>;
    var v: array<vec4f, DH4>;
    for (var c = 0u; c < DH4; c++) { k[c] = qkv[at + c]; }
    for (var c = 0u; c < DH4; c++) { v[c] = qkv[at + params.kv * DH4 + c]; }
    var word: array<u32, ROWS>;
    for (var r = 0u; r < ROWS; r++) { word[r] = 0xffffffffu; }
    if (params.mode == 0u) {
      for (var r = 0u; r < ROWS; r++) {
        word[r] = mask[min(top + r * LANES + lane, params.length - 1u) * params.words + j / 32u] >> (j % 32u);
      }
    }
    var dots: array<array<vec4f, LANES>, ROWS>;
    var grads: array<array<vec4f, LANES>, ROWS>;
    for (var u = 0u; u < LANES; u++) {
      for (var r = 0u; r < ROWS; r++) { dots[r][u] = vec4f(0.0); }
      for (var r = 0u; r < ROWS; r++) { grads[r][u] = vec4f(0.0); }
      for (var c = 0u; c < DH4; c++) {
        let key = subgroupBroadcast(k[c], u);
        let value = subgroupBroadcast(v[c], u);
        for (var r = 0u; r < ROWS; r++) { dots[r][u] += q[r][c] * key; }
        for (var r = 0u; r < ROWS; r++) { grads[r][u] += d[r][c] * value; }
      }
    }
    var ds: array<array<f32, LANES>, ROWS>;
    for (var r = 0u; r < ROWS; r++) {
      for (var u = 0u; u < LANES; u++) {
        let key = giver(lane, u);
        let seen = (j + key >= lo[r]) & (j + key < hi[r]) & (((word[r] >> key) & 1u) == 1u);
        let s = capped(dots[r][u].x + dots[r][u].y + dots[r][u].z + dots[r][u].w, params.cap);
        let p = select(0.0, exp(min(s - own_lse[r], 0.0)), seen);
        let grad = grads[r][u].x + grads[r][u].y + grads[r][u].z + grads[r][u].w - own_delta[r];
        ds[r][u] = p * grad * capped_slope(s, params.cap) * params.scale;
      }
    }
    for (var c = 0u; c < DH4; c++) {
      for (var u = 0u; u < LANES; u++) {
        let key = subgroupBroadcast(k[c], u);
        for (var r = 0u; r < ROWS; r++) { dq[r][c] += ds[r][u] * key; }
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    let query = top + r * LANES + lane;
    let row = base + min(query, params.length - 1u) * params.stride;
    if (query < params.length) {
      for (var c = 0u; c < DH4; c++) { dqkv[row * width + head * DH4 + c] = dq[r][c]; }
      delta[row * params.heads + head] = own_delta[r];
    }
  }
}
