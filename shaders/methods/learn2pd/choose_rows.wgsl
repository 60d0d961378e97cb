// Which canvas rows the next pass feeds: everything (kind 1), or what lies from the block on (kind 2: block and suffix, or
// with queries = block size the block alone). Row r is token r % queries of sequence r / queries. Rows of sequences that
// want another kind of pass, padding and the tail behind LENGTH get a position outside the cache and an empty range of keys.
// `pick` names the rows of the block among those that are fed, for the output head.
import package::lib::index::linear;
import package::methods::learn2pd::state::{BLOCK, FIRST, LENGTH, NEXT, WORDS};

struct Params { rows: u32, queries: u32, capacity: u32, kind: u32, block: u32 }

@group(0) @binding(0) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(1) var<storage, read_write> state: array<u32>;
@group(0) @binding(2) var<storage, read_write> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> positions: array<u32>;
@group(0) @binding(4) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(5) var<storage, read_write> pick: array<u32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn choose(@builtin(global_invocation_id) gid: vec3u) {
  let r = linear(gid);
  if (r >= params.rows) { return; }
  let row = r / params.queries;
  let q = r % params.queries;
  let base = row * WORDS;
  let start = select(state[base + BLOCK], 0u, params.kind == 1u);
  let p = start + q;
  let length = state[base + LENGTH];
  let busy = state[base + NEXT] == params.kind && p >= state[base + FIRST] && p < length;
  ids[r] = tokens[row * params.capacity + min(p, params.capacity - 1u)];
  positions[r] = select(params.capacity, p, busy);
  bounds[2u * r] = select(0u, state[base + FIRST], busy);
  bounds[2u * r + 1u] = select(0u, length, busy);
  if (q < params.block) {
    pick[row * params.block + q] = row * params.queries + min(state[base + BLOCK] - start + q, params.queries - 1u);
  }
}
