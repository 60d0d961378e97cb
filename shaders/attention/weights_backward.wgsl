// Derivative of weights.wgsl by the scores: scale * p * (dp - delta), delta = sum p dp. Layout as there; p is zero where a row
// sees nothing within its bounds, and outside of them dp may be anything. One invocation per row of scores.
import package::lib::index::linear;

struct Params { rows: u32, per: u32, length: u32, heads: u32, groups: u32, scale: f32 }

@group(0) @binding(0) var<storage, read_write> p: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dp: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(3) var<storage, read_write> ds: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.heads) { return; }
  let share = params.heads / params.groups;
  let row = i / (share * params.per * params.groups) * params.per + i / share % params.per;
  let lo = bounds[2u * row];
  let quads = params.length / 4u;
  let begin = lo / 4u;
  let end = max(begin, (min(bounds[2u * row + 1u], params.length) + 3u) / 4u);
  let at = i * quads;
  var sums = vec4f(0.0);
  for (var n = begin; n < end; n++) { sums += p[at + n] * dp[at + n]; }
  let delta = sums.x + sums.y + sums.z + sums.w;
  for (var n = 0u; n < begin; n++) { ds[at + n] = vec4f(0.0); }
  for (var n = begin; n < end; n++) { ds[at + n] = p[at + n] * (dp[at + n] - delta) * params.scale; }
  for (var n = end; n < quads; n++) { ds[at + n] = vec4f(0.0); }
}
