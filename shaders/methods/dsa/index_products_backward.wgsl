// Derivatives of index_products.wgsl from the slopes g of the scores at all columns: dz = g w 1[z > 0], dw = sum g ReLU(z).
// Outside of a row's bounds z may be anything. One invocation per row and head.
import package::lib::index::linear;

struct Params { rows: u32, heads: u32, quads: u32 }

@group(0) @binding(0) var<storage, read_write> z: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> slope: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> upstream: array<f32>;
@group(0) @binding(4) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(5) var<storage, read_write> dz: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> dw: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.heads) { return; }
  let row = i / params.heads;
  let weight = w[i];
  var sums = vec4f(0.0);
  let begin = bounds[2u * row] / 4u;
  let end = max(begin, min((bounds[2u * row + 1u] + 3u) / 4u, params.quads));
  for (var n = 0u; n < begin; n++) { dz[i * params.quads + n] = vec4f(0.0); }
  for (var n = begin; n < end; n++) {
    let four = z[i * params.quads + n];
    let g = slope[row * params.quads + n] * upstream[0];
    sums += g * max(four, vec4f(0.0));
    dz[i * params.quads + n] = select(vec4f(0.0), g * weight, four > vec4f(0.0));
  }
  for (var n = end; n < params.quads; n++) { dz[i * params.quads + n] = vec4f(0.0); }
  dw[i] = sums.x + sums.y + sums.z + sums.w;
}
