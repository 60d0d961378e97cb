// Storage access of the matmul kernels when the rows of all three matrices are whole vec4s. Put before the kernel's text.
alias Word = vec4f;

// `inside`: nobody asks for what is outside.

// Four consecutive elements of a row; zero outside the matrix.
fn four_a(base: u32, row: u32, col: u32, down: u32, across: u32) -> vec4f {
  return a[(base + row * across + col) / 4u]; // if inside
  let x = a[(base + min(row, down - 1u) * across + min(col, across - 4u)) / 4u]; // if ragged
  return select(vec4f(), x, row < down && col < across); // if ragged
}

// The same of B, which meets zeros of A where it leaves the matrix: nearest elements will do.
fn four_b(base: u32, row: u32, col: u32, down: u32, across: u32) -> vec4f { // if numbers
  return b[(base + row * across + col) / 4u]; // if inside, if numbers
  return b[(base + min(row, down - 1u) * across + min(col, across - 4u)) / 4u]; // if ragged, if numbers
} // if numbers

fn finish(sum: vec4f, base: u32, row: u32, col: u32) {
  if (row >= p.m || col >= p.n) { return; } // if ragged
  let i = (base + row * p.n + col) / 4u;
  var x = sum;
  x += c[i]; // if accumulate
  x += bias[col / 4u]; // if bias
  x /= 1.0 + exp(-x); // if silu
  x += residual[i]; // if residual
  c[i] = x;
}
