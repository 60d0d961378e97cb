// Arithmetic of shortcut forcing on latents [rows, c], f32 throughout (dreamer4 section 6).
//   signal[r] = (tau, d) per row. 1 - tau - d/2 >= 1/Kmax always, so no division by zero occurs.
import package::lib::index::linear;

struct Params { rows: u32, c: u32, fraction: f32 }

@group(0) @binding(0) var<storage, read_write> a: array<f32>;
@group(0) @binding(1) var<storage, read_write> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> signal: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

// z~ = (1 - tau) * noise + tau * clean; a = clean, b = noise.
@compute @workgroup_size(64)
fn corrupt(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.c) { return; }
  let tau = signal[i / params.c].x;
  y[i] = (1.0 - tau) * b[i] + tau * a[i];
}

// One Euler step of length fraction * d: z + (xhat - z) / (1 - tau) * step; a = z, b = xhat.
@compute @workgroup_size(64)
fn euler(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.c) { return; }
  let s = signal[i / params.c];
  y[i] = a[i] + (b[i] - a[i]) * (s.y * params.fraction / (1.0 - s.x));
}
