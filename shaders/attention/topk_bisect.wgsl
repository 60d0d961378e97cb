// Exact top-k of every row by binary search for the k-th largest value: 32 counting passes, then one that writes. The
// candidates of a row are its columns lo..hi-1; among equal values the most recent (last) win. Output: chosen columns in
// ascending order, NONE behind them. One invocation per row: the oracle of the other selectors, and the fastest on CPU
// adapters for rows of some hundred columns.
import package::lib::index::linear;
import package::attention::topk_order::{NONE, order};

struct Params { rows: u32, length: u32, k: u32 }

@group(0) @binding(0) var<storage, read_write> scores: array<f32>;
@group(0) @binding(1) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(2) var<storage, read_write> chosen: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn bisect(@builtin(global_invocation_id) gid: vec3u) {
  let row = linear(gid);
  if (row >= params.rows) { return; }
  let lo = bounds[2u * row];
  let hi = max(lo, min(bounds[2u * row + 1u], params.length));
  let base = row * params.length;
  let k = min(params.k, hi - lo);
  // The largest value that at least k candidates reach.
  var threshold = 0u;
  for (var bit = 0u; bit < 32u; bit++) {
    let trial = threshold | (0x80000000u >> bit);
    var count = 0u;
    for (var s = lo; s < hi; s++) { count += select(0u, 1u, order(scores[base + s]) >= trial); }
    if (count >= k) { threshold = trial; }
  }
  var above = 0u;
  for (var s = lo; s < hi; s++) { above += select(0u, 1u, order(scores[base + s]) > threshold); }
  // From the end: all above the threshold, and equal ones while places are left.
  var equal = k - above;
  var place = k;
  for (var n = lo; n < hi; n++) {
    let s = hi - 1u - (n - lo);
    let u = order(scores[base + s]);
    let tie = u == threshold && equal > 0u;
    if (tie) { equal -= 1u; }
    if (tie || u > threshold) {
      place -= 1u;
      chosen[row * params.k + place] = s;
    }
  }
  for (var n = k; n < params.k; n++) { chosen[row * params.k + n] = NONE; }
}
