// Backward of SwiGLU: d gate = dh * up * silu'(gate), d up = dh * silu(gate). Layout as in swiglu.wgsl.
import package::lib::index::linear;

struct Params { rows: u32, h4: u32 }

@group(0) @binding(0) var<storage, read_write> gu: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dh: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dgu: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.h4) { return; }
  let row = i / params.h4;
  let at = row * params.h4 * 2u + i % params.h4;
  let g = gu[at];
  let s = 1.0 / (1.0 + exp(-g));
  let d = dh[i];
  dgu[at] = d * gu[at + params.h4] * s * (1.0 + g * (1.0 - s));
  dgu[at + params.h4] = d * g * s;
}
