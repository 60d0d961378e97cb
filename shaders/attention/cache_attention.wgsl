// Attention of new rows over a cache that is addressed by position: prefill, decoding, and the prefix and dual caches of
// diffusion decoding are this with other bounds. Online softmax of Milakov and Gimelshein 2018. Forward only.
//   qkv    [rows, H + 2G, 4*DH4]: normalised and rotated; row r belongs to sequence r / queries
//   cache  [sequences, capacity, 2, G, 4*DH4]; with f16 two numbers to a word, in the packing of core WGSL
//   at     u32 [rows]: position whose keys and values the row replaces; >= capacity = none
//   bounds u32 [rows, 2]: first position that a row sees, and one past its last; an empty range gives zeros
import package::attention::layout::capped;
import package::attention::kept::{Four, widened, narrowed};

const DH4: u32 = 4u;
const LANES: u32 = 64u;

struct Params { rows: u32, queries: u32, heads: u32, kv: u32, capacity: u32, scale: f32, cap: f32 }

@group(0) @binding(0) var<storage, read_write> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> cache: array<Four>;
@group(0) @binding(2) var<storage, read_write> rule: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

// Here `rule` is `at`. One thread a (row, key or value head).
@compute @workgroup_size(8)
fn append(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear_of_eight(gid);
  if (i >= params.rows * 2u * params.kv) { return; }
  let row = i / (2u * params.kv);
  let part = i % (2u * params.kv);
  if (rule[row] >= params.capacity) { return; }
  let source = (row * (params.heads + 2u * params.kv) + params.heads + part) * DH4;
  let place = (((row / params.queries) * params.capacity + rule[row]) * 2u * params.kv + part) * DH4;
  for (var c = 0u; c < DH4; c++) { cache[place + c] = narrowed(qkv[source + c]); }
}

// cover() folds rows of 65535 workgroups, here of eight threads.
fn linear_of_eight(gid: vec3u) -> u32 {
  return gid.x + gid.y * 524280u;
}

// Here `rule` is `bounds`. CPU adapters: one thread a (row, head), no barrier.
@compute @workgroup_size(8)
fn serial(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear_of_eight(gid);
  if (i >= params.rows * params.heads) { return; }
  let row = i / params.heads;
  let head = i % params.heads;
  let kv_head = head / (params.heads / params.kv);
  let q_at = (row * (params.heads + 2u * params.kv) + head) * DH4;
  var q: array<vec4f, DH4>;
  var o: array<vec4f, DH4>;
  for (var c = 0u; c < DH4; c++) { q[c] = qkv[q_at + c] * params.scale; }
  var m = -1e30;
  var l = 0.0;
  let base = (row / params.queries) * params.capacity;
  let last = min(rule[2u * row + 1u], params.capacity);
  for (var j = rule[2u * row]; j < last; j++) {
    let at = ((base + j) * 2u * params.kv + kv_head) * DH4;
    var dots = vec4f(0.0);
    for (var c = 0u; c < DH4; c++) { dots += q[c] * widened(cache[at + c]); }
    let s = capped(dots.x + dots.y + dots.z + dots.w, params.cap);
    let m_new = max(m, s);
    let shrink = exp(m - m_new);
    let p = exp(s - m_new);
    l = l * shrink + p;
    m = m_new;
    for (var c = 0u; c < DH4; c++) { o[c] = o[c] * shrink + p * widened(cache[at + params.kv * DH4 + c]); }
  }
  let norm = 1.0 / max(l, 1e-30);
  for (var c = 0u; c < DH4; c++) { out[i * DH4 + c] = o[c] * norm; }
}

// GPUs: one workgroup a (row, head). Every lane scores one key of a block of LANES; then lane (group, channel quad) adds
// up every GROUPS-th value of the block.
const GROUPS: u32 = LANES / DH4;
var<workgroup> scores: array<f32, LANES>;
var<workgroup> sums: array<vec4f, LANES>;
var<workgroup> range: vec2u;

@compute @workgroup_size(LANES)
fn spread(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = wid.x + wid.y * 65535u;
  // The same for all lanes of a workgroup: nobody is left waiting at a barrier.
  if (i >= params.rows * params.heads) { return; }
  let row = i / params.heads;
  let head = i % params.heads;
  let kv_head = head / (params.heads / params.kv);
  let q_at = (row * (params.heads + 2u * params.kv) + head) * DH4;
  let base = (row / params.queries) * params.capacity;
  // A loop with barriers wants bounds that the compiler knows to be uniform.
  if (lane == 0u) { range = vec2u(rule[2u * row], min(rule[2u * row + 1u], params.capacity)); }
  let seen = workgroupUniformLoad(&range);
  let first = seen.x;
  let last = seen.y;
  let group = lane / DH4;
  let quad = lane % DH4;
  var m = -1e30;
  var l = 0.0;
  var o = vec4f(0.0);
  for (var block = first; block < last; block += LANES) {
    let j = block + lane;
    let at = ((base + min(j, params.capacity - 1u)) * 2u * params.kv + kv_head) * DH4;
    var dots = vec4f(0.0);
    for (var c = 0u; c < DH4; c++) { dots += qkv[q_at + c] * widened(cache[at + c]); }
    let own = select(-1e30, capped((dots.x + dots.y + dots.z + dots.w) * params.scale, params.cap), j < last);
    scores[lane] = own;
    workgroupBarrier();
    var m_new = m;
    for (var u = 0u; u < LANES; u++) { m_new = max(m_new, scores[u]); }
    let shrink = exp(m - m_new);
    workgroupBarrier();
    scores[lane] = select(0.0, exp(own - m_new), j < last);
    workgroupBarrier();
    l *= shrink;
    o *= shrink;
    for (var u = 0u; u < LANES; u++) { l += scores[u]; }
    if (group < GROUPS) {
      for (var u = group; u < LANES; u += GROUPS) {
        let key = base + min(block + u, params.capacity - 1u);
        o += scores[u] * widened(cache[((key * 2u + 1u) * params.kv + kv_head) * DH4 + quad]);
      }
    }
    m = m_new;
    workgroupBarrier();
  }
  sums[lane] = o;
  workgroupBarrier();
  if (lane < DH4) {
    var total = vec4f(0.0);
    for (var g = 0u; g < GROUPS; g++) { total += sums[g * DH4 + lane]; }
    out[i * DH4 + lane] = total / max(l, 1e-30);
  }
}
