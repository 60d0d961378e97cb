// Embedding rows: y[i] = table[token[i]]; and the gradient of the table, each row summed over tokens in order. There one
// invocation has QUADS quads of a row: on CPU adapters eight, because asking every token for its id is what it costs.
import package::lib::index::linear;

const QUADS: u32 = 1u;

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
  let parts = params.d4 / QUADS;
  if (i >= params.vocab * parts) { return; }
  let id = i / parts;
  let first = i % parts * QUADS;
  var sum: array<vec4f, QUADS>;
  for (var c = 0u; c < QUADS; c++) { sum[c] = vec4f(0.0); }
  for (var t = 0u; t < params.tokens; t++) {
    if (ids[t] == id) {
      for (var c = 0u; c < QUADS; c++) { sum[c] += source[t * params.d4 + first + c]; }
    }
  }
  for (var c = 0u; c < QUADS; c++) { target_[i * QUADS + c] = sum[c]; }
}
