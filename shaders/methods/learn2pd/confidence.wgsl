// Guess of every row of logits: most probable token (lowest id of equals), its probability c, and the margin to the second.
// The mask token is never a guess and has no probability; with SUPPRESS neither has the end token (LLaDA's switch).
// One workgroup a row. For vocabularies of at most 256, finalize_filter.wgsl does this itself.
import package::methods::learn2pd::state::{EOT, MASK, SUPPRESS};

const LANES: u32 = 64u;
const LOWEST: f32 = -3.0e38;

struct Params { rows: u32, vocab: u32 }

@group(0) @binding(0) var<storage, read_write> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> settings: array<u32>;
// [rows, 3]: token, bits of c, bits of the margin.
@group(0) @binding(2) var<storage, read_write> guesses: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> tops: array<f32, LANES>;
var<workgroup> seconds: array<f32, LANES>;
var<workgroup> ids: array<u32, LANES>;
var<workgroup> sums: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn guess(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = wid.x + wid.y * 65535u;
  // The same for all lanes of a workgroup: nobody is left waiting at a barrier.
  if (row >= params.rows) { return; }
  let at = row * params.vocab;
  let silent = select(MASK, EOT, settings[SUPPRESS] != 0u);
  var top = LOWEST;
  var second = LOWEST;
  var id = 0u;
  for (var v = lane; v < params.vocab; v += LANES) {
    let x = select(logits[at + v], LOWEST, v == MASK || v == silent);
    if (x > top) {
      second = top;
      top = x;
      id = v;
    } else {
      second = max(second, x);
    }
  }
  tops[lane] = top;
  seconds[lane] = second;
  ids[lane] = id;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half >>= 1u) {
    if (lane < half) {
      let x = tops[lane + half];
      let wins = x > tops[lane] || (x == tops[lane] && ids[lane + half] < ids[lane]);
      seconds[lane] = max(max(seconds[lane], seconds[lane + half]), min(x, tops[lane]));
      if (wins) {
        tops[lane] = x;
        ids[lane] = ids[lane + half];
      }
    }
    workgroupBarrier();
  }
  let m = tops[0];
  var sum = 0.0;
  for (var v = lane; v < params.vocab; v += LANES) {
    if (v != MASK && v != silent) { sum += exp(logits[at + v] - m); }
  }
  sums[lane] = sum;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half >>= 1u) {
    if (lane < half) { sums[lane] += sums[lane + half]; }
    workgroupBarrier();
  }
  if (lane == 0u) {
    guesses[3u * row] = ids[0];
    guesses[3u * row + 1u] = bitcast<u32>(1.0 / sums[0]);
    guesses[3u * row + 2u] = bitcast<u32>((1.0 - exp(seconds[0] - m)) / sums[0]);
  }
}
