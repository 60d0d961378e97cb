// From one attention of a transformer to the next, on lavapipe with subgroups of eight, and those attentions that need only
// what the launch before wrote (open) or what a row has of its own (ring). One text: where a launch starts and ends is p's.
//   open   mixed = attention of `read`, in which all rows of a sequence see each other (forward_software.wgsl)
//   tail   y = x + mixed Wout, then y += SwiGLU(norm(y) Wgu) Wdown     Wgu = [gate | up]
//   lead   qkv = norm(y) Wqkv, queries and keys normalised per head and rotated     (without tail, y is x)
//   ring   mixed = attention of such rows over a ring of past ones (decode_software.wgsl); then tail and lead once more, of the
//          second half of places. The layer of the ring has no rotation of its own.
// A layer is then one launch or two instead of eight, and rows stay in the workgroup between their products. Not for GPUs, whose
// workgroups would all read all weights for a few rows each, and not for quads (src/tensor/kernels/row-block.ts says why).
//
// A workgroup is one subgroup and takes p.tile rows. The products are those of matmul_software.wgsl, rows of A travel by
// broadcast; here A lies in workgroup memory. Sums run over k in one order, so the result does not depend on the tile. The
// second half of a tile's eight vec4s of columns stands `far` to the right of the first: for Wgu that is the other half of the
// matrix, so that gate and up meet.
//
// No barriers, though lanes read what others wrote: the subgroup is the workgroup, and the one compiler that gets this text
// runs it as one vector, statement by statement. With barriers it turns the kernel into a coroutine, whose variables all live
// in memory: 370 us instead of 270 (52 rows of the micro dynamics, beside other work). Loops leave at their end: a loop that
// leaves at its beginning runs its body once more with no lane active.
//
// src/tensor/kernels/row-block.ts repeats lines that end in `each group` (LANES rows) or `each row`. Loops over
// rows end at a uniform: with a constant, compilers write them out and take ten times as long.
// Sizes and places in `weights` count vec4s. Where all matrices are exact in 16 bits (`halves`), they lie in `matrices` once
// more, at the same number: four rows of four columns side by side, so that a tile takes two loads instead of four.

struct Params {
  rows: u32, d: u32, attended: u32, hidden: u32, width: u32, heads: u32, kv: u32, dh: u32, every: u32, period: u32,
  eps: f32, at_out: u32, at_norm2: u32, at_gu: u32, at_down: u32, at_norm1: u32, at_qkv: u32, at_gain_q: u32, at_gain_k: u32,
  tile: u32, length: u32, tiles: u32, scale: f32, capacity: u32, window: u32, write: u32,
  start: u32, last: u32,
  then_out: u32, then_norm2: u32, then_gu: u32, then_down: u32, then_norm1: u32, then_qkv: u32, then_gain_q: u32, then_gain_k: u32,
}

const LANES: u32 = 8u;

// Where it starts: with x, with what an attention gave, with an attention.
const ALONE: u32 = 0u;
const MIXED: u32 = 1u;
const OPEN: u32 = 2u;

// Stages; behind the attention of a ring they follow once more, four further.
const OUT: u32 = 0u;
const UP: u32 = 1u;
const DOWN: u32 = 2u;
const QKV: u32 = 3u;

// Two areas of ROW_SLOTS rows: inputs of a product here, its results there, and back.
var<workgroup> act: array<vec4f, AREAS>;
var<workgroup> scale: array<f32, ROW_SLOTS>;
// Where a row's rotation begins in the table.
var<workgroup> turn: array<u32, ROW_SLOTS>;
// Finished sums of a tile, each lane its own: an array that a variable indexes takes compilers long, unless it is memory.
var<workgroup> cells: array<vec4f, CELLS>;

