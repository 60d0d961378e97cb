// Attention forward for CPU adapters with subgroups of LANES invocations; the maths is that of forward.wgsl.
// There a load costs per lane even when all lanes want the same word: so every lane loads one key and one value of a block,
// and the rows travel within the subgroup, to ROWS queries of every lane: HEADS that share the keys, for ROWS / HEADS rows.
// FOURS is LANES / 4. Loops over ROWS, FOURS and DH4 are written out by kernelText (src/tensor/ops/attention.ts), which turns subgroupBroadcast
// into quadSwaps where EXCHANGE is 1. The loop over blocks of keys leaves at its end: one that leaves at its beginning runs
// its body once more with no lane active.
import package::attention::layout::{block_start, capped, first_row, Params, window_start};
enable subgroups;

const DH4: u32 = 4u;
const LANES: u32 = 8u;
const FOURS: u32 = 2u;
const ROWS: u32 = 1u;
const HEADS: u32 = 1u;
const EXCHANGE: u32 = 0u;
// Without a soft cap no tanh is computed; a branch would compute it and drop it.
const CAPPED: u32 = 1u;
// Every query sees every key: no mask is loaded and no bit tested.
const OPEN: u32 = 0u;

@group(0) @binding(0) var<storage, read_write> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> mask: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> lse: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

// The lanes whose rows are here in four turns of a block.
fn givers(lane: u32, four: u32) -> vec4u {
  let turns = 4u * four + vec4u(0u, 1u, 2u, 3u);
  return select(turns, vec4u(lane) ^ turns, EXCHANGE == 1u);
}

fn score(s: vec4f) -> vec4f {
  if (CAPPED == 0u) { return s; }
  return vec4f(capped(s.x, params.cap), capped(s.y, params.cap), capped(s.z, params.cap), capped(s.w, params.cap));
}

@compute @workgroup_size(LANES)
fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let sequence = wid.z;
  let first_head = wid.y * HEADS;
  let queries = LANES * (ROWS / HEADS);
  let top = wid.x * queries;
  let kv_head = first_head / (params.heads / params.kv);
  let width = (params.heads + 2u * params.kv) * DH4;
  let base = first_row(params, sequence);

  var q: array<array<vec4f, DH4>, ROWS>;
  var o: array<array<vec4f, DH4>, ROWS>;
  var m: array<f32, ROWS>;
  var l: array<f32, ROWS>;
  var lo: array<u32, ROWS>;
  var hi: array<u32, ROWS>;
  var first = 0u;
  var last = params.length;
  if (params.mode == 1u) {
    first = block_start(top, params.window) / LANES * LANES;
    last = min(params.length, top + queries);
  }
  // Bounds from a buffer cannot end a loop here: exchanges want control flow that is uniform to the compiler.
  if (params.mode == 2u) { last = select(last, min(params.length, top + queries), params.window == 1u); }
  for (var r = 0u; r < ROWS; r++) {
    let i = min(top + r / HEADS * LANES + lane, params.length - 1u);
    let row = base + i * params.stride;
    let head = first_head + r % HEADS;
    for (var c = 0u; c < DH4; c++) { q[r][c] = qkv[row * width + head * DH4 + c] * params.scale; }
    lo[r] = 0u;
    hi[r] = params.length;
    if (params.mode == 1u) {
      lo[r] = window_start(i, mask[sequence / params.inner], params.window);
      hi[r] = i + 1u;
    }
    if (params.mode == 2u) {
      lo[r] = mask[2u * row];
      hi[r] = mask[2u * row + 1u];
    }
    m[r] = -1e30;
  }
  var j = first;
  loop {
    let own = base + min(j + lane, params.length - 1u) * params.stride;
    let at = own * width + (params.heads + kv_head) * DH4;
    var k: array<vec4f, DH4>;
    var v: array<vec4f, DH4>;
    for (var c = 0u; c < DH4; c++) { k[c] = qkv[at + c]; }
    for (var c = 0u; c < DH4; c++) { v[c] = qkv[at + params.kv * DH4 + c]; }
    // A block of keys lies within one mask word, since LANES divides 32.
    var word: array<u32, ROWS>;
    for (var r = 0u; r < ROWS; r++) { word[r] = 0xffffffffu; }
    if (OPEN == 0u && params.mode == 0u) {
      for (var r = 0u; r < ROWS; r++) {
        word[r] = mask[min(top + r / HEADS * LANES + lane, params.length - 1u) * params.words + j / 32u] >> (j % 32u);
      }
    }
    // Four keys at a time as matrices: a variable of a loop is masked whenever it is set, which costs SwiftShader more than a
    // multiply-add, so everything is set once. By hand to zero: there it keeps its value from turn to turn.
    var p: array<array<vec4f, FOURS>, ROWS>;
    for (var h = 0u; h < FOURS; h++) {
      for (var r = 0u; r < ROWS; r++) { p[r][h] = vec4f(0.0); }
      for (var c = 0u; c < DH4; c++) {
        let keys = mat4x4f(
          subgroupBroadcast(k[c], 4u * h + 0u), subgroupBroadcast(k[c], 4u * h + 1u),
          subgroupBroadcast(k[c], 4u * h + 2u), subgroupBroadcast(k[c], 4u * h + 3u));
        for (var r = 0u; r < ROWS; r++) { p[r][h] += q[r][c] * keys; }
      }
    }
    for (var r = 0u; r < ROWS; r++) {
      var top_score = m[r];
      for (var h = 0u; h < FOURS; h++) {
        let key = givers(lane, h);
        let seen = (j + key < vec4u(params.length))
          & (vec4<bool>(OPEN == 1u) | ((j + key >= vec4u(lo[r])) & (j + key < vec4u(hi[r])) & (((vec4u(word[r]) >> key) & vec4u(1u)) == vec4u(1u))));
        p[r][h] = select(vec4f(-1e30), score(p[r][h]), seen);
        top_score = max(max(top_score, max(p[r][h].x, p[r][h].y)), max(p[r][h].z, p[r][h].w));
      }
      let shrink = exp(m[r] - top_score);
      l[r] *= shrink;
      m[r] = top_score;
      for (var h = 0u; h < FOURS; h++) {
        p[r][h] = select(exp(p[r][h] - top_score), vec4f(0.0), p[r][h] <= vec4f(-1e29));
        l[r] += dot(p[r][h], vec4f(1.0));
      }
      for (var c = 0u; c < DH4; c++) { o[r][c] *= shrink; }
    }
    for (var c = 0u; c < DH4; c++) {
      for (var h = 0u; h < FOURS; h++) {
        let values = mat4x4f(
          subgroupBroadcast(v[c], 4u * h + 0u), subgroupBroadcast(v[c], 4u * h + 1u),
          subgroupBroadcast(v[c], 4u * h + 2u), subgroupBroadcast(v[c], 4u * h + 3u));
        for (var r = 0u; r < ROWS; r++) { o[r][c] += values * p[r][h]; }
      }
    }
    j += LANES;
    continuing { break if j >= last; }
  }
  for (var r = 0u; r < ROWS; r++) {
    let query = top + r / HEADS * LANES + lane;
    let head = first_head + r % HEADS;
    let row = base + min(query, params.length - 1u) * params.stride;
    if (query < params.length) {
      let norm = 1.0 / max(l[r], 1e-30);
      for (var c = 0u; c < DH4; c++) { out[(row * params.heads + head) * DH4 + c] = o[r][c] * norm; }
      lse[row * params.heads + head] = m[r] + log(max(l[r], 1e-30));
    }
  }
}
