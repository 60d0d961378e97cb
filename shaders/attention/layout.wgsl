// Which rows form a sequence, and which keys a query sees: one description for space, time and causal attention.
// Row of element i of sequence s: (s / inner) * outer + s % inner + i * stride.
//   space:  one sequence a frame      inner 1, outer S, stride 1
//   time:   one sequence a slot       inner S, outer T*S, stride S
//   causal: one sequence a batch row  inner 1, outer T, stride 1
// mode 0: `mask` holds one bit per (query, key), `words` u32 per query. mode 1: causal within `window`, and `mask`
// holds per batch row the first visible element; 0xffffffff = every element sees itself only (image rows).
// mode 2: `mask` holds per row (first key, one past the last key): packed documents, prefixes, length bounds. There
// `window` is 1 when no query sees a later key, which saves half of the backward pass. mode 3: every query sees every key.
struct Params {
  length: u32, heads: u32, kv: u32, inner: u32, outer: u32, stride: u32, mode: u32, words: u32,
  window: u32, scale: f32, cap: f32, count: u32,
}

// Row of element 0 of a sequence.
fn first_row(p: Params, sequence: u32) -> u32 {
  return (sequence / p.inner) * p.outer + sequence % p.inner;
}

// First key that query i sees through a causal window; `start` as the mask gives it.
fn window_start(i: u32, start: u32, window: u32) -> u32 {
  return select(max(start, i + 1u - min(i + 1u, window)), i, start > i);
}

// First key that any query of a block sees, for a block that begins at query `i`.
fn block_start(i: u32, window: u32) -> u32 {
  return i + 1u - min(i + 1u, window);
}

fn capped(score: f32, cap: f32) -> f32 {
  if (cap <= 0.0) { return score; }
  return cap * tanh(clamp(score / cap, -10.0, 10.0));
}

// Derivative of capped() from its value.
fn capped_slope(value: f32, cap: f32) -> f32 {
  if (cap <= 0.0) { return 1.0; }
  let t = value / cap;
  return 1.0 - t * t;
}
