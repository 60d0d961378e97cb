// Draws the next token of every sequence from logits [sequences, vocab] and moves the sequence on. Rule, in this order:
//   temperature 0: the largest logit, lowest id first
//   top-k: keep logits not below the k-th largest (all of its equals too)
//   top-p: of those, keep the most probable ones until their share reaches p (equals too)
//   Gumbel-max over what is kept, with noise of (seed of the row, index, id): independent of batch and adapter
// Also writes the log-probability of the token under softmax(logits / temperature) before top-k and top-p.
// Thresholds are found bit by bit on order_key(): 32 counts, no sort, no limit on the number of equals.
import package::lib::rng::mix32;
import package::lib::sampling::{gumbel, order_key};
import package::lm::state::{CURSOR, DONE, LIMIT, SEED, WORDS};

const STOPS: u32 = 8u;
const STREAM: u32 = 0x73616d70u;

struct Params { sequences: u32, vocab: u32, capacity: u32 }

@group(0) @binding(0) var<storage, read_write> logits: array<f32>;
// temperature, top-p (f32 bits), top-k (0 = off), number of stop tokens, stop tokens
@group(0) @binding(1) var<storage, read_write> settings: array<u32>;
@group(0) @binding(2) var<storage, read_write> state: array<u32>;
@group(0) @binding(3) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(4) var<storage, read_write> logprobs: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

fn move_on(row: u32, choice: u32, logprob: f32) {
  let index = state[row * WORDS + CURSOR] + 1u;
  tokens[row * params.capacity + index] = choice;
  logprobs[row * params.capacity + index] = logprob;
  state[row * WORDS + CURSOR] = index;
  var done = select(0u, 2u, index + 1u >= state[row * WORDS + LIMIT]);
  for (var i = 0u; i < min(settings[3], STOPS); i++) {
    if (settings[4u + i] == choice) { done = 1u; }
  }
  state[row * WORDS + DONE] = done;
}

// CPU adapters: one thread a sequence.
@compute @workgroup_size(8)
fn serial(@builtin(global_invocation_id) gid: vec3u) {
  let row = gid.x;
  if (row >= params.sequences || state[row * WORDS + DONE] != 0u) { return; }
  let at = row * params.vocab;
  let temperature = bitcast<f32>(settings[0]);
  let p = bitcast<f32>(settings[1]);
  let k = settings[2];
  let greedy = temperature == 0.0;
  let inverse = select(1.0 / temperature, 1.0, greedy);
  var choice = 0u;
  var m = logits[at];
  for (var i = 1u; i < params.vocab; i++) {
    if (logits[at + i] > m) {
      m = logits[at + i];
      choice = i;
    }
  }
  var sum = 0.0;
  for (var i = 0u; i < params.vocab; i++) { sum += exp((logits[at + i] - m) * inverse); }
  if (!greedy) {
    var threshold = 0u;
    if (k > 0u && k < params.vocab) {
      for (var bit = 0x80000000u; bit > 0u; bit >>= 1u) {
        var count = 0u;
        for (var i = 0u; i < params.vocab; i++) { count += u32(order_key(logits[at + i]) >= (threshold | bit)); }
        if (count >= k) { threshold |= bit; }
      }
    }
    if (p < 1.0) {
      let least = threshold;
      var whole = 0.0;
      for (var i = 0u; i < params.vocab; i++) {
        if (order_key(logits[at + i]) >= least) { whole += exp((logits[at + i] - m) * inverse); }
      }
      threshold = 0u;
      for (var bit = 0x80000000u; bit > 0u; bit >>= 1u) {
        var mass = 0.0;
        for (var i = 0u; i < params.vocab; i++) {
          if (order_key(logits[at + i]) >= max(least, threshold | bit)) { mass += exp((logits[at + i] - m) * inverse); }
        }
        if (mass >= p * whole) { threshold |= bit; }
      }
      threshold = max(threshold, least);
    }
    let index = state[row * WORDS + CURSOR] + 1u;
    var best = -3.0e38;
    for (var i = 0u; i < params.vocab; i++) {
      if (order_key(logits[at + i]) < threshold) { continue; }
      let score = (logits[at + i] - m) * inverse + gumbel(mix32(state[row * WORDS + SEED], index, i, STREAM));
      if (score > best) {
        best = score;
        choice = i;
      }
    }
  }
  move_on(row, choice, (logits[at + choice] - m) * inverse - log(sum));
}

