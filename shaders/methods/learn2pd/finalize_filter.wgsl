// The decision of one decoding pass, one workgroup a sequence, one lane a position of the block: confidence of every
// position, the policy (static, threshold, oracle, learned filter, margin, random), top-n, tokens, end-of-text
// prediction, next block. After it the next pass can be recorded blindly: the host is not asked.
//   filter: z = W_D .. ReLU(W_1 c + b_1) .. + b_D over the B confidences of the block (arXiv 2509.25188; learn2pd 1.5)
//   F = policy & masked | rank of c among masked < n;  n = masks of the block spread evenly over its steps, remainder first
// Layers of `filter` lie one after the other: B x B weights (row = input: lanes read neighbours), then B biases.
// `fused` reads logits (vocabularies of at most 256), `decide` what confidence.wgsl has made of them.
import package::lib::rng::mix32;
import package::methods::learn2pd::state::{
  BLOCK, BY_POLICY, BY_TOP, CACHE, CUT, END, EOT, EOTP, EOT_AT, FULL, GUARDED, LENGTH, MASK, MASKED, NEXT, NONE, PASSES,
  POLICY, REFRESH, SEED, STEP, STEPS, SUPPRESS, THRESHOLD, TRACE, WORDS
};

const LANES: u32 = 64u;
const LOWEST: f32 = -3.0e38;
const STREAM: u32 = 0x66696c74u;

const THRESHOLD_POLICY: u32 = 1u;
const ORACLE: u32 = 2u;
const LEARNED: u32 = 3u;
const MARGIN: u32 = 4u;
const RANDOM: u32 = 5u;

// Block and layers of the filter are no constants: compilers of CPU adapters would write all of their loops out (minutes).
// `queries`: rows of each sequence in logits or guesses; the first is position BLOCK, or 0 where `whole` is 1.
struct Params { sequences: u32, queries: u32, vocab: u32, capacity: u32, kind: u32, whole: u32, records: u32, block: u32, depth: u32 }

@group(0) @binding(0) var<storage, read_write> logits: array<f32>;
@group(0) @binding(0) var<storage, read_write> guesses: array<u32>;
@group(0) @binding(1) var<storage, read_write> settings: array<u32>;
@group(0) @binding(2) var<storage, read_write> filter_: array<f32>;
@group(0) @binding(3) var<storage, read_write> reference: array<u32>;
@group(0) @binding(4) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(5) var<storage, read_write> state: array<u32>;
@group(0) @binding(6) var<storage, read_write> trace: array<u32>;
@group(0) @binding(7) var<uniform> params: Params;

// c of the block, zero behind its end and in lanes beyond B.
var<workgroup> confidence: array<f32, LANES>;
var<workgroup> layer: array<f32, LANES>;
var<workgroup> hashes: array<u32, LANES>;
// 1 = masked, 2 = the policy wants it, 4 = finalised by the policy, 8 = finalised by top-n, 16 = final and the end token.
var<workgroup> marks: array<u32, LANES>;
// Best guess of the end token among positions that stay masked: confidence and position.
var<workgroup> end_score: array<f32, LANES>;
var<workgroup> end_at: array<u32, LANES>;

struct Guess { id: u32, c: f32, margin: f32 }

fn from_logits(row: u32) -> Guess {
  let at = row * params.vocab;
  let silent = select(MASK, EOT, settings[SUPPRESS] != 0u);
  var top = LOWEST;
  var second = LOWEST;
  var id = 0u;
  for (var v = 0u; v < params.vocab; v++) {
    let x = select(logits[at + v], LOWEST, v == MASK || v == silent);
    if (x > top) {
      second = top;
      top = x;
      id = v;
    } else {
      second = max(second, x);
    }
  }
  var sum = 0.0;
  for (var v = 0u; v < params.vocab; v++) {
    if (v != MASK && v != silent) { sum += exp(logits[at + v] - top); }
  }
  return Guess(id, 1.0 / sum, (1.0 - exp(second - top)) / sum);
}

fn from_guesses(row: u32) -> Guess {
  return Guess(guesses[3u * row], bitcast<f32>(guesses[3u * row + 1u]), bitcast<f32>(guesses[3u * row + 2u]));
}

