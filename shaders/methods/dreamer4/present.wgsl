// Draws the newest frame (RGBA bytes, one u32 a pixel) on a canvas of any size, nearest neighbour.
struct Params { width: u32, height: u32, target_width: f32, target_height: f32 }

@group(0) @binding(0) var<storage, read> pixels: array<u32>;
@group(0) @binding(1) var<uniform> params: Params;

@vertex
fn corners(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
  // One triangle that covers the canvas.
  return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn colour(@builtin(position) at: vec4f) -> @location(0) vec4f {
  let x = min(u32(at.x / params.target_width * f32(params.width)), params.width - 1u);
  let y = min(u32(at.y / params.target_height * f32(params.height)), params.height - 1u);
  return unpack4x8unorm(pixels[y * params.width + x]);
}
