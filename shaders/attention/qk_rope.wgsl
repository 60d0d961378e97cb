// Per-head RMSNorm of queries and keys, then rotary embedding; values pass through. A packed row is
// [H query heads | G key heads | G value heads] of 4*dh4 channels. Rotation acts on neighbouring channel pairs with
// (cos, sin, cos, sin) quads from `table` at position (row / every) % period. The number of quads is a uniform: as a
// constant, compilers of CPU adapters write the loops out, which takes them five times as long and gains nothing. Loops leave
// at their end: there, one that leaves at its beginning runs its body once more with no lane active.
import package::lib::index::linear;

struct Params { rows: u32, heads: u32, kv: u32, every: u32, period: u32, eps: f32, dh4: u32 }

@group(0) @binding(0) var<storage, read_write> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> gain_q: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> gain_k: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> table: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;

fn rotate(v: vec4f, cs: vec4f) -> vec4f {
  return vec4f(v.x * cs.x - v.y * cs.y, v.x * cs.y + v.y * cs.x, v.z * cs.z - v.w * cs.w, v.z * cs.w + v.w * cs.z);
}

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  let slots = params.heads + 2u * params.kv;
  if (i >= params.rows * slots) { return; }
  let head = i % slots;
  let at = i * params.dh4;
  if (head >= params.heads + params.kv) {
    var c = 0u;
    loop {
      out[at + c] = qkv[at + c];
      continuing { c++; break if c >= params.dh4; }
    }
    return;
  }
  var sum = 0.0;
  var c = 0u;
  loop {
    let v = qkv[at + c];
    sum += dot(v, v);
    continuing { c++; break if c >= params.dh4; }
  }
  let r = inverseSqrt(sum / f32(params.dh4 * 4u) + params.eps);
  let position = ((i / slots) / params.every) % params.period;
  c = 0u;
  loop {
    let gain = select(gain_k[c], gain_q[c], head < params.heads);
    out[at + c] = rotate(qkv[at + c] * r * gain, table[position * params.dh4 + c]);
    continuing { c++; break if c >= params.dh4; }
  }
}
