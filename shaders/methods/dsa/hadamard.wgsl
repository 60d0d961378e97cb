// x times the orthonormal Hadamard matrix over rows of D channels. Symmetric and orthogonal, so it is its own derivative and
// its own inverse.
import package::lib::index::linear;
import package::methods::dsa::butterflies::{D, butterflies};

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
  butterflies(&v);
  for (var c = 0u; c < D; c++) { y[row * D + c] = v[c] * params.scale; }
}
