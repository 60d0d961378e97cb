// Exact top-k of few long rows, each spread over many workgroups (decoding): digits of 11, 11 and 10 bits with histograms
// in memory, then counts per block, then the blocks write in order. Candidates, ties and output as in topk_bisect.wgsl.
//   state [rows, 4]: prefix found so far, how many are still wanted within it, equals in total, unused
//   bins [rows, 3, BINS], a histogram for each digit, all cleared at once
//   counts [rows, blocks, 2]: above the threshold and equal to it, then their sums before the block
import package::lib::index::linear;
import package::attention::topk_order::{NONE, order};

const BLOCK: u32 = 64u;
const BINS: u32 = 2048u;

struct Params { rows: u32, length: u32, k: u32, digit: u32, blocks: u32 }

@group(0) @binding(0) var<storage, read_write> scores: array<f32>;
@group(0) @binding(1) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(2) var<storage, read_write> state: array<u32>;
@group(0) @binding(3) var<storage, read_write> bins: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> counts: array<u32>;
@group(0) @binding(5) var<storage, read_write> chosen: array<u32>;
@group(0) @binding(6) var<uniform> params: Params;

fn shift_of(digit: u32) -> u32 {
  return select(select(0u, 10u, digit == 1u), 21u, digit == 0u);
}

fn candidates(row: u32) -> vec2u {
  let lo = bounds[2u * row];
  return vec2u(lo, max(lo, min(bounds[2u * row + 1u], params.length)));
}

@compute @workgroup_size(64)
fn start(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * 3u * BINS) { return; }
  atomicStore(&bins[i], 0u);
  if (i < params.rows) {
    let seen = candidates(i);
    state[4u * i] = 0u;
    state[4u * i + 1u] = min(params.k, seen.y - seen.x);
  }
}

// A thread per block of columns.
@compute @workgroup_size(64)
fn histogram(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.blocks) { return; }
  let row = i / params.blocks;
  let seen = candidates(row);
  let begin = max(seen.x, (i % params.blocks) * BLOCK);
  let to = min(seen.y, (i % params.blocks + 1u) * BLOCK);
  let shift = shift_of(params.digit);
  let width = select(11u, 10u, params.digit == 2u);
  for (var s = begin; s < to; s++) {
    let u = order(scores[row * params.length + s]);
    if (params.digit == 0u || (u >> (shift + width)) == state[4u * row]) {
      atomicAdd(&bins[(3u * row + params.digit) * BINS + ((u >> shift) & ((1u << width) - 1u))], 1u);
    }
  }
}

@compute @workgroup_size(64)
fn pick(@builtin(global_invocation_id) gid: vec3u) {
  let row = linear(gid);
  if (row >= params.rows) { return; }
  let width = select(11u, 10u, params.digit == 2u);
  let first = (3u * row + params.digit) * BINS;
  var bin = (1u << width) - 1u;
  var rest = state[4u * row + 1u];
  var count = atomicLoad(&bins[first + bin]);
  while (count < rest && bin > 0u) {
    rest -= count;
    bin -= 1u;
    count = atomicLoad(&bins[first + bin]);
  }
  state[4u * row] = (state[4u * row] << width) | bin;
  state[4u * row + 1u] = rest;
  state[4u * row + 2u] = count;
}

@compute @workgroup_size(64)
fn count(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.blocks) { return; }
  let row = i / params.blocks;
  let seen = candidates(row);
  let begin = max(seen.x, (i % params.blocks) * BLOCK);
  let to = min(seen.y, (i % params.blocks + 1u) * BLOCK);
  var own = vec2u(0u);
  for (var s = begin; s < to; s++) {
    let u = order(scores[row * params.length + s]);
    own += vec2u(select(0u, 1u, u > state[4u * row]), select(0u, 1u, u == state[4u * row]));
  }
  counts[2u * i] = own.x;
  counts[2u * i + 1u] = own.y;
}

// Counts to sums before each block.
@compute @workgroup_size(64)
fn offsets(@builtin(global_invocation_id) gid: vec3u) {
  let row = linear(gid);
  if (row >= params.rows) { return; }
  var total = vec2u(0u);
  for (var b = 0u; b < params.blocks; b++) {
    let at = 2u * (row * params.blocks + b);
    let here = vec2u(counts[at], counts[at + 1u]);
    counts[at] = total.x;
    counts[at + 1u] = total.y;
    total += here;
  }
}

@compute @workgroup_size(64)
fn emit(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.blocks) { return; }
  let row = i / params.blocks;
  let seen = candidates(row);
  let k = min(params.k, seen.y - seen.x);
  let begin = max(seen.x, (i % params.blocks) * BLOCK);
  let to = min(seen.y, (i % params.blocks + 1u) * BLOCK);
  let threshold = state[4u * row];
  let skipped = state[4u * row + 2u] - min(state[4u * row + 1u], state[4u * row + 2u]);
  var above = counts[2u * i];
  var equals = counts[2u * i + 1u];
  for (var s = begin; s < to; s++) {
    let u = order(scores[row * params.length + s]);
    let place = above + max(equals, skipped) - skipped;
    if (u > threshold) {
      if (place < k) { chosen[row * params.k + place] = s; }
      above += 1u;
    } else if (u == threshold) {
      if (equals >= skipped && place < k) { chosen[row * params.k + place] = s; }
      equals += 1u;
    }
  }
  if (i % params.blocks == 0u) {
    for (var n = k; n < params.k; n++) { chosen[row * params.k + n] = NONE; }
  }
}
