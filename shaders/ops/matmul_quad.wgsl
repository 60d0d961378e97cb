// C = A * B on SwiftShader: subgroups of four lanes, where a load costs as much as ten multiply-adds of a subgroup however
// its lanes lie, a broadcast as much as several, and an exchange within the quad next to nothing. Not for lavapipe
// (matmul_software.wgsl), whose broadcasts are free, and not for GPUs (matmul_tile.wgsl).
//
// A workgroup is one quad and makes ROWS rows x BLOCKS * 16 columns of C. Lane l loads columns 4l..4l+3 of every block of B
// and row 4g + l of every group of four rows of A. It multiplies its own row, then after quadSwapX, Y and Diagonal the rows
// of its neighbours: cell (g, s) of lane l is row 4g + (l ^ s). So no word is loaded twice and nothing is broadcast.
//
// src/tensor/kernels/matmul.ts repeats lines that end in `each row`, `each group` (four rows), `each quad` (16 rows), `each
// block` or `each cell` (row and block): c_0 becomes c_1 and so on; `if ...` lines are kept where the condition holds.
// `inside`: no tile leaves the matrix. The last tiles are moved back to its edge and share cells with their neighbours;
// both compute the same bits.

fn tile_b(base: u32, k: u32, col: u32) -> mat4x4f {
  let x = mat4x4f( // if b straight
    four_b(base, k, col, p.k, p.n), four_b(base, k + 1u, col, p.k, p.n), // if b straight
    four_b(base, k + 2u, col, p.k, p.n), four_b(base, k + 3u, col, p.k, p.n)); // if b straight
  let x = transpose(mat4x4f( // if b turned
    four_b(base, col, k, p.n, p.k), four_b(base, col + 1u, k, p.n, p.k), // if b turned
    four_b(base, col + 2u, k, p.n, p.k), four_b(base, col + 3u, k, p.n, p.k))); // if b turned
  return x;
}

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
  let left = min(group.x * COLUMNS, p.n - COLUMNS) + lane * 4u; // if inside
  // Tokens against tokens: what lies above the diagonal is not wanted.
  if (group.x * COLUMNS > (top + ROWS - 1u) / p.share) { return; } // if causal nt
  let first = 0u; // if from first k
  let first = top * p.share / 4u * 4u; // if causal tn
  let last = p.k; // if all k
  let last = p.k; // if causal nt
  let last = p.k; // if causal tn
  let last = min(p.k, (top + ROWS - 1u) / p.share + 1u); // if causal nn
  var c_0 = vec4f(); // each cell
  // Not a loop that leaves at its end, though this one runs its body once more with no lane active: 512 took 1.3 times as long.
  for (var k = first; k < last; k += 4u) {
    let a_0 = four_a(base_a, top + GROUP * 4u + lane, k, p.m, p.k); // each group, if a straight
    let at_0 = turned_a(base_a, k, top + 4u * (QUAD * 4u + lane)); // each quad, if a turned
    let a_0 = at_QUAD[PART]; // each group, if a turned
    let b_0 = tile_b(base_b, k, left + BLOCK * 16u); // each block
    let s_0 = SWAP(a_GROUP); // each row
    c_0 += b_BLOCK * s_ROW; // each cell
  }
  // Written once in a loop: a scattering store for every cell would be most of the kernel to compile.
  var cells: array<vec4f, CELLS>;
  cells[CELL] = c_0; // each cell
  for (var i = 0u; i < CELLS; i++) {
    finish(cells[i], base_c, top + row_of(i / BLOCKS, lane), left + i % BLOCKS * 16u);
  }
}
