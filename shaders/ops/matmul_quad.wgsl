// C = A * B on SwiftShader: subgroups of four lanes, where a load costs as much as ten multiply-adds of a subgroup however
// its lanes lie, a broadcast as much as several, and an exchange within the quad next to nothing. Not for lavapipe
// (matmul_software.wgsl), whose broadcasts are free, and not for GPUs (matmul_tile.wgsl).
//
// A workgroup is one quad and makes ROWS rows x BLOCKS * 16 columns of C. Lane l loads columns 4l..4l+3 of every block of B
// and row 4g + l of every group of four rows of A. It multiplies its own row, then after quadSwapX, Y and Diagonal the rows
// of its neighbours: cell (g, s) of lane l is row 4g + (l ^ s). So no word is loaded twice and nothing is broadcast.
//
// src/tensor/kernels/matmul.ts repeats lines that end in `each row`, `each group` (four rows), `each quad` (16 rows), `each
// block`, `each cell` (row and block) or `each seat` (0 to 3): c_0 becomes c_1 and so on; `if ...` lines are kept where the condition holds.
// `normed`: rows of A are RMS-normalised and scaled by `gain` (rmsnorm.wgsl); lane l sums the squares of the rows that it loads, and
// what a row is to be multiplied by travels as the row did. Finishes of such products, each instead of a kernel of its own:
//   gated   C = silu(left half) * right half of the columns (swiglu.wgsl): a tile holds half as many columns of either half
//   heads   a block is a head of 16 channels; those of queries and keys are normalised and rotated (attention/qk_rope.wgsl)
// `pairs`: columns c and c + N/2 of B share a word, and a load brings both (ops/paired-product.ts has the format). `halves`: a
// tile holds columns of either half, the left ones first.
//
// `inside`: no tile leaves the matrix. The last tiles are moved back to its edge and share cells with their neighbours;
// both compute the same bits.

fn tile_b(base: u32, k: u32, col: u32) -> mat4x4f { // if numbers
  let x = mat4x4f( // if b straight, if numbers
    four_b(base, k, col, p.k, p.n), four_b(base, k + 1u, col, p.k, p.n), // if b straight, if numbers
    four_b(base, k + 2u, col, p.k, p.n), four_b(base, k + 3u, col, p.k, p.n)); // if b straight, if numbers
  let x = transpose(mat4x4f( // if b turned, if numbers
    four_b(base, col, k, p.n, p.k), four_b(base, col + 1u, k, p.n, p.k), // if b turned, if numbers
    four_b(base, col + 2u, k, p.n, p.k), four_b(base, col + 3u, k, p.n, p.k))); // if b turned, if numbers
  return x; // if numbers
} // if numbers

fn words_b(k: u32, col: u32) -> vec4u { return b[(k * (p.n / 2u) + col) / 4u]; } // if pairs

// A conversion costs least here: a shift takes as long as a load. What the lower number adds to the upper one was allowed for.
fn lower(w: vec4u) -> vec4f { return vec4f(bitcast<vec4i>(w * 65536u)); } // if pairs
fn upper(w: vec4u) -> vec4f { return vec4f(bitcast<vec4i>(w)); } // if pairs

fn turned_a(base: u32, k: u32, row: u32) -> mat4x4f { // if a turned
  return transpose(mat4x4f( // if a turned
    four_a(base, k, row, p.k, p.m), four_a(base, k + 1u, row, p.k, p.m), // if a turned
    four_a(base, k + 2u, row, p.k, p.m), four_a(base, k + 3u, row, p.k, p.m))); // if a turned
} // if a turned

// Row within the tile of row r of the cells, on this lane.
fn row_of(r: u32, lane: u32) -> u32 {
  let seat = lane ^ (r & 3u);
  let group = r >> 2u;
  return 4u * group + seat; // if a straight
  return 4u * (4u * (group >> 2u) + seat) + (group & 3u); // if a turned
}

