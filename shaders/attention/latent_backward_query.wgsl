// Attention over latents, query side of the derivative: P = exp(a - lse), dP = dO . v, delta = sum P dP,
// dq = scale * (sum P dP k - delta * sum P k). One invocation per row and head. Layout and modes in latent_layout.wgsl.
import package::lib::index::linear;
import package::attention::latent_layout::{NONE, Params, row_quads};

const DK4: u32 = 5u;
const DV4: u32 = 4u;
const ROW_LANES: u32 = 0u;

@group(0) @binding(0) var<storage, read_write> q: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> kv: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(3) var<storage, read_write> choice: array<u32>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;
@group(0) @binding(5) var<storage, read_write> dout: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> dq: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> delta: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;

@compute @workgroup_size(64)
fn backward_query(@builtin(global_invocation_id) gid: vec3u) {
  let lane = linear(gid);
  if (lane >= params.rows * params.heads) { return; }
  let row = select(lane / params.heads, lane % params.rows, ROW_LANES == 1u);
  let head = select(lane % params.heads, lane / params.rows, ROW_LANES == 1u);
  let i = row * params.heads + head;
  let group = head / (params.heads / params.groups);
  let value = params.values / 4u;
  let quads = row_quads(DK4, DV4, value);
  let base = (row / params.per) * params.length;
  let lo = bounds[2u * row];
  let hi = max(lo, min(bounds[2u * row + 1u], params.length));
  let all = select(hi - lo, params.width, params.mode == 2u);

  var query: array<vec4f, DK4>;
  var weighted: array<vec4f, DK4>;
  var plain: array<vec4f, DK4>;
  var up: array<vec4f, DV4>;
  for (var c = 0u; c < DK4; c++) { query[c] = q[i * DK4 + c] * params.scale; }
  for (var c = 0u; c < DK4; c++) { weighted[c] = vec4f(0.0); }
  for (var c = 0u; c < DK4; c++) { plain[c] = vec4f(0.0); }
  for (var c = 0u; c < DV4; c++) { up[c] = dout[i * DV4 + c]; }
  var total = 0.0;
  for (var n = 0u; n < all; n++) {
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
    let p = exp(dots.x + dots.y + dots.z + dots.w - lse[i]);
    dots = vec4f(0.0);
    for (var c = 0u; c < DV4; c++) { dots += up[c] * kv[at + value + c]; }
    let pd = p * (dots.x + dots.y + dots.z + dots.w);
    total += pd;
    for (var c = 0u; c < DK4; c++) { weighted[c] += pd * kv[at + c]; }
    for (var c = 0u; c < DK4; c++) { plain[c] += p * kv[at + c]; }
  }
  for (var c = 0u; c < DK4; c++) { dq[i * DK4 + c] = (weighted[c] - total * plain[c]) * params.scale; }
  delta[i] = total;
}