// Rows of k vec4s from `first` on times the matrix at `w`, n vec4s wide, of which `columns` are taken; results go where the
// stage says.
fn product(stage: u32, again: bool, top: u32, end: u32, lane: u32, first: u32, k: u32, w: u32, n: u32, columns: u32, far: u32) {
  // Of Wgu a tile holds half as many columns, of either half.
  let step = select(LANES, 4u, stage == UP);
  let seat = lane % 4u + lane / 4u * far;
  var left = 0u;
  loop {
    var c_0 = vec4f(); // each row
    var i = 0u;
    loop {
      let a_0 = act[first + (GROUP * LANES + lane) * k + i]; // each group
      let b = tile(w + 4u * i * n + left + seat, n); // if floats
      let b = tile(w / 2u + 2u * (i * n + left + seat)); // if halves
      c_0 += b * subgroupBroadcast(a_GROUP, SEAT); // each row
      continuing { i++; break if i >= k; }
    }
    cells[ROW * LANES + lane] = c_0; // each row
    let column = left + lane;
    let head = column / p.dh;
    var at_gain = select(p.at_gain_k, p.at_gain_q, head < p.heads);
    if (again) { at_gain = select(p.then_gain_k, p.then_gain_q, head < p.heads); } // if ring
    let gain = weights[at_gain + column % p.dh];
    if (stage == UP) {
      // Two rows at a time: half of the lanes hold gates and take this row, the others hold ups and take the next.
      let upper = lane / 4u;
      var r = 0u;
      loop {
        let here = cells[(r + upper) * LANES + lane];
        let there = subgroupShuffleXor(cells[(r + 1u - upper) * LANES + lane], 4u);
        let gate = select(here, there, upper == 1u);
        let up = select(there, here, upper == 1u);
        act[SECOND + (r + upper) * p.hidden + left + lane % 4u] = gate / (1.0 + exp(-gate)) * up;
        continuing { r += 2u; break if r >= p.tile; }
      }
    } else {
    var r = 0u;
    loop {
      let row = top + r;
      var sum = cells[r * LANES + lane];
      if (stage == QKV) {
        // Norm and rotation of a head, which lies in neighbouring lanes (qk_rope.wgsl).
        var square = dot(sum, sum);
        square += subgroupShuffleXor(square, 1u); // if heads of 2
        square += subgroupShuffleXor(square, 2u); // if heads of 4
        square += subgroupShuffleXor(square, 4u); // if heads of 8
        let unit = sum * inverseSqrt(square / f32(p.dh * 4u) + p.eps) * gain;
        var turned = rotate(unit, table[turn[r] + column % p.dh]);
        if (!again && p.last > QKV) { turned = unit; } // if ring
        if (row < end) { qkv[row * n + column] = select(sum, turned, head < p.heads + p.kv); }
      } else {
        let at = min(row, end - 1u) * n + column;
        if (stage == OUT && again == (p.start == ALONE)) { sum += x[at]; } else { sum += y[at]; }
        act[select(0u, SECOND, stage == OUT) + r * n + column] = sum;
        if (row < end) { y[at] = sum; }
      }
      continuing { r++; break if r >= p.tile; }
    }
    }
    continuing { left += step; break if left >= columns; }
  }
}

fn tile(at: u32, n: u32) -> mat4x4f { // if floats
  return mat4x4f(weights[at], weights[at + n], weights[at + 2u * n], weights[at + 3u * n]); // if floats
} // if floats
fn tile(at: u32) -> mat4x4f { // if halves
  let top = matrices[at]; // if halves
  let end = matrices[at + 1u]; // if halves
  return mat4x4f(four(top.xy), four(top.zw), four(end.xy), four(end.zw)); // if halves
} // if halves

fn four(words: vec2u) -> vec4f {
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
}

// RMSNorm of the rows at `first` to `to`, times the gain at `gain`.
fn norm(lane: u32, first: u32, to: u32, gain: u32) {
  for (var r = lane; r < p.tile; r += LANES) {
    var sum = vec4f();
    for (var i = 0u; i < p.d; i++) {
      let v = act[first + r * p.d + i];
      sum += v * v;
    }
    scale[r] = inverseSqrt((sum.x + sum.y + sum.z + sum.w) / f32(p.d * 4u) + p.eps);
  }
  for (var i = lane; i < p.d; i += LANES) {
    let g = weights[gain + i];
    for (var r = 0u; r < p.tile; r++) { act[to + r * p.d + i] = act[first + r * p.d + i] * scale[r] * g; }
  }
}

fn rotate(v: vec4f, cs: vec4f) -> vec4f {
  return vec4f(v.x * cs.x - v.y * cs.y, v.x * cs.y + v.y * cs.x, v.z * cs.z - v.w * cs.w, v.z * cs.w + v.w * cs.z);
}

