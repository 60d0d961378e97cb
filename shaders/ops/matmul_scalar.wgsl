// Storage access of the matmul kernels when some row is not a whole number of vec4s. Put before the kernel's text.
alias Word = f32;

fn one_a(at: u32, col: u32, inside: bool, across: u32) -> f32 {
  return select(0.0, a[at + min(col, across - 1u)], inside && col < across);
}

// Four consecutive elements of a row; zero outside the matrix.
fn four_a(base: u32, row: u32, col: u32, down: u32, across: u32) -> vec4f {
  let at = base + min(row, down - 1u) * across;
  let inside = row < down;
  return vec4f(
    one_a(at, col, inside, across), one_a(at, col + 1u, inside, across),
    one_a(at, col + 2u, inside, across), one_a(at, col + 3u, inside, across));
}

// The same of B, which meets zeros of A where it leaves the matrix: nearest elements will do.
fn four_b(base: u32, row: u32, col: u32, down: u32, across: u32) -> vec4f {
  let at = base + min(row, down - 1u) * across;
  let last = across - 1u;
  return vec4f(b[at + min(col, last)], b[at + min(col + 1u, last)], b[at + min(col + 2u, last)], b[at + min(col + 3u, last)]);
}

fn finish(sum: vec4f, base: u32, row: u32, col: u32) {
  if (row >= p.m) { return; }
  for (var j = 0u; j < 4u; j++) {
    if (col + j >= p.n) { break; }
    let i = base + row * p.n + col + j;
    var x = sum[j];
    x += c[i]; // if accumulate
    x += bias[col + j]; // if bias
    x /= 1.0 + exp(-x); // if silu
    x += residual[i]; // if residual
    c[i] = x;
  }
}
