// C = A * B on a GPU: 64 x 64 of C per workgroup of 16 x 16 threads, 4 x 4 sums per thread, k in slices of 16 through
// workgroup memory. Not for CPU adapters, where barriers are slow: see matmul_software.wgsl.
// Lines that end in `if ...` are chosen by src/tensor/kernels/matmul.ts.
// Forms: nn, nt: A[M,K] is `straight`; tn: A[K,M] is `turned`; nt: B[N,K] is turned.

const SIDE: u32 = 64u;
const SLICE: u32 = 16u;

// What passes through workgroup memory; sums and results are f32 in any case. The product of two f16 operands is either kept
// exact (`half inputs`) or rounded to f16 (`half products`).
alias Number = f32; // if full
alias Four = vec4f; // if full
alias Number = f16; // if half
alias Four = vec4<f16>; // if half

// slice_a[k][row], slice_b[k][col], k-major; four words of padding keep the transposing stores off one memory bank. A side
// that comes in as it is needed travels in fours; a side that is transposed on its way in single words: writing one component
// of a shared vec4f may rewrite its neighbours.
var<workgroup> slice_a: array<array<Number, 68>, 16>; // if a straight
var<workgroup> slice_a: array<array<Four, 17>, 16>; // if a turned
var<workgroup> slice_b: array<array<Four, 17>, 16>; // if b straight
var<workgroup> slice_b: array<array<Number, 68>, 16>; // if b turned

@compute @workgroup_size(16, 16)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) at: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let base_a = group.z * p.stride_a;
  let base_b = group.z * p.stride_b;
  let base_c = group.z * p.stride_c;
  let top = group.y * SIDE;
  let left = group.x * SIDE;
  // Along memory: four words of one of 64 rows (turned matrices: of one of 16 rows of 64 words).
  let quad = thread % 4u;
  let line = thread / 4u;
  var sums: array<vec4f, 4>;
  for (var k = 0u; k < p.k; k += SLICE) {
    let xa = Four(four_a(base_a, top + line, k + 4u * quad, p.m, p.k)); // if a straight
    for (var j = 0u; j < 4u; j++) { slice_a[4u * quad + j][line] = xa[j]; } // if a straight
    slice_a[at.y][at.x] = Four(four_a(base_a, k + at.y, top + 4u * at.x, p.k, p.m)); // if a turned
    slice_b[at.y][at.x] = Four(four_b(base_b, k + at.y, left + 4u * at.x, p.k, p.n)); // if b straight
    let xb = Four(four_b(base_b, left + line, k + 4u * quad, p.n, p.k)); // if b turned
    for (var j = 0u; j < 4u; j++) { slice_b[4u * quad + j][line] = xb[j]; } // if b turned
    workgroupBarrier();
    for (var j = 0u; j < SLICE; j++) {
      let row = 4u * at.y; // if a straight
      let col = 4u * at.x; // if b turned
      let x = Four(slice_a[j][row], slice_a[j][row + 1u], slice_a[j][row + 2u], slice_a[j][row + 3u]); // if a straight
      let x = slice_a[j][at.y]; // if a turned
      let y = slice_b[j][at.x]; // if b straight
      let y = Four(slice_b[j][col], slice_b[j][col + 1u], slice_b[j][col + 2u], slice_b[j][col + 3u]); // if b turned
      sums[0] += x.x * y; // if full
      sums[1] += x.y * y; // if full
      sums[2] += x.z * y; // if full
      sums[3] += x.w * y; // if full
      let z = vec4f(y); // if half inputs
      sums[0] += f32(x.x) * z; // if half inputs
      sums[1] += f32(x.y) * z; // if half inputs
      sums[2] += f32(x.z) * z; // if half inputs
      sums[3] += f32(x.w) * z; // if half inputs
      sums[0] += vec4f(x.x * y); // if half products
      sums[1] += vec4f(x.y * y); // if half products
      sums[2] += vec4f(x.z * y); // if half products
      sums[3] += vec4f(x.w * y); // if half products
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 4u; i++) { finish(sums[i], base_c, top + 4u * at.y + i, left + 4u * at.x); }
}
