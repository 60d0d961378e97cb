// Exact top-k of every row by digits of 8 bits, one workgroup per row: four histograms in workgroup memory find the k-th
// largest value and how many of its equals are still wanted, then one pass writes. No limit on how many values are equal
// (scores behind a ReLU are often exactly zero). Candidates, ties and output as in topk_bisect.wgsl; the order of the output
// comes from prefix sums, never from atomics.
import package::attention::topk_order::{NONE, order};

const LANES: u32 = 256u;

struct Params { rows: u32, length: u32, k: u32 }

@group(0) @binding(0) var<storage, read_write> scores: array<f32>;
@group(0) @binding(1) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(2) var<storage, read_write> chosen: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> bins: array<atomic<u32>, 256>;
var<workgroup> state: array<u32, 2>;
var<workgroup> sums: array<vec2u, LANES>;

@compute @workgroup_size(LANES)
fn radix(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = wid.x + wid.y * 65535u;
  if (row >= params.rows) { return; }
  let lo = bounds[2u * row];
  let hi = max(lo, min(bounds[2u * row + 1u], params.length));
  let base = row * params.length;
  let k = min(params.k, hi - lo);
  var prefix = 0u;
  var left = k;
  for (var digit = 0u; digit < 4u; digit++) {
    let shift = 24u - 8u * digit;
    atomicStore(&bins[lane], 0u);
    workgroupBarrier();
    for (var s = lo + lane; s < hi; s += LANES) {
      let u = order(scores[base + s]);
      // Shifts by 32 are not defined: the first digit has no prefix.
      if (digit == 0u || (u >> (shift + 8u)) == prefix) { atomicAdd(&bins[(u >> shift) & 255u], 1u); }
    }
    workgroupBarrier();
    if (lane == 0u) {
      var bin = 255u;
      var rest = left;
      for (var n = 0u; n < 256u; n++) {
        let count = atomicLoad(&bins[bin]);
        if (count >= rest || bin == 0u) { break; }
        rest -= count;
        bin -= 1u;
      }
      state[0] = bin;
      state[1] = rest;
    }
    workgroupBarrier();
    prefix = (prefix << 8u) | state[0];
    left = state[1];
    workgroupBarrier();
  }
  // `prefix` is the k-th largest value, `left` of its equals are wanted. Every lane owns a stretch of columns.
  let stretch = (hi - lo + LANES - 1u) / LANES;
  let begin = min(lo + lane * stretch, hi);
  let to = min(begin + stretch, hi);
  var own = vec2u(0u);
  for (var s = begin; s < to; s++) {
    let u = order(scores[base + s]);
    own += vec2u(select(0u, 1u, u > prefix), select(0u, 1u, u == prefix));
  }
  sums[lane] = own;
  workgroupBarrier();
  if (lane == 0u) {
    var total = vec2u(0u);
    for (var n = 0u; n < LANES; n++) {
      let here = sums[n];
      sums[n] = total;
      total += here;
    }
    state[0] = total.y;
  }
  workgroupBarrier();
  // Equals before the last `left` of them are passed over.
  let skipped = state[0] - min(left, state[0]);
  var above = sums[lane].x;
  var equals = sums[lane].y;
  for (var s = begin; s < to; s++) {
    let u = order(scores[base + s]);
    let place = above + max(equals, skipped) - skipped;
    if (u > prefix) {
      if (place < k) { chosen[row * params.k + place] = s; }
      above += 1u;
    } else if (u == prefix) {
      if (equals >= skipped && place < k) { chosen[row * params.k + place] = s; }
      equals += 1u;
    }
  }
  for (var n = k + lane; n < params.k; n += LANES) { chosen[row * params.k + n] = NONE; }
}
