// What the indexer learns: the main attention's probabilities, mean over heads, for every slot of a query row. Slots are all
// columns of the row (dense warm-up, `listed` 0) or its chosen keys (sparse stage, `listed` 1; the given lse is then that of
// the sparse attention, so the row already sums to one over them). 0 in slots that the row does not see. One invocation per
// slot. q, kv and lse as in attention/latent_layout.wgsl.
import package::lib::index::linear;
import package::attention::latent_layout::{NONE, row_quads};

const DK4: u32 = 5u;
const DV4: u32 = 4u;

struct Params { rows: u32, heads: u32, groups: u32, per: u32, length: u32, slots: u32, listed: u32, values: u32, scale: f32 }

@group(0) @binding(0) var<storage, read_write> q: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> kv: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;
@group(0) @binding(3) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(4) var<storage, read_write> chosen: array<u32>;
@group(0) @binding(5) var<storage, read_write> p: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn mean_probability(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.slots) { return; }
  let row = i / params.slots;
  var s = i % params.slots;
  if (params.listed == 1u) { s = chosen[i]; }
  if (s == NONE || s < bounds[2u * row] || s >= bounds[2u * row + 1u]) {
    p[i] = 0.0;
    return;
  }
  let quads = row_quads(DK4, DV4, params.values / 4u);
  let base = ((row / params.per) * params.length + s) * params.groups;
  var sum = 0.0;
  for (var h = 0u; h < params.heads; h++) {
    let place = row * params.heads + h;
    let at = (base + h / (params.heads / params.groups)) * quads;
    var dots = vec4f(0.0);
    for (var c = 0u; c < DK4; c++) { dots += q[place * DK4 + c] * kv[at + c]; }
    sum += exp((dots.x + dots.y + dots.z + dots.w) * params.scale - lse[place]);
  }
  p[i] = sum / f32(params.heads);
}
