// The lightning indexer on many rows whose products z = q . k a matrix product has made: [sequences, per * heads, length].
// Maths of index_scores.wgsl and index_backward_query.wgsl.
import package::lib::index::linear;

const LOWEST: f32 = -3.4028234e38;

struct Params { rows: u32, heads: u32, length: u32 }

@group(0) @binding(0) var<storage, read_write> z: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(3) var<storage, read_write> scores: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

// Scores [rows, length]: sum over heads of w * ReLU(z). One invocation per row and four columns.
@compute @workgroup_size(64)
fn of_products(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  let quads = params.length / 4u;
  if (i >= params.rows * quads) { return; }
  let row = i / quads;
  let column = 4u * (i % quads) + vec4u(0u, 1u, 2u, 3u);
  let lo = bounds[2u * row];
  let hi = bounds[2u * row + 1u];
  var total = vec4f(0.0);
  if (column.x < hi && column.w >= lo) {
    for (var h = 0u; h < params.heads; h++) {
      let at = row * params.heads + h;
      total += w[at] * max(z[at * quads + i % quads], vec4f(0.0));
    }
  }
  // No negative zero: equal scores must be equal keys of the selection.
  total = select(total, vec4f(0.0), total == vec4f(0.0));
  scores[i] = select(vec4f(LOWEST), total, (column >= vec4u(lo)) & (column < vec4u(hi)));
}
