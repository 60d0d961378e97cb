// C = A * B on CPU adapters (lavapipe, SwiftShader). Not for GPUs: see matmul_tile.wgsl.
//
// There, a load costs about 1 ns per lane and component, also when all lanes ask for the same word (every lane has its own
// bounds check and branch), a multiply-add of a whole vector 0.3 ns and a subgroup broadcast about as much. So a workgroup
// is one subgroup, no word is loaded twice, and the rows of A travel by broadcast: lane l holds columns 4l..4l+3 of every
// row of a tile of ROWS rows x 4 * LANES columns. Inside a loop every assignment is masked, hence one assignment per
// accumulator and four k.
//
// This text is the kernel of one row. src/tensor/kernels/matmul.ts repeats lines that end in `each row`, `each group`
// (SPREAD rows) or `each quad` (four groups): c_0 becomes c_1 and so on, and keeps lines that end in `if ...` when the condition holds: arrays
// indexed by a loop variable live in memory here, named values do not.
// Forms: nn, nt: A[M,K] is `straight`; tn: A[K,M] is `turned`; nt: B[N,K] is turned.

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

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let base_a = group.z * p.stride_a;
  let base_b = group.z * p.stride_b;
  let base_c = group.z * p.stride_c;
  let top = group.y * ROWS;
  let seat = lane % SPREAD;
  let col = (group.x * LANES + lane) * 4u;
  // Tokens against tokens: what lies above the diagonal is not wanted.
  if (group.x * LANES * 4u > (top + ROWS - 1u) / p.share) { return; } // if causal nt
  let first = 0u; // if from first k
  let first = top * p.share / 4u * 4u; // if causal tn
  let last = p.k; // if all k
  let last = p.k; // if causal nt
  let last = p.k; // if causal tn
  let last = min(p.k, (top + ROWS - 1u) / p.share + 1u); // if causal nn
  var c_0 = vec4f(); // each row
  for (var k = first; k < last; k += 4u) {
    // a_g on lane l: four k of row g * SPREAD + l; where a row of memory holds one k, of row 4 * (g / 4 * SPREAD + l) + g % 4.
    let a_0 = four_a(base_a, top + GROUP * SPREAD + seat, k, p.m, p.k); // each group, if a straight
    let at_0 = turned_a(base_a, k, top + 4u * (QUAD * SPREAD + seat)); // each quad, if a turned
    let a_0 = at_QUAD[PART]; // each group, if a turned
    let b = tile_b(base_b, k, col);
    c_0 += b * subgroupBroadcast(a_GROUP, LANE); // each row, if spread
    c_0 += b * a_GROUP; // each row, if alone
  }
  // Written once in a loop: 32 copies of the scattering store would be most of the kernel to compile.
  var rows: array<vec4f, ROWS>;
  rows[ROW] = c_0; // each row
  for (var r = 0u; r < ROWS; r++) {
    finish(rows[r], base_c, top + r, col);
  }
}