// Attention of the tile's rows over the `length` rows from `base` on, head after head: every lane has one row of each group.
fn attend(base: u32, top: u32, lane: u32) { // if open
  var head = 0u; // if open
  loop { // if open
    let key_head = p.heads + head / (p.heads / p.kv); // if open
    var q: array<array<vec4f, DH4>, GROUPS>; // if open
    var o: array<array<vec4f, DH4>, GROUPS>; // if open
    var m: array<f32, GROUPS>; // if open
    var l: array<f32, GROUPS>; // if open
    for (var g = 0u; g < GROUPS; g++) { // if open
      let row = min(top + g * LANES + lane, base + p.length - 1u); // if open
      for (var c = 0u; c < DH4; c++) { q[g][c] = read[row * p.width + head * DH4 + c] * p.scale; } // if open
      for (var c = 0u; c < DH4; c++) { o[g][c] = vec4f(); } // if open
      m[g] = -1e30; // if open
      l[g] = 0.0; // if open
    } // if open
    var j = 0u; // if open
    loop { // if open
      let at = (base + min(j + lane, p.length - 1u)) * p.width + key_head * DH4; // if open
      var k: array<vec4f, DH4>; // if open
      var v: array<vec4f, DH4>; // if open
      for (var c = 0u; c < DH4; c++) { k[c] = read[at + c]; } // if open
      for (var c = 0u; c < DH4; c++) { v[c] = read[at + p.kv * DH4 + c]; } // if open
      var dots: array<array<vec4f, LANES>, GROUPS>; // if open
      for (var u = 0u; u < LANES; u++) { // if open
        for (var g = 0u; g < GROUPS; g++) { dots[g][u] = vec4f(); } // if open
        for (var c = 0u; c < DH4; c++) { // if open
          let there = subgroupBroadcast(k[c], u); // if open
          for (var g = 0u; g < GROUPS; g++) { dots[g][u] += q[g][c] * there; } // if open
        } // if open
      } // if open
      var w: array<array<f32, LANES>, GROUPS>; // if open
      for (var g = 0u; g < GROUPS; g++) { // if open
        var most = m[g]; // if open
        for (var u = 0u; u < LANES; u++) { // if open
          let s = dots[g][u]; // if open
          w[g][u] = select(-1e30, s.x + s.y + s.z + s.w, j + u < p.length); // if open
          most = max(most, w[g][u]); // if open
        } // if open
        let shrink = exp(m[g] - most); // if open
        var sum = l[g] * shrink; // if open
        for (var u = 0u; u < LANES; u++) { // if open
          w[g][u] = select(exp(w[g][u] - most), 0.0, w[g][u] <= -1e29); // if open
          sum += w[g][u]; // if open
        } // if open
        l[g] = sum; // if open
        m[g] = most; // if open
        for (var c = 0u; c < DH4; c++) { o[g][c] *= shrink; } // if open
      } // if open
      for (var c = 0u; c < DH4; c++) { // if open
        for (var u = 0u; u < LANES; u++) { // if open
          let there = subgroupBroadcast(v[c], u); // if open
          for (var g = 0u; g < GROUPS; g++) { o[g][c] += w[g][u] * there; } // if open
        } // if open
      } // if open
      j += LANES; // if open
      continuing { break if j >= p.length; } // if open
    } // if open
    for (var g = 0u; g < GROUPS; g++) { // if open
      let norm = 1.0 / max(l[g], 1e-30); // if open
      for (var c = 0u; c < DH4; c++) { act[(g * LANES + lane) * p.attended + head * DH4 + c] = o[g][c] * norm; } // if open
    } // if open
    continuing { head++; break if head >= p.heads; } // if open
  } // if open
} // if open

