// Packed 8-bit keys back to numbers: code times the scale of its row, for many queries that share them (index_products.wgsl).
// One invocation per four channels.
import package::lib::index::linear;
import package::methods::dsa::codes::decode4;

struct Params { keys: u32, d4: u32, mode: u32 }

@group(0) @binding(0) var<storage, read_write> codes: array<u32>;
@group(0) @binding(1) var<storage, read_write> scales: array<f32>;
@group(0) @binding(2) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn unpack(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.keys * params.d4) { return; }
  values[i] = decode4(codes[i], params.mode) * scales[i / params.d4];
}
