// Derivative of weights.wgsl by the scores: scale * p * (dp - delta), delta = sum p dp. Layout as there; p is zero where a row
// sees nothing, so bounds and bits are not asked again. One invocation per row.
import package::lib::index::linear;

struct Params { rows: u32, quads: u32, scale: f32 }

@group(0) @binding(0) var<storage, read_write> p: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dp: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> ds: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows) { return; }
  let at = i * params.quads;
  var sums = vec4f(0.0);
  for (var n = 0u; n < params.quads; n++) { sums += p[at + n] * dp[at + n]; }
  let delta = sums.x + sums.y + sums.z + sums.w;
  for (var n = 0u; n < params.quads; n++) { ds[at + n] = p[at + n] * (dp[at + n] - delta) * params.scale; }
}
