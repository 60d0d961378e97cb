// Attention over latents, forward, online softmax (Milakov and Gimelshein 2018); layout and modes in latent_layout.wgsl. One
// invocation per row, head and split of the row's keys; which of them are neighbours is told by ROW_LANES.
// Writes the output of its keys and the logarithm of their sum of exponentials; latent_combine.wgsl joins splits.
import package::lib::index::linear;
import package::attention::latent_layout::{NONE, Params, row_quads};

const DK4: u32 = 5u;
const DV4: u32 = 4u;
const ROW_LANES: u32 = 0u;

@group(0) @binding(0) var<storage, read_write> q: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> kv: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(3) var<storage, read_write> choice: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> lse: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.heads * params.splits) { return; }
  let rest = i / select(params.heads, params.rows, ROW_LANES == 1u);
  let row = select(rest / params.splits, i % params.rows, ROW_LANES == 1u);
  let head = select(i % params.heads, rest / params.splits, ROW_LANES == 1u);
  let split = rest % params.splits;
  let group = head / (params.heads / params.groups);
  let value = params.values / 4u;
  let quads = row_quads(DK4, DV4, value);
  let base = (row / params.per) * params.length;
  let lo = bounds[2u * row];
  let hi = max(lo, min(bounds[2u * row + 1u], params.length));
  let all = select(hi - lo, params.width, params.mode == 2u);
  let step = (all + params.splits - 1u) / params.splits;
  let begin = min(split * step, all);
  let to = min(begin + step, all);

  var query: array<vec4f, DK4>;
  var o: array<vec4f, DV4>;
  for (var c = 0u; c < DK4; c++) { query[c] = q[(row * params.heads + head) * DK4 + c] * params.scale; }
  for (var c = 0u; c < DV4; c++) { o[c] = vec4f(0.0); }
  var m = -1e30;
  var l = 0.0;
  for (var n = begin; n < to; n++) {
    var s = lo + n;
    if (params.mode == 2u) {
      s = choice[row * params.width + n];
      if (s == NONE) { break; }
    }
    if (params.mode == 1u) {
      let word = choice[row * params.width + s / 32u] >> (s % 32u);
      if (word == 0u) { n += 31u - s % 32u; }
      if ((word & 1u) == 0u) { continue; }
    }
    let at = ((base + s) * params.groups + group) * quads;
    var dots = vec4f(0.0);
    for (var c = 0u; c < DK4; c++) { dots += query[c] * kv[at + c]; }
    let score = dots.x + dots.y + dots.z + dots.w;
    if (score > m) {
      let shrink = exp(m - score);
      l *= shrink;
      for (var c = 0u; c < DV4; c++) { o[c] *= shrink; }
      m = score;
    }
    let p = exp(score - m);
    l += p;
    for (var c = 0u; c < DV4; c++) { o[c] += p * kv[at + value + c]; }
  }
  let norm = select(0.0, 1.0 / l, l > 0.0);
  let place = (row * params.splits + split) * params.heads + head;
  for (var c = 0u; c < DV4; c++) { out[place * DV4 + c] = o[c] * norm; }
  lse[place] = select(-1e30, m + log(l), l > 0.0);
}
