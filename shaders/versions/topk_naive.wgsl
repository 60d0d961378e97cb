// Exact top-k of every row straight from the definition: a column is chosen if fewer than k columns beat it, so all pairs are
// compared. Candidates, ties and output as in attention/topk_bisect.wgsl. First rung of the ladder; it reads `length` squared.
import package::lib::index::linear;
import package::attention::topk_order::{NONE, order};

struct Params { rows: u32, length: u32, k: u32 }

@group(0) @binding(0) var<storage, read_write> scores: array<f32>;
@group(0) @binding(1) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(2) var<storage, read_write> chosen: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn naive(@builtin(global_invocation_id) gid: vec3u) {
  let row = linear(gid);
  if (row >= params.rows) { return; }
  let lo = bounds[2u * row];
  let hi = max(lo, min(bounds[2u * row + 1u], params.length));
  let base = row * params.length;
  var place = 0u;
  for (var s = lo; s < hi; s++) {
    let own = order(scores[base + s]);
    var better = 0u;
    for (var other = lo; other < hi; other++) {
      let u = order(scores[base + other]);
      if (u > own || (u == own && other > s)) { better += 1u; }
    }
    if (better < params.k) {
      chosen[row * params.k + place] = s;
      place += 1u;
    }
  }
  for (; place < params.k; place++) { chosen[row * params.k + place] = NONE; }
}
