// SwiGLU: h = silu(gate) * up. `gu` is [rows, 2H] with the gate in columns 0..H-1 and up in H..2H-1. H4 = H / 4.
import package::lib::index::linear;

struct Params { rows: u32, h4: u32 }

@group(0) @binding(0) var<storage, read_write> gu: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> h: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.h4) { return; }
  let row = i / params.h4;
  let at = row * params.h4 * 2u + i % params.h4;
  let g = gu[at];
  h[i] = g / (1.0 + exp(-g)) * gu[at + params.h4];
}
