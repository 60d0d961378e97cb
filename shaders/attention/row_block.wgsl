// Everything of a transformer layer that stays within a row, on lavapipe with subgroups of eight: what lies between one
// attention and the next.
//   tail   y = x + mixed Wout, then y += SwiGLU(norm(y) Wgu) Wdown     Wgu = [gate | up]
//   lead   qkv = norm(y) Wqkv, queries and keys normalised per head and rotated     (without tail, y is x)
// A layer is then two launches instead of eight, and rows stay in the workgroup between their products. Not for GPUs, whose
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
  tile: u32,
}

const LANES: u32 = 8u;

// Stages.
const OUT: u32 = 0u;
const UP: u32 = 1u;
const DOWN: u32 = 2u;
const QKV: u32 = 3u;

// Two areas of ROW_SLOTS rows: inputs of a product here, its results there, and back.
var<workgroup> act: array<vec4f, AREAS>;
var<workgroup> scale: array<f32, ROW_SLOTS>;
// Where a row's rotation begins in the table.
var<workgroup> turn: array<u32, ROW_SLOTS>; // if lead
// Finished sums of a tile, each lane its own: an array that a variable indexes takes compilers long, unless it is memory.
var<workgroup> cells: array<vec4f, CELLS>;

// Rows of k vec4s from `first` on times the matrix at `w`, n vec4s wide, of which `columns` are taken; results go where the
// stage says.
fn product(stage: u32, top: u32, lane: u32, first: u32, k: u32, w: u32, n: u32, columns: u32, far: u32) {
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
    let head = column / p.dh; // if lead
    let gain = weights[select(p.at_gain_k, p.at_gain_q, head < p.heads) + column % p.dh]; // if lead
    if (stage == UP) { // if tail
      // Two rows at a time: half of the lanes hold gates and take this row, the others hold ups and take the next.
      let upper = lane / 4u; // if tail
      var r = 0u; // if tail
      loop { // if tail
        let here = cells[(r + upper) * LANES + lane]; // if tail
        let there = subgroupShuffleXor(cells[(r + 1u - upper) * LANES + lane], 4u); // if tail
        let gate = select(here, there, upper == 1u); // if tail
        let up = select(there, here, upper == 1u); // if tail
        act[SECOND + (r + upper) * p.hidden + left + lane % 4u] = gate / (1.0 + exp(-gate)) * up; // if tail
        continuing { r += 2u; break if r >= p.tile; } // if tail
      } // if tail
    } else { // if tail
    var r = 0u;
    loop {
      let row = top + r;
      var sum = cells[r * LANES + lane];
      if (stage == QKV) {
        // Norm and rotation of a head, which lies in neighbouring lanes (qk_rope.wgsl).
        var square = dot(sum, sum); // if lead
        square += subgroupShuffleXor(square, 1u); // if heads of 2
        square += subgroupShuffleXor(square, 2u); // if heads of 4
        square += subgroupShuffleXor(square, 4u); // if heads of 8
        let unit = sum * inverseSqrt(square / f32(p.dh * 4u) + p.eps) * gain; // if lead
        let turned = rotate(unit, table[turn[r] + column % p.dh]); // if lead
        if (row < p.rows) { qkv[row * n + column] = select(sum, turned, head < p.heads + p.kv); } // if lead
      } else {
        let at = min(row, p.rows - 1u) * n + column; // if tail
        if (stage == OUT) { sum += x[at]; } else { sum += y[at]; } // if tail
        act[select(0u, SECOND, stage == OUT) + r * n + column] = sum; // if tail
        if (row < p.rows) { y[at] = sum; } // if tail
      }
      continuing { r++; break if r >= p.tile; }
    }
    } // if tail
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

fn four(words: vec2u) -> vec4f { // if halves
  return vec4f(unpack2x16float(words.x), unpack2x16float(words.y)); // if halves
} // if halves

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

fn rotate(v: vec4f, cs: vec4f) -> vec4f { // if lead
  return vec4f(v.x * cs.x - v.y * cs.y, v.x * cs.y + v.y * cs.x, v.z * cs.z - v.w * cs.w, v.z * cs.w + v.w * cs.z); // if lead
} // if lead

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let top = group.x * p.tile;
  for (var r = lane; r < p.tile; r += LANES) { turn[r] = ((top + r) / p.every) % p.period * p.dh; } // if lead
  for (var r = 0u; r < p.tile; r++) {
    let row = min(top + r, p.rows - 1u);
    for (var i = lane; i < p.attended; i += LANES) { act[r * p.attended + i] = mixed[row * p.attended + i]; } // if tail
    for (var i = lane; i < p.d; i += LANES) { act[r * p.d + i] = x[row * p.d + i]; } // if alone
  }
  // One copy of the product for all stages: it is most of the kernel to compile.
  var stage = FIRST_STAGE;
  loop {
    var begin = 0u;
    var k = p.d;
    var w = p.at_out;
    var n = p.d;
    var columns = p.d;
    var far = 4u;
    if (stage == OUT) { k = p.attended; }
    if (stage == UP) {
      norm(lane, SECOND, 0u, p.at_norm2);
      w = p.at_gu;
      n = 2u * p.hidden;
      columns = p.hidden;
      far = p.hidden;
    }
    if (stage == DOWN) {
      begin = SECOND;
      k = p.hidden;
      w = p.at_down;
    }
    if (stage == QKV) {
      norm(lane, 0u, SECOND, p.at_norm1);
      begin = SECOND;
      w = p.at_qkv;
      n = p.width;
      columns = p.width;
    }
    product(stage, top, lane, begin, k, w, n, columns, far);
    continuing { stage++; break if stage > LAST_STAGE; }
  }
}
