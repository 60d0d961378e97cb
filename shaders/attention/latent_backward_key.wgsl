// Attention over latents, key side of the derivative, key-major: dk = sum dS * q, dv = sum P * dO over the rows and heads
// that see the key, in a fixed order and without atomics. One invocation per key row and group; it walks the rows of its
// sequence and tests what each sees: its bounds (mode 0) or its bit (modes 1 and 2 alike; `choice` holds bits here).
import package::lib::index::linear;
import package::attention::latent_layout::{Params, row_quads};

const DK4: u32 = 5u;
const DV4: u32 = 4u;
const ROW_LANES: u32 = 0u;

@group(0) @binding(0) var<storage, read_write> q: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> kv: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> bounds: array<u32>;
@group(0) @binding(3) var<storage, read_write> choice: array<u32>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;
@group(0) @binding(5) var<storage, read_write> dout: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> delta: array<f32>;
@group(0) @binding(7) var<storage, read_write> dkv: array<vec4f>;
@group(0) @binding(8) var<uniform> params: Params;

@compute @workgroup_size(64)
fn backward_key(@builtin(global_invocation_id) gid: vec3u) {
  let lane = linear(gid);
  let keys = (params.rows / params.per) * params.length;
  if (lane >= keys * params.groups) { return; }
  let place_of_key = select(lane / params.groups, lane % keys, ROW_LANES == 1u);
  let group = select(lane % params.groups, lane / keys, ROW_LANES == 1u);
  let i = place_of_key * params.groups + group;
  let s = place_of_key % params.length;
  let sequence = place_of_key / params.length;
  let value = params.values / 4u;
  let at = i * row_quads(DK4, DV4, value);
  let heads = params.heads / params.groups;

  var key: array<vec4f, DK4>;
  var dk: array<vec4f, DK4>;
  var val: array<vec4f, DV4>;
  var dv: array<vec4f, DV4>;
  for (var c = 0u; c < DK4; c++) { key[c] = kv[at + c] * params.scale; }
  for (var c = 0u; c < DK4; c++) { dk[c] = vec4f(0.0); }
  for (var c = 0u; c < DV4; c++) { val[c] = kv[at + value + c]; }
  for (var c = 0u; c < DV4; c++) { dv[c] = vec4f(0.0); }
  // Neighbouring keys start at the same row, so that they read the same queries; rows before a key do not see it.
  for (var t = select(0u, s - s % select(1u, 32u, ROW_LANES == 1u), params.causal == 1u); t < params.per; t++) {
    let row = sequence * params.per + t;
    var seen = s >= bounds[2u * row] && s < bounds[2u * row + 1u];
    if (params.mode != 0u) { seen = ((choice[row * params.width + s / 32u] >> (s % 32u)) & 1u) == 1u; }
    if (!seen) { continue; }
    for (var h = 0u; h < heads; h++) {
      let place = row * params.heads + group * heads + h;
      var dots = vec4f(0.0);
      for (var c = 0u; c < DK4; c++) { dots += key[c] * q[place * DK4 + c]; }
      let p = exp(dots.x + dots.y + dots.z + dots.w - lse[place]);
      dots = vec4f(0.0);
      for (var c = 0u; c < DV4; c++) { dots += val[c] * dout[place * DV4 + c]; }
      let ds = p * (dots.x + dots.y + dots.z + dots.w - delta[place]) * params.scale;
      for (var c = 0u; c < DK4; c++) { dk[c] += ds * q[place * DK4 + c]; }
      for (var c = 0u; c < DV4; c++) { dv[c] += p * dout[place * DV4 + c]; }
    }
  }
  for (var c = 0u; c < DK4; c++) { dkv[at + c] = dk[c]; }
  // Latents: the values are channels of the key, both derivatives meet there.
  for (var c = 0u; c < DV4; c++) { dkv[at + value + c] = dv[c] + select(vec4f(0.0), dkv[at + value + c], value + c < DK4); }
}
