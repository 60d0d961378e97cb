// Derivative of the index scores by keys, key-major: dk[s] = sum over rows t that have s among their slots and heads j of
// g[t, s] w[t, j] 1[q . k > 0] q[t, j]. The slot of s in a list is found by binary search (lists ascend). One invocation per
// key; fixed order, no atomics.
import package::lib::index::linear;

const D4: u32 = 4u;

struct Params { rows: u32, heads: u32, per: u32, length: u32, slots: u32, listed: u32 }

@group(0) @binding(0) var<storage, read_write> q: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> k: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> chosen: array<u32>;
@group(0) @binding(4) var<storage, read_write> slope: array<f32>;
@group(0) @binding(5) var<storage, read_write> upstream: array<f32>;
@group(0) @binding(6) var<storage, read_write> dk: array<vec4f>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(64)
fn backward_key(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= (params.rows / params.per) * params.length) { return; }
  let s = i % params.length;
  var key: array<vec4f, D4>;
  var sum: array<vec4f, D4>;
  for (var c = 0u; c < D4; c++) { key[c] = k[i * D4 + c]; }
  for (var c = 0u; c < D4; c++) { sum[c] = vec4f(0.0); }
  for (var t = 0u; t < params.per; t++) {
    let row = (i / params.length) * params.per + t;
    let base = row * params.slots;
    var slot = s;
    if (params.listed == 1u) {
      var begin = 0u;
      var to = params.slots;
      while (begin < to) {
        let middle = (begin + to) / 2u;
        if (chosen[base + middle] < s) { begin = middle + 1u; } else { to = middle; }
      }
      if (begin == params.slots || chosen[base + min(begin, params.slots - 1u)] != s) { continue; }
      slot = begin;
    }
    let g = slope[base + slot] * upstream[0];
    if (g == 0.0) { continue; }
    for (var j = 0u; j < params.heads; j++) {
      let place = row * params.heads + j;
      var dots = vec4f(0.0);
      for (var c = 0u; c < D4; c++) { dots += q[place * D4 + c] * key[c]; }
      if (dots.x + dots.y + dots.z + dots.w > 0.0) {
        for (var c = 0u; c < D4; c++) { sum[c] += g * w[place] * q[place * D4 + c]; }
      }
    }
  }
  for (var c = 0u; c < D4; c++) { dk[i * D4 + c] = sum[c]; }
}