fn running(s: u32) -> bool {
  return s < params.sequences && state[s * WORDS + NEXT] == params.kind;
}

// Position of the first row of a sequence.
fn origin(s: u32) -> u32 {
  return select(state[s * WORDS + BLOCK], 0u, params.whole == 1u);
}

// First tail position of a lane, and one past the last: the masked positions right of the block, if the rule needs them.
fn tail(s: u32, lane: u32) -> vec2u {
  let wanted = running(s) && settings[EOTP] == 2u;
  let last = min(state[s * WORDS + LENGTH], origin(s) + params.queries);
  return vec2u(state[s * WORDS + END] + lane, select(0u, last, wanted));
}

fn note_end(lane: u32, g: Guess, p: u32) {
  if (g.id == EOT && (g.c > end_score[lane] || (g.c == end_score[lane] && p < end_at[lane]))) {
    end_score[lane] = g.c;
    end_at[lane] = p;
  }
}

@compute @workgroup_size(LANES)
fn fused(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let s = wid.x;
  end_score[lane] = -1.0;
  end_at[lane] = NONE;
  var g = Guess(0u, 0.0, 0.0);
  let p = state[s * WORDS + BLOCK] + lane;
  if (running(s) && lane < params.block && p < state[s * WORDS + END]) { g = from_logits(s * params.queries + p - origin(s)); }
  let range = tail(s, lane);
  for (var q = range.x; q < range.y; q += LANES) { note_end(lane, from_logits(s * params.queries + q - origin(s)), q); }
  settle(s, lane, g);
}

@compute @workgroup_size(LANES)
fn decide(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let s = wid.x;
  end_score[lane] = -1.0;
  end_at[lane] = NONE;
  var g = Guess(0u, 0.0, 0.0);
  let p = state[s * WORDS + BLOCK] + lane;
  if (running(s) && lane < params.block && p < state[s * WORDS + END]) { g = from_guesses(s * params.queries + p - origin(s)); }
  let range = tail(s, lane);
  for (var q = range.x; q < range.y; q += LANES) { note_end(lane, from_guesses(s * params.queries + q - origin(s)), q); }
  settle(s, lane, g);
}

