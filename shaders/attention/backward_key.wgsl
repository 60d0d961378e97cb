// Attention backward, key side: dk and dv of one key head, summed over the query heads of its group in order.
import package::attention::layout::{capped, capped_slope, first_row, Params, window_start};

const DH4: u32 = 4u;
const WIDTH: u32 = 8u;

@group(0) @binding(0) var<storage, read_write> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> mask: array<u32>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;
@group(0) @binding(3) var<storage, read_write> dout: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> delta: array<f32>;
@group(0) @binding(5) var<storage, read_write> dqkv: array<vec4f>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(WIDTH)
fn backward_key(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let sequence = wid.z;
  let kv_head = wid.y;
  let wanted = wid.x * WIDTH + lane;
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
  for (var c = 0u; c < DH4; c++) {
    k[c] = qkv[key_at + c];
    v[c] = qkv[key_at + params.kv * DH4 + c];
    dk[c] = vec4f(0.0);
    dv[c] = vec4f(0.0);
  }
  var first = 0u;
  var last = params.length;
  var start = 0u;
  if (params.mode == 1u) {
    first = wid.x * WIDTH;
    last = min(params.length, (wid.x + 1u) * WIDTH + params.window - 1u);
    start = mask[sequence / params.inner];
  }
  if (params.mode == 2u && params.window == 1u) { first = wid.x * WIDTH; }
  for (var h = 0u; h < group; h++) {
    let head = kv_head * group + h;
    for (var i = first; i < last; i++) {
      let query_row = base + i * params.stride;
      let q_at = query_row * width + head * DH4;
      let o_at = (query_row * params.heads + head) * DH4;
      var seen = true;
      if (params.mode == 0u) {
        seen = ((mask[i * params.words + j / 32u] >> (j % 32u)) & 1u) == 1u;
      } else if (params.mode == 2u) {
        seen = j >= mask[2u * query_row] && j < mask[2u * query_row + 1u];
      } else if (params.mode == 1u) {
        let lo = window_start(i, start, params.window);
        seen = j >= lo && j <= i;
      }
      var dots = vec4f(0.0);
      var grads = vec4f(0.0);
      for (var c = 0u; c < DH4; c++) {
        dots += qkv[q_at + c] * k[c];
        grads += dout[o_at + c] * v[c];
      }
      let s = capped((dots.x + dots.y + dots.z + dots.w) * params.scale, params.cap);
      let p = select(0.0, exp(min(s - lse[query_row * params.heads + head], 0.0)), seen);
      let ds = p * (grads.x + grads.y + grads.z + grads.w - delta[query_row * params.heads + head])
        * capped_slope(s, params.cap) * params.scale;
      for (var c = 0u; c < DH4; c++) {
        dv[c] += p * dout[o_at + c];
        dk[c] += ds * qkv[q_at + c];
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
