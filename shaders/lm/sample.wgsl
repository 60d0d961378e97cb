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

// Sum of exp((logit - m) * inverse) over logits whose key is not below a threshold, in blocks: one running f32 sum over the
// 151,936 tokens of Qwen3 loses three digits.
const BLOCK: u32 = 256u;

fn mass_above(at: u32, m: f32, inverse: f32, threshold: u32) -> f32 {
  var mass = 0.0;
  for (var block = 0u; block < params.vocab; block += BLOCK) {
    var part = 0.0;
    for (var i = block; i < min(block + BLOCK, params.vocab); i++) {
      if (order_key(logits[at + i]) >= threshold) { part += exp((logits[at + i] - m) * inverse); }
    }
    mass += part;
  }
  return mass;
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
  let sum = mass_above(at, m, inverse, 0u);
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
      let whole = mass_above(at, m, inverse, least);
      threshold = 0u;
      for (var bit = 0x80000000u; bit > 0u; bit >>= 1u) {
        let mass = mass_above(at, m, inverse, max(least, threshold | bit));
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
  // Round 0 adds up everything, 1..32 find the bits of the top-k threshold, 33 adds up what it leaves, 34..65 find the bits
  // of the top-p threshold. One loop with one reduction: compilers of CPU adapters write every call out.
  let by_k = k > 0u && k < params.vocab;
  var sum = 0.0;
  var whole = 0.0;
  var threshold = 0u;
  var least = 0u;
  for (var round = 0u; round < 66u; round++) {
    let first_half = round < 33u;
    let searching = round != 0u && round != 33u;
    if (round == 33u) {
      least = threshold;
      threshold = 0u;
    }
    let candidate = threshold | (0x80000000u >> (select(round - 34u, round - 1u, first_half) & 31u));
    let lowest = max(least, select(0u, candidate, searching));
    let counting = searching && first_half;
    var part = 0.0;
    if (!searching || select(p < 1.0, by_k, first_half)) {
      for (var i = lane; i < params.vocab; i += 256u) {
        if (order_key(logits[at + i]) >= lowest) {
          // Counts below 2^24 are exact in f32.
          part += select(exp((logits[at + i] - m) * inverse), 1.0, counting);
        }
      }
    }
    let value_of_round = total(lane, part);
    if (round == 0u) { sum = value_of_round; }
    if (round == 33u) { whole = value_of_round; }
    if (counting && by_k && value_of_round >= f32(k)) { threshold = candidate; }
    if (searching && !first_half && p < 1.0 && value_of_round >= p * whole) { threshold = candidate; }
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
