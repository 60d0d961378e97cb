// decode.wgsl for CPU adapters with subgroups of LANES invocations: every lane takes every LANES-th age, rotates that key
// once and scores it for HEADS query heads that share it; lanes keep an online softmax of their own and meet at the end.
// The new frame's own key is lane 0's first. Loops over HEADS and DH4 are written out by unrollLoops.
import package::attention::layout::capped;
enable subgroups;

const DH4: u32 = 4u;
const LANES: u32 = 8u;
const HEADS: u32 = 1u;

struct Params { rows: u32, heads: u32, kv: u32, capacity: u32, window: u32, scale: f32, cap: f32 }

@group(0) @binding(0) var<storage, read_write> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> ring: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> table: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> clock: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;

fn rotate_back(v: vec4f, cs: vec4f) -> vec4f {
  return vec4f(v.x * cs.x + v.y * cs.y, v.y * cs.x - v.x * cs.y, v.z * cs.z + v.w * cs.w, v.w * cs.z - v.z * cs.w);
}

// Workgroups: tiles of HEADS heads, rows.
@compute @workgroup_size(LANES)
fn tiled(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = wid.y;
  let head = wid.x * HEADS;
  let kv_head = head / (params.heads / params.kv);
  let width = params.heads + 2u * params.kv;
  let key_at = (row * width + params.heads + kv_head) * DH4;

  var q: array<array<vec4f, DH4>, HEADS>;
  var o: array<array<vec4f, DH4>, HEADS>;
  var m: array<f32, HEADS>;
  var l: array<f32, HEADS>;
  for (var h = 0u; h < HEADS; h++) {
    var own = vec4f(0.0);
    for (var c = 0u; c < DH4; c++) {
      q[h][c] = qkv[(row * width + head + h) * DH4 + c] * params.scale;
      own += q[h][c] * qkv[key_at + c];
    }
    let mine = lane == 0u;
    m[h] = select(-1e30, capped(own.x + own.y + own.z + own.w, params.cap), mine);
    l[h] = select(0.0, 1.0, mine);
    for (var c = 0u; c < DH4; c++) { o[h][c] = select(vec4f(0.0), qkv[key_at + params.kv * DH4 + c], mine); }
  }
  let ages = min(clock[1], params.window - 1u);
  for (var age = 1u + lane; age <= ages; age += LANES) {
    // A remainder costs as much as several loads here.
    let back = clock[0] + params.capacity - age;
    let slot = select(back - params.capacity, back, back < params.capacity);
    let at = ((slot * params.rows + row) * 2u * params.kv + kv_head) * DH4;
    var dots: array<vec4f, HEADS>;
    for (var h = 0u; h < HEADS; h++) { dots[h] = vec4f(0.0); }
    for (var c = 0u; c < DH4; c++) {
      let key = rotate_back(ring[at + c], table[age * DH4 + c]);
      for (var h = 0u; h < HEADS; h++) { dots[h] += q[h][c] * key; }
    }
    var shrink: array<f32, HEADS>;
    var p: array<f32, HEADS>;
    for (var h = 0u; h < HEADS; h++) {
      let s = capped(dots[h].x + dots[h].y + dots[h].z + dots[h].w, params.cap);
      let top = max(m[h], s);
      shrink[h] = exp(m[h] - top);
      p[h] = exp(s - top);
      l[h] = l[h] * shrink[h] + p[h];
      m[h] = top;
    }
    for (var c = 0u; c < DH4; c++) {
      let value = ring[at + params.kv * DH4 + c];
      for (var h = 0u; h < HEADS; h++) { o[h][c] = o[h][c] * shrink[h] + p[h] * value; }
    }
  }
  for (var h = 0u; h < HEADS; h++) {
    let top = subgroupMax(m[h]);
    let weight = exp(m[h] - top);
    let share = weight / subgroupAdd(l[h] * weight);
    for (var c = 0u; c < DH4; c++) {
      let total = subgroupAdd(o[h][c] * share);
      if (lane == 0u) { out[(row * params.heads + head + h) * DH4 + c] = total; }
    }
  }
}
