// Which tokens the next pass feeds: token by token, or a stretch of every prompt (prefill). Row r is token r % queries of
// sequence r / queries. Rows with nothing to do get a position outside the cache and an empty range of keys.
import package::lib::index::linear;
import package::lm::state::{CURSOR, DONE, FILLED, WORDS};

struct Params { rows: u32, queries: u32, capacity: u32, prefill: u32 }

@group(0) @binding(0) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(1) var<storage, read_write> state: array<u32>;
@group(0) @binding(2) var<storage, read_write> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> previous: array<u32>;
@group(0) @binding(4) var<storage, read_write> at: array<u32>;
@group(0) @binding(5) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn choose(@builtin(global_invocation_id) gid: vec3u) {
  let r = linear(gid);
  if (r >= params.rows) { return; }
  let row = r / params.queries;
  let cursor = state[row * WORDS + CURSOR];
  var index = cursor;
  var busy = state[row * WORDS + DONE] == 0u;
  if (params.prefill == 1u) {
    index = state[row * WORDS + FILLED] + r % params.queries;
    // The token at the cursor is fed again by the first step, which wants its logits.
    busy = index < cursor;
  }
  let here = row * params.capacity + min(index, params.capacity - 1u);
  ids[r] = tokens[here];
  previous[r] = select(0xffffffffu, tokens[max(here, 1u) - 1u], index > 0u);
  at[r] = select(params.capacity, index, busy);
  bounds[2u * r] = 0u;
  bounds[2u * r + 1u] = select(0u, index + 1u, busy);
}
