// Rows of four-byte words into a cache [sequences, capacity, words] at a position of their sequence; positions outside the
// capacity are not stored. Row r belongs to sequence r / per. One invocation per word.
import package::lib::index::linear;

struct Params { rows: u32, per: u32, capacity: u32, words: u32 }

@group(0) @binding(0) var<storage, read_write> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> at: array<u32>;
@group(0) @binding(2) var<storage, read_write> cache: array<u32>;
@group(0) @binding(3) var<storage, read_write> stored: array<u32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn store(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.words) { return; }
  let row = i / params.words;
  if (i == 0u) { stored[0] = params.rows; }
  if (at[row] >= params.capacity) { return; }
  cache[((row / params.per) * params.capacity + at[row]) * params.words + i % params.words] = x[i];
}
