// Attention of many queries as matrix products (src/tensor/ops/product-attention.ts): what happens between them.
// Scores [sequences, groups, per * share, length], share = heads / groups; what a row sees is told by its bounds [rows, 2] and
// in `mode` 1 also by its bits in choice [rows, ceil(length / 32)], as in latent_layout.wgsl. One invocation per row of scores.
import package::lib::index::linear;

struct Params { rows: u32, per: u32, length: u32, heads: u32, groups: u32, mode: u32, scale: f32 }

@group(0) @binding(0) var<storage, read_write> scores: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(2) var<storage, read_write> choice: array<u32>;
@group(0) @binding(3) var<storage, read_write> p: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

const LOWEST: f32 = -1e30;

// Scaled scores of four columns, LOWEST where the row sees nothing.
fn seen(row: u32, quad: u32, four: vec4f, lo: u32, hi: u32) -> vec4f {
  let column = 4u * quad + vec4u(0u, 1u, 2u, 3u);
  var here = (column >= vec4u(lo)) & (column < vec4u(hi));
  if (params.mode == 1u) {
    let word = choice[row * ((params.length + 31u) / 32u) + quad / 8u];
    here = here & (((vec4u(word) >> (column % 32u)) & vec4u(1u)) == vec4u(1u));
  }
  return select(vec4f(LOWEST), four * params.scale, here);
}

// Softmax of every row: p, and the logarithm of its sum as [rows, heads].
@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.heads) { return; }
  let share = params.heads / params.groups;
  let group = i / (share * params.per) % params.groups;
  let row = i / (share * params.per * params.groups) * params.per + i / share % params.per;
  let lo = bounds[2u * row];
  let hi = max(lo, min(bounds[2u * row + 1u], params.length));
  let quads = params.length / 4u;
  let begin = lo / 4u;
  let end = (hi + 3u) / 4u;
  var tops = vec4f(LOWEST);
  for (var n = begin; n < end; n++) { tops = max(tops, seen(row, n, scores[i * quads + n], lo, hi)); }
  let top = max(max(tops.x, tops.y), max(tops.z, tops.w));
  var sums = vec4f(0.0);
  for (var n = begin; n < end; n++) {
    let four = seen(row, n, scores[i * quads + n], lo, hi);
    sums += select(exp(four - top), vec4f(0.0), four <= vec4f(LOWEST));
  }
  let sum = sums.x + sums.y + sums.z + sums.w;
  let norm = select(0.0, 1.0 / sum, sum > 0.0);
  for (var n = 0u; n < begin; n++) { p[i * quads + n] = vec4f(0.0); }
  for (var n = begin; n < end; n++) {
    let four = seen(row, n, scores[i * quads + n], lo, hi);
    p[i * quads + n] = select(exp(four - top) * norm, vec4f(0.0), four <= vec4f(LOWEST));
  }
  for (var n = end; n < quads; n++) { p[i * quads + n] = vec4f(0.0); }
  lse[row * params.heads + group * share + i % share] = select(LOWEST, top + log(sum), sum > 0.0);
}
