// Embedding rows: y[i] = table[token[i]]; and the gradient of the table, each row summed over tokens in order.
import package::lib::index::linear;

struct Params { tokens: u32, d4: u32, vocab: u32 }

@group(0) @binding(0) var<storage, read_write> ids: array<u32>;
@group(0) @binding(1) var<storage, read_write> source: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> target_: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn gather(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.tokens * params.d4) { return; }
  target_[i] = source[min(ids[i / params.d4], params.vocab - 1u) * params.d4 + i % params.d4];
}

@compute @workgroup_size(64)
fn scatter(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.vocab * params.d4) { return; }
  let id = i / params.d4;
  var sum = vec4f(0.0);
  for (var t = 0u; t < params.tokens; t++) {
    if (ids[t] == id) { sum += source[t * params.d4 + i % params.d4]; }
  }
  target_[i] = sum;
}
