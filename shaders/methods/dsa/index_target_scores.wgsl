// index_target.wgsl for all columns of many rows, from scores that a matrix product has made: [sequences, groups,
// per * share, length], unscaled. One invocation per row and four columns.
import package::lib::index::linear;

struct Params { rows: u32, per: u32, length: u32, heads: u32, groups: u32, scale: f32 }

@group(0) @binding(0) var<storage, read_write> scores: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> lse: array<f32>;
@group(0) @binding(2) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(3) var<storage, read_write> p: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn mean_probability(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  let quads = params.length / 4u;
  if (i >= params.rows * quads) { return; }
  let row = i / quads;
  let column = 4u * (i % quads) + vec4u(0u, 1u, 2u, 3u);
  let share = params.heads / params.groups;
  let lo = bounds[2u * row];
  let hi = bounds[2u * row + 1u];
  var sum = vec4f(0.0);
  // Whole quads that the row does not see are most of what there is.
  if (column.x < hi && column.w >= lo) {
    for (var h = 0u; h < params.heads; h++) {
      let of_group = (row / params.per * params.groups + h / share) * params.per + row % params.per;
      let four = scores[(of_group * share + h % share) * quads + i % quads];
      sum += exp(four * params.scale - lse[row * params.heads + h]);
    }
  }
  let here = (column >= vec4u(lo)) & (column < vec4u(hi));
  p[i] = select(vec4f(0.0), sum / f32(params.heads), here);
}