// Attention of the tile's rows over their rings into the first area: row after row, HEADS heads of a key at a time, ages by
// lanes. Where wanted, the new keys and values enter the ring, at a slot that no age reads.
fn remember(top: u32, end: u32, lane: u32) { // if ring
  let ages = min(clock[1], p.window - 1u); // if ring
  let mine = lane == 0u; // if ring
  var r = 0u; // if ring
  loop { // if ring
    let row = min(top + r, end - 1u); // if ring
    var head = 0u; // if ring
    loop { // if ring
      let key_head = head / (p.heads / p.kv); // if ring
      let key_at = row * p.width + (p.heads + key_head) * DH4; // if ring
      let ring_at = (row * p.kv + key_head) * p.capacity; // if ring
      var q: array<array<vec4f, DH4>, HEADS>; // if ring
      var o: array<array<vec4f, DH4>, HEADS>; // if ring
      var m: array<f32, HEADS>; // if ring
      var l: array<f32, HEADS>; // if ring
      for (var part = 0u; part < PARTS; part++) { // if ring
        let words = qkv[row * p.width + head * DH4 + min(part * LANES + lane, HEADS * DH4 - 1u)] * p.scale; // if ring
        for (var h = 0u; h < HEADS; h++) { // if ring
          for (var c = 0u; c < DH4; c++) { // if ring
            if ((h * DH4 + c) / LANES == part) { q[h][c] = subgroupBroadcast(words, (h * DH4 + c) % LANES); } // if ring
          } // if ring
        } // if ring
      } // if ring
      var k: array<vec4f, DH4>; // if ring
      var v: array<vec4f, DH4>; // if ring
      var step: array<vec4f, DH4>; // if ring
      for (var part = 0u; part < PARTS; part++) { // if ring
        let c_here = min(part * LANES + lane, DH4 - 1u); // if ring
        let key = qkv[key_at + c_here]; // if ring
        let value = qkv[key_at + p.kv * DH4 + c_here]; // if ring
        if (p.write == 1u) { // if ring
          let to = (ring_at + clock[0]) * 2u * DH4 + c_here; // if ring
          ring[to] = narrowed(key); // if ring
          ring[to + DH4] = narrowed(value); // if ring
        } // if ring
        let angle = ages_table[min(LANES, p.window - 1u) * DH4 + c_here]; // if ring
        for (var c = 0u; c < DH4; c++) { // if ring
          if (c / LANES == part) { // if ring
            k[c] = subgroupBroadcast(key, c % LANES); // if ring
            v[c] = subgroupBroadcast(value, c % LANES); // if ring
            step[c] = subgroupBroadcast(angle, c % LANES); // if ring
          } // if ring
        } // if ring
      } // if ring
      for (var h = 0u; h < HEADS; h++) { // if ring
        var own = vec4f(); // if ring
        for (var c = 0u; c < DH4; c++) { own += q[h][c] * k[c]; } // if ring
        m[h] = select(-1e30, own.x + own.y + own.z + own.w, mine); // if ring
        l[h] = select(0.0, 1.0, mine); // if ring
        for (var c = 0u; c < DH4; c++) { o[h][c] = select(vec4f(), v[c], mine); } // if ring
      } // if ring
      var turned: array<vec4f, DH4>; // if ring
      for (var c = 0u; c < DH4; c++) { turned[c] = ages_table[min(1u + lane, p.window - 1u) * DH4 + c]; } // if ring
      var age = 1u + lane; // if ring
      // An empty ring holds nothing that may be read: a stale NaN passes a weight of 0.
      if (ages > 0u) { // if ring
        loop { // if ring
          let seen = age <= ages; // if ring
          let back = clock[0] + p.capacity - min(age, ages); // if ring
          let slot = select(back - p.capacity, back, back < p.capacity); // if ring
          let at = (ring_at + slot) * 2u * DH4; // if ring
          var dots: array<vec4f, HEADS>; // if ring
          for (var h = 0u; h < HEADS; h++) { dots[h] = vec4f(); } // if ring
          for (var c = 0u; c < DH4; c++) { // if ring
            let key = rotate_back(widened(ring[at + c]), turned[c]); // if ring
            for (var h = 0u; h < HEADS; h++) { dots[h] += q[h][c] * key; } // if ring
            turned[c] = rotate(turned[c], step[c]); // if ring
          } // if ring
          var shrink: array<f32, HEADS>; // if ring
          var w: array<f32, HEADS>; // if ring
          for (var h = 0u; h < HEADS; h++) { // if ring
            let s = select(-1e30, dots[h].x + dots[h].y + dots[h].z + dots[h].w, seen); // if ring
            let most = max(m[h], s); // if ring
            shrink[h] = exp(m[h] - most); // if ring
            w[h] = select(0.0, exp(s - most), seen); // if ring
            l[h] = l[h] * shrink[h] + w[h]; // if ring
            m[h] = most; // if ring
          } // if ring
          for (var c = 0u; c < DH4; c++) { // if ring
            let value = widened(ring[at + DH4 + c]); // if ring
            for (var h = 0u; h < HEADS; h++) { o[h][c] = o[h][c] * shrink[h] + w[h] * value; } // if ring
          } // if ring
          age += LANES; // if ring
          continuing { break if age - lane > ages; } // if ring
        } // if ring
      } // if ring
      for (var h = 0u; h < HEADS; h++) { // if ring
        let weight = exp(m[h] - highest(m[h])); // if ring
        let share = weight / total(vec4f(l[h] * weight)).x; // if ring
        for (var c = 0u; c < DH4; c++) { // if ring
          let sum = total(o[h][c] * share); // if ring
          if (mine) { act[r * p.attended + (head + h) * DH4 + c] = sum; } // if ring
        } // if ring
      } // if ring
      continuing { head += HEADS; break if head >= p.heads; } // if ring
    } // if ring
    continuing { r++; break if r >= p.tile; } // if ring
  } // if ring
} // if ring