// GPUs: one workgroup a sequence. `pairs` carries (value, id) through reductions; ties go to the lowest id.
var<workgroup> pairs: array<vec2f, 256>;
var<workgroup> choices: array<u32, 256>;

fn total(lane: u32, value: f32) -> f32 {
  pairs[lane].x = value;
  workgroupBarrier();
  for (var step = 128u; step > 0u; step >>= 1u) {
    if (lane < step) { pairs[lane].x += pairs[lane + step].x; }
    workgroupBarrier();
  }
  let sum = pairs[0].x;
  workgroupBarrier();
  return sum;
}

fn best_of(lane: u32, value: f32, id: u32) -> vec2f {
  pairs[lane].x = value;
  choices[lane] = id;
  workgroupBarrier();
  for (var step = 128u; step > 0u; step >>= 1u) {
    if (lane < step) {
      let x = pairs[lane + step].x;
      let wins = x > pairs[lane].x || (x == pairs[lane].x && choices[lane + step] < choices[lane]);
      if (wins) {
        pairs[lane].x = x;
        choices[lane] = choices[lane + step];
      }
    }
    workgroupBarrier();
  }
  let result = vec2f(pairs[0].x, bitcast<f32>(choices[0]));
  workgroupBarrier();
  return result;
}

@compute @workgroup_size(256)
fn spread(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = wid.x;
  let at = row * params.vocab;
  let temperature = bitcast<f32>(settings[0]);
  let p = bitcast<f32>(settings[1]);
  let k = settings[2];
  let greedy = temperature == 0.0;
  let inverse = select(1.0 / temperature, 1.0, greedy);
  // Finished sequences do the same steps and write nothing: barriers want all lanes of all workgroups alike.
  let running = state[row * WORDS + DONE] == 0u;
  let index = state[row * WORDS + CURSOR] + 1u;
  let seed = state[row * WORDS + SEED];

  var value = -3.0e38;
  var id = 0xffffffffu;
  for (var i = lane; i < params.vocab; i += 256u) {
    if (logits[at + i] > value) {
      value = logits[at + i];
      id = i;
    }
  }
  let top = best_of(lane, value, id);
  let m = top.x;
  var choice = bitcast<u32>(top.y);
  var part = 0.0;
  for (var i = lane; i < params.vocab; i += 256u) { part += exp((logits[at + i] - m) * inverse); }
  let sum = total(lane, part);
  var threshold = 0u;
  let by_k = k > 0u && k < params.vocab;
  for (var bit = 0u; bit < 32u; bit++) {
    let candidate = threshold | (0x80000000u >> bit);
    part = 0.0;
    if (by_k) {
      for (var i = lane; i < params.vocab; i += 256u) { part += f32(order_key(logits[at + i]) >= candidate); }
    }
    // Counts below 2^24 are exact in f32.
    let count = total(lane, part);
    if (by_k && count >= f32(k)) { threshold = candidate; }
  }
  let least = threshold;
  part = 0.0;
  for (var i = lane; i < params.vocab; i += 256u) {
    if (order_key(logits[at + i]) >= least) { part += exp((logits[at + i] - m) * inverse); }
  }
  let whole = total(lane, part);
  threshold = 0u;
  for (var bit = 0u; bit < 32u; bit++) {
    let candidate = threshold | (0x80000000u >> bit);
    part = 0.0;
    if (p < 1.0) {
      for (var i = lane; i < params.vocab; i += 256u) {
        if (order_key(logits[at + i]) >= max(least, candidate)) { part += exp((logits[at + i] - m) * inverse); }
      }
    }
    let mass = total(lane, part);
    if (p < 1.0 && mass >= p * whole) { threshold = candidate; }
  }
  threshold = max(threshold, least);
  value = -3.0e38;
  id = 0xffffffffu;
  for (var i = lane; i < params.vocab; i += 256u) {
    if (order_key(logits[at + i]) >= threshold) {
      let score = (logits[at + i] - m) * inverse + gumbel(mix32(seed, index, i, STREAM));
      if (score > value) {
        value = score;
        id = i;
      }
    }
  }
  let drawn = bitcast<u32>(best_of(lane, value, id).y);
  choice = select(drawn, choice, greedy);
  if (lane == 0u && running) { move_on(row, choice, (logits[at + choice] - m) * inverse - log(sum)); }
}
