// x times the orthonormal Hadamard matrix (Sylvester's form) over rows of D channels, D a power of two: the fast transform,
// log2 D butterfly stages in private memory. Symmetric and orthogonal, so it is its own derivative and its own inverse.
import package::lib::index::linear;

const D: u32 = 16u;

struct Params { rows: u32, scale: f32 }

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn hadamard(@builtin(global_invocation_id) gid: vec3u) {
  let row = linear(gid);
  if (row >= params.rows) { return; }
  var v: array<f32, D>;
  for (var c = 0u; c < D; c++) { v[c] = x[row * D + c]; }
  for (var h = 1u; h < D; h = h * 2u) {
    for (var n = 0u; n < D / 2u; n++) {
      let a = (n / h) * 2u * h + n % h;
      let p = v[a];
      let q = v[a + h];
      v[a] = p + q;
      v[a + h] = p - q;
    }
  }
  for (var c = 0u; c < D; c++) { y[row * D + c] = v[c] * params.scale; }
}
