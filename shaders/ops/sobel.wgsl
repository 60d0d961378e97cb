// Sobel derivatives of images [N, H, W, 3] with zero padding: [N, H, W, 6] (x derivative, then y), and the transpose.
import package::lib::index::linear;

struct Params { frames: u32, width: u32, height: u32 }

@group(0) @binding(0) var<storage, read_write> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> target_: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

fn smooth_(offset: i32) -> f32 { return select(0.125, 0.25, offset == 0); }
fn slope(offset: i32) -> f32 { return f32(offset); }

fn vector(at: u32) -> vec3f { return vec3f(source[at], source[at + 1u], source[at + 2u]); }

fn write_vector(at: u32, v: vec3f) {
  target_[at] = v.x;
  target_[at + 1u] = v.y;
  target_[at + 2u] = v.z;
}

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.frames * params.width * params.height) { return; }
  let x = i32(i % params.width);
  let y = i32(i / params.width % params.height);
  let base = i / (params.width * params.height) * params.width * params.height;
  var gx = vec3f(0.0);
  var gy = vec3f(0.0);
  for (var dy = -1; dy <= 1; dy++) {
    for (var dx = -1; dx <= 1; dx++) {
      let sx = x + dx;
      let sy = y + dy;
      if (sx < 0 || sy < 0 || sx >= i32(params.width) || sy >= i32(params.height)) { continue; }
      let v = vector((base + u32(sy) * params.width + u32(sx)) * 3u);
      gx += slope(dx) * smooth_(dy) * v;
      gy += smooth_(dx) * slope(dy) * v;
    }
  }
  write_vector(i * 6u, gx);
  write_vector(i * 6u + 3u, gy);
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.frames * params.width * params.height) { return; }
  let x = i32(i % params.width);
  let y = i32(i / params.width % params.height);
  let base = i / (params.width * params.height) * params.width * params.height;
  var sum = vec3f(0.0);
  for (var dy = -1; dy <= 1; dy++) {
    for (var dx = -1; dx <= 1; dx++) {
      let sx = x - dx;
      let sy = y - dy;
      if (sx < 0 || sy < 0 || sx >= i32(params.width) || sy >= i32(params.height)) { continue; }
      let at = (base + u32(sy) * params.width + u32(sx)) * 6u;
      sum += slope(dx) * smooth_(dy) * vector(at) + smooth_(dx) * slope(dy) * vector(at + 3u);
    }
  }
  write_vector(i * 3u, sum);
}