@compute @workgroup_size(4)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let base_a = group.z * p.stride_a;
  let base_b = group.z * p.stride_b;
  let base_c = group.z * p.stride_c;
  let top = group.y * ROWS; // if ragged
  let top = min(group.y * ROWS, p.m - ROWS); // if inside
  let left = group.x * COLUMNS + lane * 4u; // if ragged
  let left = min(group.x * COLUMNS, p.n - COLUMNS) + lane * 4u; // if inside, if whole
  let left = min(group.x * COLUMNS, p.n / 2u - COLUMNS) + lane * 4u; // if inside, if halves
  // Tokens against tokens: what lies above the diagonal is not wanted.
  if (group.x * COLUMNS > (top + ROWS - 1u) / p.share) { return; } // if causal nt
  let first = 0u; // if from first k
  let first = top * p.share / 4u * 4u; // if causal tn
  let last = p.k; // if all k
  let last = p.k; // if causal nt
  let last = p.k; // if causal tn
  let last = min(p.k, (top + ROWS - 1u) / p.share + 1u); // if causal nn
  var c_0 = vec4f(); // each cell
  var q_0 = vec4f(); // each group, if normed
  // Not a loop that leaves at its end, though this one runs its body once more with no lane active: 512 took 1.3 times as long.
  for (var k = first; k < last; k += 4u) {
    let a_0 = four_a(base_a, top + GROUP * 4u + lane, k, p.m, p.k); // each group, if a straight, if plain
    let factor = gain[k / 4u]; // if normed
    let x_0 = four_a(base_a, top + GROUP * 4u + lane, k, p.m, p.k); // each group, if normed
    q_0 += x_0 * x_0; // each group, if normed
    let a_0 = x_0 * factor; // each group, if normed
    let at_0 = turned_a(base_a, k, top + 4u * (QUAD * 4u + lane)); // each quad, if a turned
    let a_0 = at_QUAD[PART]; // each group, if a turned
    let b_0 = tile_b(base_b, k, left + BLOCK_AT); // each block, if numbers
    let wa_0 = words_b(k, left + PAIR_AT); // each pair, if pairs
    let wb_0 = words_b(k + 1u, left + PAIR_AT); // each pair, if pairs
    let wc_0 = words_b(k + 2u, left + PAIR_AT); // each pair, if pairs
    let wd_0 = words_b(k + 3u, left + PAIR_AT); // each pair, if pairs
    let b_0 = mat4x4f(SIDE(wa_PAIR), SIDE(wb_PAIR), SIDE(wc_PAIR), SIDE(wd_PAIR)); // each block, if pairs
    let s_0 = SWAP(a_GROUP); // each row
    c_0 += b_BLOCK * s_ROW; // each cell
  }
  let r_0 = inverseSqrt(dot(q_0, vec4f(1.0)) / f32(p.k) + p.eps); // each group, if normed
  let n_0 = SWAP(r_GROUP); // each row, if normed
  let u_0 = bitcast<vec4f>(words_b(p.k, left + PAIR_AT)); // each pair, if pairs
  // Written once in a loop: a scattering store for every cell would be most of the kernel to compile.
  var cells: array<vec4f, CELLS>;
  cells[CELL] = c_0; // each cell, if plain, if numbers
  cells[CELL] = c_0 * u_PAIR; // each cell, if plain, if pairs
  cells[CELL] = c_0 * n_ROW; // each cell, if normed, if numbers
  cells[CELL] = c_0 * (n_ROW * u_PAIR); // each cell, if normed, if pairs
  var r = 0u; // if plain
  loop { // if plain
    var b = 0u; // if plain
    loop { // if plain
      let col = left + b * 16u; // if plain, if whole
      let col = left + select(b * 16u, b * 16u - BLOCKS * 8u + p.n / 2u, b >= BLOCKS / 2u); // if plain, if halves
      finish(cells[r * BLOCKS + b], base_c, top + row_of(r, lane), col); // if plain
      b += 1u; // if plain
      continuing { break if b == BLOCKS; } // if plain
    } // if plain
    r += 1u; // if plain
    continuing { break if r == ROWS; } // if plain
  } // if plain
  var r = 0u; // if gated
  loop { // if gated
    let at = ((top + row_of(r, lane)) * p.n / 2u + left) / 4u; // if gated
    var b = 0u; // if gated
    loop { // if gated
      let gate = cells[r * BLOCKS + b]; // if gated
      c[at + 4u * b] = gate / (1.0 + exp(-gate)) * cells[r * BLOCKS + BLOCKS / 2u + b]; // if gated
      b += 1u; // if gated
      continuing { break if b == BLOCKS / 2u; } // if gated
    } // if gated
    r += 1u; // if gated
    continuing { break if r == ROWS; } // if gated
  } // if gated
  let of_q = gain_q[lane]; // if heads
  let of_k = gain_k[lane]; // if heads
  let turned_heads = p.heads + p.kv; // if heads
  let query_heads = p.heads; // if heads
  let width = p.n; // if heads
  let every = p.every; // if heads
  let period = p.period; // if heads
  var g = 0u; // if heads
  loop { // if heads
    let row_0 = top + 4u * g + (lane ^ SEAT); // each seat, if heads
    let turn_0 = table[row_SEAT / every % period * 4u + lane]; // each seat, if heads
    var b = 0u; // if heads
    loop { // if heads
      let col = left + b * 16u; // if heads, if whole
      let col = left + select(b * 16u, b * 16u - BLOCKS * 8u + width / 2u, b >= BLOCKS / 2u); // if heads, if halves
      let head = col / 16u; // if heads
      let own = select(of_k, of_q, head < query_heads); // if heads
      let h_0 = cells[(4u * g + SEAT) * BLOCKS + b]; // each seat, if heads
      let s_0 = dot(h_0, h_0); // each seat, if heads
      // Of the same row on all lanes.
      let t_0 = inverseSqrt((s_SEAT + quadSwapX(s_BY_X) + quadSwapY(s_BY_Y) + quadSwapDiagonal(s_BY_XY)) / 16.0 + p.eps); // each seat, if heads
      let turned_0 = rotate(h_SEAT * t_SEAT * own, turn_SEAT); // each seat, if heads
      c[(row_SEAT * width + col) / 4u] = select(h_SEAT, turned_SEAT, head < turned_heads); // each seat, if heads
      b += 1u; // if heads
      continuing { break if b == BLOCKS; } // if heads
    } // if heads
    g += 1u; // if heads
    continuing { break if g == ROWS / 4u; } // if heads
  } // if heads
}

fn rotate(v: vec4f, cs: vec4f) -> vec4f { // if heads
  return vec4f(v.x * cs.x - v.y * cs.y, v.x * cs.y + v.y * cs.x, v.z * cs.z - v.w * cs.w, v.z * cs.w + v.w * cs.z); // if heads
} // if heads
