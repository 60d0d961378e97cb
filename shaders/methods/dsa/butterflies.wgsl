// The fast Hadamard transform (Sylvester's form) of D channels, D a power of two: log2 D butterfly stages in private memory,
// without the factor 1 / sqrt(D) that makes it orthonormal.
const D: u32 = 16u;

fn butterflies(v: ptr<function, array<f32, D>>) {
  for (var h = 1u; h < D; h = h * 2u) {
    for (var n = 0u; n < D / 2u; n++) {
      let a = (n / h) * 2u * h + n % h;
      let p = (*v)[a];
      let q = (*v)[a + h];
      (*v)[a] = p + q;
      (*v)[a + h] = p - q;
    }
  }
}
