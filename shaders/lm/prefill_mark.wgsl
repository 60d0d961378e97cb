// The prefill has put a stretch of every prompt into the cache. One thread a sequence.
import package::lib::index::linear;
import package::lm::state::{FILLED, WORDS};

struct Params { sequences: u32, queries: u32 }

@group(0) @binding(0) var<storage, read_write> state: array<u32>;
@group(0) @binding(1) var<storage, read_write> unused: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn filled(@builtin(global_invocation_id) gid: vec3u) {
  let row = linear(gid);
  if (row < params.sequences) { state[row * WORDS + FILLED] += params.queries; }
}