// All lanes come here, also those of sequences that do not run: they write nothing.
fn settle(s: u32, lane: u32, g: Guess) {
  let base = s * WORDS;
  let policy = settings[POLICY];
  let threshold = bitcast<f32>(settings[THRESHOLD]);
  let run = running(s);
  let p = state[base + BLOCK] + lane;
  let inside = run && lane < params.block && p < state[base + END];
  let here = s * params.capacity + p;
  var masked = false;
  var expected = 0u;
  if (inside) {
    masked = tokens[here] == MASK;
    expected = reference[here];
  }
  confidence[lane] = g.c;
  layer[lane] = g.c;
  hashes[lane] = mix32(state[base + SEED], state[base + PASSES], lane, STREAM);
  workgroupBarrier();

  let uses_filter = policy == LEARNED || policy == RANDOM;
  var z = 0.0;
  for (var d = 0u; d < params.depth; d++) {
    if (uses_filter && lane < params.block) {
      let w = d * (params.block * params.block + params.block);
      z = filter_[w + params.block * params.block + lane];
      for (var i = 0u; i < params.block; i++) { z += filter_[w + i * params.block + lane] * layer[i]; }
    }
    workgroupBarrier();
    layer[lane] = select(z, max(z, 0.0), d + 1u < params.depth);
    workgroupBarrier();
  }

  var wanted = uses_filter && z > threshold;
  if (policy == THRESHOLD_POLICY) { wanted = g.c >= threshold; }
  if (policy == ORACLE) { wanted = g.id == expected; }
  if (policy == MARGIN) { wanted = g.margin >= threshold; }
  marks[lane] = select(0u, select(1u, 3u, wanted), masked);
  workgroupBarrier();

  var matches = 0u;
  var rank = 0u;
  var lot = 0u;
  for (var i = 0u; i < params.block; i++) {
    if ((marks[i] & 1u) == 0u) { continue; }
    matches += marks[i] >> 1u;
    rank += u32(confidence[i] > g.c || (confidence[i] == g.c && i < lane));
    lot += u32(hashes[i] < hashes[lane] || (hashes[i] == hashes[lane] && i < lane));
  }
  if (policy == RANDOM) { wanted = lot < matches; }
  let steps = max(settings[STEPS], 1u);
  let all = state[base + MASKED];
  let n = all / steps + u32(state[base + STEP] < all % steps);
  // The oracle goes its own way: without any match it would stand still, so the surest positions are written from y.
  let oracle = policy == ORACLE;
  let top = rank < n && (!oracle || matches == 0u);
  let by_policy = masked && wanted;
  let by_top = masked && top && !by_policy;
  let chosen = by_policy || by_top;
  let guarded = by_top && oracle;
  let id = select(g.id, expected, guarded);
  if (masked && !chosen) { note_end(lane, g, p); }
  workgroupBarrier();
  marks[lane] = u32(masked) | (u32(by_policy) << 2u) | (u32(by_top) << 3u) | (u32(chosen && id == EOT) << 4u);
  if (chosen) { tokens[here] = id; }
  let pass_ = state[base + PASSES];
  if (run && settings[TRACE] != 0u && pass_ < params.records) {
    let at = (s * params.records + pass_) * (4u + 2u * params.block);
    if (lane < params.block) {
      trace[at + 4u + lane] = g.id | (((marks[lane] >> 2u) & 3u) << 24u) | (u32(masked) << 26u) | (u32(guarded) << 27u);
      trace[at + 4u + params.block + lane] = bitcast<u32>(g.c);
    }
    if (lane == 0u) {
      trace[at] = state[base + BLOCK];
      trace[at + 1u] = state[base + END];
      trace[at + 2u] = state[base + LENGTH];
      trace[at + 3u] = params.kind;
    }
  }
  storageBarrier();
  workgroupBarrier();
  if (lane == 0u && run) { advance(s, oracle); }
}

fn advance(s: u32, oracle: bool) {
  let base = s * WORDS;
  let block = state[base + BLOCK];
  var left = 0u;
  var first_end = NONE;
  var top_count = 0u;
  for (var i = 0u; i < params.block; i++) {
    state[base + BY_POLICY] += (marks[i] >> 2u) & 1u;
    top_count += (marks[i] >> 3u) & 1u;
    if ((marks[i] & 16u) != 0u && first_end == NONE) { first_end = block + i; }
  }
  state[base + BY_TOP] += top_count;
  state[base + GUARDED] += select(0u, top_count, oracle);
  var length = state[base + LENGTH];
  if (settings[EOTP] != 0u) {
    var cut = first_end;
    if (settings[EOTP] == 2u && cut == NONE) {
      var best = -1.0;
      for (var i = 0u; i < LANES; i++) {
        if (end_at[i] != NONE && (end_score[i] > best || (end_score[i] == best && end_at[i] < cut))) {
          best = end_score[i];
          cut = end_at[i];
        }
      }
    }
    if (cut != NONE) {
      state[base + CUT] += length - cut - 1u;
      state[base + EOT_AT] = cut;
      length = cut + 1u;
      state[base + LENGTH] = length;
    }
  }
  let end = min(state[base + END], length);
  for (var i = 0u; i < params.block; i++) { left += u32(block + i < end && (marks[i] & 13u) == 1u); }
  state[base + PASSES] += 1u;
  state[base + FULL] += u32(params.kind == 1u);
  let step = state[base + STEP] + 1u;
  state[base + STEP] = step;
  state[base + END] = end;
  let refresh = settings[REFRESH];
  state[base + NEXT] = select(2u, 1u, settings[CACHE] == 0u || (refresh > 0u && step % max(refresh, 1u) == 0u));
  if (left == 0u) {
    let next_end = min(end + params.block, length);
    state[base + BLOCK] = end;
    state[base + END] = next_end;
    state[base + STEP] = 0u;
    state[base + MASKED] = next_end - end;
    state[base + NEXT] = select(0u, 1u, end < length);
  }
}
