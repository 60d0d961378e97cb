// Time attention of one new frame over a ring of past keys and values. Keys lie in the ring unrotated and are rotated
// by their age when read, so play may go on for ever. One thread a (row, head).
//   qkv  [rows, H + 2G, 4*DH4]  the new frame: queries and keys normalised, not rotated
//   ring [rows, G, capacity, 2, 4*DH4]; the frame of age a (1 = newest) is at (next - a) mod capacity. What one
//        thread reads lies together; with ages far apart it took 1.13 times as long on SwiftShader, 1.07 times on lavapipe
//   clock: [next slot to be written, number of valid frames]
//   table: (cos, sin, cos, sin) quads of position a; rotating the query by +a equals rotating the key by -a
import package::lib::index::linear;
import package::attention::layout::capped;
import package::attention::kept::{Four, narrowed, widened};

const DH4: u32 = 4u;

struct Params { rows: u32, heads: u32, kv: u32, capacity: u32, window: u32, scale: f32, cap: f32 }

@group(0) @binding(0) var<storage, read_write> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> ring: array<Four>;
@group(0) @binding(2) var<storage, read_write> table: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> clock: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;

fn rotate(v: vec4f, cs: vec4f) -> vec4f {
  return vec4f(v.x * cs.x - v.y * cs.y, v.x * cs.y + v.y * cs.x, v.z * cs.z - v.w * cs.w, v.z * cs.w + v.w * cs.z);
}

@compute @workgroup_size(8)
fn decode(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.heads) { return; }
  let row = i / params.heads;
  let head = i % params.heads;
  let kv_head = head / (params.heads / params.kv);
  let width = params.heads + 2u * params.kv;
  let key_at = (row * width + params.heads + kv_head) * DH4;
  var q: array<vec4f, DH4>;
  var o: array<vec4f, DH4>;
  var own = 0.0;
  for (var c = 0u; c < DH4; c++) {
    q[c] = qkv[(row * width + head) * DH4 + c] * params.scale;
    own += dot(q[c], qkv[key_at + c]);
    o[c] = qkv[key_at + params.kv * DH4 + c];
  }
  var m = capped(own, params.cap);
  var l = 1.0;
  let ages = min(clock[1], params.window - 1u);
  for (var age = 1u; age <= ages; age++) {
    let slot = (clock[0] + params.capacity - age) % params.capacity;
    let at = ((row * params.kv + kv_head) * params.capacity + slot) * 2u * DH4;
    var dots = vec4f(0.0);
    for (var c = 0u; c < DH4; c++) { dots += rotate(q[c], table[age * DH4 + c]) * widened(ring[at + c]); }
    let s = capped(dots.x + dots.y + dots.z + dots.w, params.cap);
    let m_new = max(m, s);
    let shrink = exp(m - m_new);
    let p = exp(s - m_new);
    l = l * shrink + p;
    m = m_new;
    for (var c = 0u; c < DH4; c++) { o[c] = o[c] * shrink + p * widened(ring[at + DH4 + c]); }
  }
  for (var c = 0u; c < DH4; c++) { out[i * DH4 + c] = o[c] / l; }
}

// Writes keys and values of the new frame at the clock's slot. One thread a (row, 2*G heads).
@compute @workgroup_size(8)
fn append(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * 2u * params.kv) { return; }
  let row = i / (2u * params.kv);
  let head = i % (2u * params.kv);
  let at = (row * (params.heads + 2u * params.kv) + params.heads + head) * DH4;
  let to = (((row * params.kv + head % params.kv) * params.capacity + clock[0]) * 2u + head / params.kv) * DH4;
  for (var c = 0u; c < DH4; c++) { ring[to + c] = narrowed(qkv[at + c]); }
}
