// What Muon does with gradients before its iteration, for all matrices of one shape at once. They lie in the parameter
// slabs wherever `places` says (element of each matrix's start); u holds them one after the other.
import package::lib::index::linear;

struct Params { n: u32, each: u32, mu: f32 }

// Nesterov momentum: m <- mu * m + g, u = g + mu * m.
@group(0) @binding(0) var<storage, read_write> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> state: array<f32>;
@group(0) @binding(2) var<storage, read_write> places: array<u32>;
@group(0) @binding(3) var<storage, read_write> u: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn momentum(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.n) { return; }
  let at = places[i / params.each] + i % params.each;
  let m = params.mu * state[at] + source[at];
  state[at] = m;
  u[i] = source[at] + params.mu * m;
}
