// Chosen columns [rows, k] as one bit per column, u32 words [rows, words]. One invocation per word: the columns ascend, so a
// binary search finds the first that lies in it.
import package::lib::index::linear;

struct Params { rows: u32, k: u32, words: u32 }

@group(0) @binding(0) var<storage, read_write> chosen: array<u32>;
@group(0) @binding(1) var<storage, read_write> bits: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn selection_bits(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.words) { return; }
  let base = (i / params.words) * params.k;
  let first = (i % params.words) * 32u;
  var begin = 0u;
  var to = params.k;
  while (begin < to) {
    let middle = (begin + to) / 2u;
    if (chosen[base + middle] < first) { begin = middle + 1u; } else { to = middle; }
  }
  var word = 0u;
  for (var n = begin; n < params.k; n++) {
    let s = chosen[base + n];
    if (s >= first + 32u || s < first) { break; }
    word |= 1u << (s - first);
  }
  bits[i] = word;
}
