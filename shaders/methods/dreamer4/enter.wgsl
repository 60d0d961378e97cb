// The tokens of one frame that enter the dynamics in play, in one launch (model.ts, `dynamics`, has it as single operations):
//   action | signal | z Win + before + condition of every spatial token | registers, each plus its slot's embedding.
// `levels` and `conditions` hold all passes of a played frame; this pass takes its own rows. `parts` says what there is:
// bit 0 `before`, bit 1 `conditions`. One thread per four channels of a slot. Places in `weights` count vec4s.
import package::lib::index::linear;

struct Params {
  frames: u32, tokens: u32, registers: u32, channels: u32, d4: u32, pass_index: u32, parts: u32,
  at_in: u32, at_registers: u32, at_slots: u32,
}

@group(0) @binding(0) var<storage, read_write> weights: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> z: array<f32>;
@group(0) @binding(2) var<storage, read_write> action: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> levels: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> conditions: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> before: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(7) var<uniform> p: Params;

@compute @workgroup_size(64)
fn enter(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  let slots = 2u + p.tokens + p.registers;
  if (i >= p.frames * slots * p.d4) { return; }
  let c = i % p.d4;
  let slot = (i / p.d4) % slots;
  let frame = i / p.d4 / slots;
  let own = (p.pass_index * p.frames + frame) * p.d4 + c;
  var sum = weights[p.at_slots + slot * p.d4 + c];
  if (slot == 0u) {
    sum += action[frame * p.d4 + c];
  } else if (slot == 1u) {
    sum += levels[own];
  } else if (slot < 2u + p.tokens) {
    let token = frame * p.tokens + slot - 2u;
    for (var k = 0u; k < p.channels; k++) { sum += z[token * p.channels + k] * weights[p.at_in + k * p.d4 + c]; }
    if ((p.parts & 1u) != 0u) { sum += before[token * p.d4 + c]; }
    if ((p.parts & 2u) != 0u) { sum += conditions[own]; }
  } else {
    sum += weights[p.at_registers + (slot - 2u - p.tokens) * p.d4 + c];
  }
  x[i] = sum;
}
