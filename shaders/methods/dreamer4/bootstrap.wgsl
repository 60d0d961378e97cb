// Bootstrap target in x-space: z~ + (1 - tau) * (b1 + b2) / 2 with
//   b1 = (x1 - z~) / (1 - tau),   b2 = (x2 - z') / (1 - tau - d/2),   z' = z~ + b1 * d/2 (computed before, given).
import package::lib::index::linear;

struct Params { rows: u32, c: u32 }

@group(0) @binding(0) var<storage, read_write> z: array<f32>;
@group(0) @binding(1) var<storage, read_write> z_half: array<f32>;
@group(0) @binding(2) var<storage, read_write> x1: array<f32>;
@group(0) @binding(3) var<storage, read_write> x2: array<f32>;
@group(0) @binding(4) var<storage, read_write> signal: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> goal: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(64)
fn bootstrap(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.c) { return; }
  let s = signal[i / params.c];
  let rest = 1.0 - s.x;
  let b1 = (x1[i] - z[i]) / rest;
  let b2 = (x2[i] - z_half[i]) / (rest - 0.5 * s.y);
  goal[i] = z[i] + rest * 0.5 * (b1 + b2);
}
