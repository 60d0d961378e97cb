// What attention/row_block.wgsl does, one invocation per row and one number at a time: every row loads all weights for itself,
// its inputs lie in memory that is its own. First rung of the ladder. Sizes and places in `weights` count vec4s, as there.

struct Params {
  rows: u32, d: u32, attended: u32, hidden: u32, width: u32, heads: u32, kv: u32, dh: u32, every: u32, period: u32,
  eps: f32, at_out: u32, at_norm2: u32, at_gu: u32, at_down: u32, at_norm1: u32, at_qkv: u32, at_gain_q: u32, at_gain_k: u32,
  tile: u32, length: u32, tiles: u32, scale: f32, capacity: u32, window: u32, write: u32,
  start: u32, last: u32,
  then_out: u32, then_norm2: u32, then_gu: u32, then_down: u32, then_norm1: u32, then_qkv: u32, then_gain_q: u32, then_gain_k: u32,
}

// Numbers of a row, and of its hidden layer.
const D: u32 = 64u;
const HIDDEN: u32 = 160u;

@group(0) @binding(0) var<storage, read_write> weights: array<f32>;
@group(0) @binding(1) var<storage, read_write> read: array<f32>;
@group(0) @binding(2) var<storage, read_write> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> table: array<f32>;
@group(0) @binding(5) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(6) var<uniform> p: Params;

var<private> normed: array<f32, D>;
var<private> inner: array<f32, HIDDEN>;

// RMSNorm of a finished row of y, times the gain at `gain`.
fn norm(row: u32, gain: u32) {
  var sum = 0.0;
  for (var i = 0u; i < D; i++) { sum += y[row * D + i] * y[row * D + i]; }
  let r = inverseSqrt(sum / f32(D) + p.eps);
  for (var i = 0u; i < D; i++) { normed[i] = y[row * D + i] * r * weights[4u * gain + i]; }
}

// The normalised row times one column of the matrix at `w`, n wide.
fn column(w: u32, n: u32, c: u32) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < D; i++) { sum += normed[i] * weights[4u * w + i * n + c]; }
  return sum;
}

@compute @workgroup_size(8)
fn naive(@builtin(global_invocation_id) gid: vec3u) {
  let row = gid.x;
  if (row >= p.rows) { return; }
  let attended = 4u * p.attended;
  for (var c = 0u; c < D; c++) {
    var sum = x[row * D + c];
    for (var i = 0u; i < attended; i++) { sum += read[row * attended + i] * weights[4u * p.at_out + i * D + c]; }
    y[row * D + c] = sum;
  }
  norm(row, p.at_norm2);
  for (var c = 0u; c < HIDDEN; c++) {
    let gate = column(p.at_gu, 2u * HIDDEN, c);
    inner[c] = gate / (1.0 + exp(-gate)) * column(p.at_gu, 2u * HIDDEN, HIDDEN + c);
  }
  for (var c = 0u; c < D; c++) {
    var sum = y[row * D + c];
    for (var i = 0u; i < HIDDEN; i++) { sum += inner[i] * weights[4u * p.at_down + i * D + c]; }
    y[row * D + c] = sum;
  }
  norm(row, p.at_norm1);
  let width = 4u * p.width;
  let dh = 4u * p.dh;
  let position = row / p.every % p.period;
  for (var head = 0u; head < p.heads + 2u * p.kv; head++) {
    let at = row * width + head * dh;
    var square = 0.0;
    for (var c = 0u; c < dh; c++) {
      let v = column(p.at_qkv, width, head * dh + c);
      qkv[at + c] = v;
      square += v * v;
    }
    if (head >= p.heads + p.kv) { continue; }
    let r = inverseSqrt(square / f32(dh) + p.eps);
    let gain = 4u * select(p.at_gain_k, p.at_gain_q, head < p.heads);
    for (var c = 0u; c < dh; c += 2u) {
      let a = qkv[at + c] * r * weights[gain + c];
      let b = qkv[at + c + 1u] * r * weights[gain + c + 1u];
      let cosine = table[position * dh + c];
      let sine = table[position * dh + c + 1u];
      qkv[at + c] = a * cosine - b * sine;
      qkv[at + c + 1u] = a * sine + b * cosine;
    }
  }
}
