// Attention of one new frame over a ring in three passes over the ages (largest score, sum, values), every score computed
// three times with its key rotated anew. First rung of the ladder. Fast ones: attention/decode*.wgsl.
import package::attention::layout::capped;

const DH4: u32 = 4u;

struct Params { rows: u32, heads: u32, kv: u32, capacity: u32, window: u32, scale: f32, cap: f32 }

@group(0) @binding(0) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(1) var<storage, read_write> ring: array<f32>;
@group(0) @binding(2) var<storage, read_write> table: array<f32>;
@group(0) @binding(3) var<storage, read_write> clock: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

// Where the key of that age lies in the ring; age 0, the new frame, is not there yet.
fn key_place(row: u32, kv_head: u32, age: u32) -> u32 {
  let slot = (clock[0] + params.capacity - age) % params.capacity;
  return ((row * params.kv + kv_head) * params.capacity + slot) * 8u * DH4;
}

fn score(q_at: u32, own_key: u32, key_at: u32, age: u32) -> f32 {
  var sum = 0.0;
  if (age == 0u) {
    for (var c = 0u; c < 4u * DH4; c++) { sum += qkv[q_at + c] * qkv[own_key + c]; }
  } else {
    for (var c = 0u; c < 4u * DH4; c += 2u) {
      let turn = vec2f(table[age * 4u * DH4 + c], table[age * 4u * DH4 + c + 1u]);
      let k = vec2f(ring[key_at + c], ring[key_at + c + 1u]);
      // A key of that age lies `age` positions behind its query.
      sum += qkv[q_at + c] * (k.x * turn.x + k.y * turn.y) + qkv[q_at + c + 1u] * (k.y * turn.x - k.x * turn.y);
    }
  }
  return capped(sum * params.scale, params.cap);
}

@compute @workgroup_size(8)
fn naive(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = wid.x * 8u + lane;
  if (i >= params.rows * params.heads) { return; }
  let row = i / params.heads;
  let head = i % params.heads;
  let dh = 4u * DH4;
  let kv_head = head / (params.heads / params.kv);
  let base = row * (params.heads + 2u * params.kv);
  let q_at = (base + head) * dh;
  let own_key = (base + params.heads + kv_head) * dh;
  let ages = min(clock[1], params.window - 1u);
  var m = -1e30;
  for (var age = 0u; age <= ages; age++) { m = max(m, score(q_at, own_key, key_place(row, kv_head, age), age)); }
  var l = 0.0;
  for (var age = 0u; age <= ages; age++) { l += exp(score(q_at, own_key, key_place(row, kv_head, age), age) - m); }
  for (var c = 0u; c < dh; c++) { out[i * dh + c] = 0.0; }
  for (var age = 0u; age <= ages; age++) {
    let key_at = key_place(row, kv_head, age);
    let p = exp(score(q_at, own_key, key_at, age) - m) / l;
    for (var c = 0u; c < dh; c++) {
      if (age == 0u) {
        out[i * dh + c] += p * qkv[own_key + params.kv * dh + c];
      } else {
        out[i * dh + c] += p * ring[key_at + dh + c];
      }
    }
  }
}
