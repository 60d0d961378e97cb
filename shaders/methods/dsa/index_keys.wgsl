// Packed 8-bit keys back to numbers: code times the scale of its row, for many queries that share them (index_products.wgsl).
// One invocation per four channels.
import package::lib::e4m3::e4m3_decode4;
import package::lib::index::linear;

struct Params { keys: u32, d4: u32, mode: u32 }

@group(0) @binding(0) var<storage, read_write> codes: array<u32>;
@group(0) @binding(1) var<storage, read_write> scales: array<f32>;
@group(0) @binding(2) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn unpack(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.keys * params.d4) { return; }
  let word = codes[i];
  var four = vec4f(vec4i(vec4u(word << 24u, word << 16u, word << 8u, word)) >> vec4u(24u));
  if (params.mode == 1u) { four = e4m3_decode4(word); }
  values[i] = four * scales[i / params.d4];
}