fn rotate_back(v: vec4f, cs: vec4f) -> vec4f { // if ring
  return vec4f(v.x * cs.x + v.y * cs.y, v.y * cs.x - v.x * cs.y, v.z * cs.z + v.w * cs.w, v.w * cs.z - v.z * cs.w); // if ring
} // if ring

fn total(v: vec4f) -> vec4f { // if ring
  var sum = v + subgroupShuffleXor(v, 1u); // if ring
  sum += subgroupShuffleXor(sum, 2u); // if ring
  return sum + subgroupShuffleXor(sum, 4u); // if ring
} // if ring

fn highest(v: f32) -> f32 { // if ring
  var most = max(v, subgroupShuffleXor(v, 1u)); // if ring
  most = max(most, subgroupShuffleXor(most, 2u)); // if ring
  return max(most, subgroupShuffleXor(most, 4u)); // if ring
} // if ring

fn widened(x: vec2u) -> vec4f { return four(x); } // if half ring
fn widened(x: vec4f) -> vec4f { return x; } // if float ring

fn narrowed(x: vec4f) -> vec2u { // if half ring
  let y = clamp(x, vec4f(-65504.0), vec4f(65504.0)); // if half ring
  return vec2u(pack2x16float(y.xy), pack2x16float(y.zw)); // if half ring
} // if half ring
fn narrowed(x: vec4f) -> vec4f { return x; } // if float ring

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let base = group.x / p.tiles * p.length;
  let top = base + group.x % p.tiles * p.tile;
  let end = min(top + p.tile, base + p.length);
  for (var r = lane; r < p.tile; r += LANES) { turn[r] = ((top + r) / p.every) % p.period * p.dh; }
  for (var r = 0u; r < p.tile; r++) {
    let row = min(top + r, end - 1u);
    for (var i = lane; i < p.attended; i += LANES) { if (p.start == MIXED) { act[r * p.attended + i] = read[row * p.attended + i]; } }
    for (var i = lane; i < p.d; i += LANES) { if (p.start == ALONE) { act[r * p.d + i] = x[row * p.d + i]; } }
  }
  if (p.start == OPEN) { attend(base, top, lane); } // if open
  // One copy of the product for all stages: it is most of the kernel to compile.
  var step = select(OUT, QKV, p.start == ALONE);
  loop {
    let again = step > QKV;
    let stage = step % 4u;
    if (step == 4u) { remember(top, end, lane); } // if ring
    var begin = 0u;
    var k = p.d;
    var w = select(p.at_out, p.then_out, again);
    var n = p.d;
    var columns = p.d;
    var far = 4u;
    if (stage == OUT) { k = p.attended; }
    if (stage == UP) {
      norm(lane, SECOND, 0u, select(p.at_norm2, p.then_norm2, again));
      w = select(p.at_gu, p.then_gu, again);
      n = 2u * p.hidden;
      columns = p.hidden;
      far = p.hidden;
    }
    if (stage == DOWN) {
      begin = SECOND;
      k = p.hidden;
      w = select(p.at_down, p.then_down, again);
    }
    if (stage == QKV) {
      norm(lane, 0u, SECOND, select(p.at_norm1, p.then_norm1, again));
      begin = SECOND;
      w = select(p.at_qkv, p.then_qkv, again);
      n = p.width;
      columns = p.width;
    }
    product(stage, again, top, end, lane, begin, k, w, n, columns, far);
    continuing { step++; break if step > p.last; }
  }
}
