// decode.wgsl for CPU adapters with subgroups of LANES invocations: every lane takes every LANES-th age, rotates that key
// once and scores it for HEADS query heads that share it; lanes keep an online softmax of their own and meet at the end.
// The new frame's own key is lane 0's first. Loops over HEADS, DH4, PARTS and AGES are written out by unrollLoops.
//
// A load costs there per lane and number: what all lanes need comes in one load of neighbouring words and is broadcast, and
// the rotation of the next age is the rotation of this one turned by LANES ages (an error of 1e-7 a turn) instead of a row
// of the table. The loop leaves at its end: one that leaves at its beginning runs its body once more with no lane active.
import package::attention::layout::capped;
import package::attention::kept::{Four, widened};
enable subgroups;

const DH4: u32 = 4u;
const LANES: u32 = 8u;
const HEADS: u32 = 1u;
// Loads that bring the queries of HEADS heads.
const PARTS: u32 = 1u;
// Ages that a lane takes in a step: one softmax and one assignment of every sum for all of them.
const AGES: u32 = 1u;
// Without a soft cap no tanh is computed; a branch would compute it and drop it.
const CAPPED: u32 = 1u;

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

fn rotate_back(v: vec4f, cs: vec4f) -> vec4f {
  return vec4f(v.x * cs.x + v.y * cs.y, v.y * cs.x - v.x * cs.y, v.z * cs.z + v.w * cs.w, v.w * cs.z - v.z * cs.w);
}

fn score(products: vec4f) -> f32 {
  let s = products.x + products.y + products.z + products.w;
  if (CAPPED == 0u) { return s; }
  return capped(s, params.cap);
}

fn total(v: vec4f) -> vec4f {
  var sum = v + subgroupShuffleXor(v, 1u);
  sum += subgroupShuffleXor(sum, 2u);
  if (LANES > 4u) { sum += subgroupShuffleXor(sum, 4u); }
  return sum;
}

fn highest(v: f32) -> f32 {
  var top = max(v, subgroupShuffleXor(v, 1u));
  top = max(top, subgroupShuffleXor(top, 2u));
  if (LANES > 4u) { top = max(top, subgroupShuffleXor(top, 4u)); }
  return top;
}

// Workgroups: tiles of HEADS heads, rows.
@compute @workgroup_size(LANES)
fn tiled(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = wid.y;
  let head = wid.x * HEADS;
  let kv_head = head / (params.heads / params.kv);
  let width = params.heads + 2u * params.kv;
  let query_at = (row * width + head) * DH4;
  let key_at = (row * width + params.heads + kv_head) * DH4;

  var q: array<array<vec4f, DH4>, HEADS>;
  var o: array<array<vec4f, DH4>, HEADS>;
  var m: array<f32, HEADS>;
  var l: array<f32, HEADS>;
  for (var part = 0u; part < PARTS; part++) {
    let words = qkv[query_at + min(part * LANES + lane, HEADS * DH4 - 1u)] * params.scale;
    for (var h = 0u; h < HEADS; h++) {
      for (var c = 0u; c < DH4; c++) {
        if ((h * DH4 + c) / LANES == part) { q[h][c] = subgroupBroadcast(words, (h * DH4 + c) % LANES); }
      }
    }
  }
  // The new frame's key and value, and the rotation of LANES ages.
  var k: array<vec4f, DH4>;
  var v: array<vec4f, DH4>;
  var step: array<vec4f, DH4>;
  for (var part = 0u; part < PARTS; part++) {
    let c_here = min(part * LANES + lane, DH4 - 1u);
    let key = qkv[key_at + c_here];
    let value = qkv[key_at + params.kv * DH4 + c_here];
    let angle = table[min(LANES, params.window - 1u) * DH4 + c_here];
    for (var c = 0u; c < DH4; c++) {
      if (c / LANES == part) {
        k[c] = subgroupBroadcast(key, c % LANES);
        v[c] = subgroupBroadcast(value, c % LANES);
        step[c] = subgroupBroadcast(angle, c % LANES);
      }
    }
  }
  let mine = lane == 0u;
  for (var h = 0u; h < HEADS; h++) {
    var own = vec4f(0.0);
    for (var c = 0u; c < DH4; c++) { own += q[h][c] * k[c]; }
    m[h] = select(-1e30, score(own), mine);
    l[h] = select(0.0, 1.0, mine);
    for (var c = 0u; c < DH4; c++) { o[h][c] = select(vec4f(0.0), v[c], mine); }
  }
  let ages = min(clock[1], params.window - 1u);
  var turn: array<vec4f, DH4>;
  for (var c = 0u; c < DH4; c++) { turn[c] = table[min(1u + lane, params.window - 1u) * DH4 + c]; }
  var age = 1u + lane;
  // An empty ring holds nothing that may be read: a stale NaN passes a weight of 0.
  if (ages > 0u) {
    loop {
      var p: array<array<f32, HEADS>, AGES>;
      var at: array<u32, AGES>;
      for (var a = 0u; a < AGES; a++) {
        let here = age + a * LANES;
        // A remainder costs as much as several loads here.
        let back = clock[0] + params.capacity - min(here, ages);
        let slot = select(back - params.capacity, back, back < params.capacity);
        at[a] = ((row * params.kv + kv_head) * params.capacity + slot) * 2u * DH4;
        var dots: array<vec4f, HEADS>;
        for (var h = 0u; h < HEADS; h++) { dots[h] = vec4f(0.0); }
        for (var c = 0u; c < DH4; c++) {
          let key = rotate_back(widened(ring[at[a] + c]), turn[c]);
          for (var h = 0u; h < HEADS; h++) { dots[h] += q[h][c] * key; }
          turn[c] = rotate(turn[c], step[c]);
        }
        for (var h = 0u; h < HEADS; h++) { p[a][h] = select(-1e30, score(dots[h]), here <= ages); }
      }
      var shrink: array<f32, HEADS>;
      for (var h = 0u; h < HEADS; h++) {
        var top = m[h];
        for (var a = 0u; a < AGES; a++) { top = max(top, p[a][h]); }
        shrink[h] = exp(m[h] - top);
        m[h] = top;
        l[h] *= shrink[h];
        for (var a = 0u; a < AGES; a++) {
          // A lane that has seen nothing has the lowest score as its highest: what is out of sight must weigh nothing there.
          p[a][h] = select(0.0, exp(p[a][h] - top), age + a * LANES <= ages);
          l[h] += p[a][h];
        }
      }
      for (var c = 0u; c < DH4; c++) {
        for (var h = 0u; h < HEADS; h++) { o[h][c] *= shrink[h]; }
        for (var a = 0u; a < AGES; a++) {
          let value = widened(ring[at[a] + DH4 + c]);
          for (var h = 0u; h < HEADS; h++) { o[h][c] += p[a][h] * value; }
        }
      }
      age += AGES * LANES;
      continuing { break if age - lane > ages; }
    }
  }
  for (var h = 0u; h < HEADS; h++) {
    let weight = exp(m[h] - highest(m[h]));
    let share = weight / total(vec4f(l[h] * weight)).x;
    for (var c = 0u; c < DH4; c++) {
      let sum = total(o[h][c] * share);
      if (mine) { out[(row * params.heads + head + h) * DH4 + c] = sum; }
    }
  }
}
