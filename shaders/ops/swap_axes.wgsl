// Two axes change places: x [outer, a, b, whole] to y [outer, b, a, part], of the last axis `part` quads from `begin` on.
// One invocation per quad of the result.
import package::lib::index::linear;

struct Params { outer: u32, a: u32, b: u32, whole: u32, begin: u32, part: u32 }

@group(0) @binding(0) var<storage, read_write> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> target_: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn swap(@builtin(global_invocation_id) gid: vec3u) {
  let at = linear(gid);
  if (at >= params.outer * params.a * params.b * params.part) { return; }
  let row = at / params.part;
  let i = row % params.a;
  let j = row / params.a % params.b;
  let outer = row / (params.a * params.b);
  target_[at] = source[((outer * params.a + i) * params.b + j) * params.whole + params.begin + at % params.part];
}

// Gradient of `swap`: y's place in x, zero in the quads that were not taken.
@compute @workgroup_size(64)
fn swap_back(@builtin(global_invocation_id) gid: vec3u) {
  let at = linear(gid);
  if (at >= params.outer * params.a * params.b * params.whole) { return; }
  let row = at / params.whole;
  let quad = at % params.whole;
  let j = row % params.b;
  let i = row / params.b % params.a;
  let outer = row / (params.a * params.b);
  var v = vec4f(0.0);
  if (quad >= params.begin && quad < params.begin + params.part) {
    v = source[((outer * params.b + j) * params.a + i) * params.part + quad - params.begin];
  }
  target_[at] = v;
}
