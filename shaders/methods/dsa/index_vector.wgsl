// What queries and keys of the indexer have in common on their way from a projection to codes, as rotate.wgsl (pairs of
// channels i and i + pairs), hadamard.wgsl and quantise.wgsl do it one after the other: here a vector stays in private memory.
import package::methods::dsa::butterflies::{D, butterflies};

// (cos, sin) of every pair: [rows, pairs].
@group(0) @binding(0) var<storage, read_write> turn: array<vec2f>;

// Rotates v by row `row` of `turn`, then spreads it by Hadamard; `spread` 1 / sqrt(D), or 0: without.
fn finish(v: ptr<function, array<f32, D>>, row: u32, pairs: u32, spread: f32) {
  for (var i = 0u; i < pairs; i++) {
    let angle = turn[row * pairs + i];
    let a = (*v)[i];
    let b = (*v)[i + pairs];
    (*v)[i] = a * angle.x - b * angle.y;
    (*v)[i + pairs] = b * angle.x + a * angle.y;
  }
  if (spread == 0.0) { return; }
  butterflies(v);
  for (var c = 0u; c < D; c++) { (*v)[c] = (*v)[c] * spread; }
}

fn largest(v: ptr<function, array<f32, D>>) -> f32 {
  var most = 0.0;
  for (var c = 0u; c < D; c++) { most = max(most, abs((*v)[c])); }
  return most;
}

fn quad(v: ptr<function, array<f32, D>>, n: u32) -> vec4f {
  return vec4f((*v)[4u * n], (*v)[4u * n + 1u], (*v)[4u * n + 2u], (*v)[4u * n + 3u]);
}
