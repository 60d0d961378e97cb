// Rows of a table of bfloat16 numbers, two to a word (low half first): y[i] = table[id[i]] as f32. D8 = width / 8.
import package::lib::index::linear;

struct Params { tokens: u32, d8: u32, vocab: u32 }

@group(0) @binding(0) var<storage, read_write> ids: array<u32>;
@group(0) @binding(1) var<storage, read_write> table: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn gather(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.tokens * params.d8) { return; }
  let words = table[min(ids[i / params.d8], params.vocab - 1u) * params.d8 + i % params.d8];
  let low = bitcast<vec4f>(words << vec4u(16u));
  let high = bitcast<vec4f>(words & vec4u(0xffff0000u));
  y[2u * i] = vec4f(low.x, high.x, low.y, high.y);
  y[2u * i + 1u] = vec4f(low.z, high.z, low.w, high.w);
}
