// Norm and rotation of queries and keys, one number per invocation: each sums the squares of its head once more and loads its
// neighbour, with which it is rotated. First rung of the ladder. The one in use: attention/qk_rope.wgsl.
import package::lib::index::linear;

struct Params { rows: u32, heads: u32, kv: u32, every: u32, period: u32, eps: f32, dh4: u32 }

@group(0) @binding(0) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(1) var<storage, read_write> gain_q: array<f32>;
@group(0) @binding(2) var<storage, read_write> gain_k: array<f32>;
@group(0) @binding(3) var<storage, read_write> table: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

fn scaled(at: u32, c: u32, query: bool) -> f32 {
  if (query) { return qkv[at + c] * gain_q[c]; }
  return qkv[at + c] * gain_k[c];
}

@compute @workgroup_size(64)
fn naive(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  let dh = params.dh4 * 4u;
  let slots = params.heads + 2u * params.kv;
  if (i >= params.rows * slots * dh) { return; }
  let c = i % dh;
  let at = i - c;
  let head = i / dh % slots;
  if (head >= params.heads + params.kv) {
    out[i] = qkv[i];
    return;
  }
  var sum = 0.0;
  for (var n = 0u; n < dh; n++) { sum += qkv[at + n] * qkv[at + n]; }
  let r = inverseSqrt(sum / f32(dh) + params.eps);
  let position = i / dh / slots / params.every % params.period;
  // The pair (x, y) becomes (x cos - y sin, x sin + y cos).
  let even = c - c % 2u;
  let query = head < params.heads;
  let x = scaled(at, even, query);
  let y = scaled(at, even + 1u, query);
  let cosine = table[position * dh + even];
  let sine = table[position * dh + even + 1u];
  if (c == even) {
    out[i] = (x * cosine - y * sine) * r;
  } else {
    out[i] = (x * sine + y * cosine) * r;
  }
}
