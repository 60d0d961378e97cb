// Sobel derivatives of images [N, H, W, 3] with zero padding: [N, H, W, 6] (x derivative, then y), and the transpose.
import package::lib::index::linear;

struct Params { frames: u32, width: u32, height: u32 }

@group(0) @binding(0) var<storage, read_write> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> target_: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

fn smooth_(offset: i32) -> f32 { return select(0.125, 0.25, offset == 0); }
fn slope(offset: i32) -> f32 { return f32(offset); }

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.frames * params.width * params.height * 3u) { return; }
  let c = i % 3u;
  let x = i32(i / 3u % params.width);
  let y = i32(i / 3u / params.width % params.height);
  let base = i / 3u / (params.width * params.height) * params.width * params.height;
  var gx = 0.0;
  var gy = 0.0;
  for (var dy = -1; dy <= 1; dy++) {
    for (var dx = -1; dx <= 1; dx++) {
      let sx = x + dx;
      let sy = y + dy;
      if (sx < 0 || sy < 0 || sx >= i32(params.width) || sy >= i32(params.height)) { continue; }
      let v = source[(base + u32(sy) * params.width + u32(sx)) * 3u + c];
      gx += slope(dx) * smooth_(dy) * v;
      gy += smooth_(dx) * slope(dy) * v;
    }
  }
  target_[i / 3u * 6u + c] = gx;
  target_[i / 3u * 6u + 3u + c] = gy;
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.frames * params.width * params.height * 3u) { return; }
  let c = i % 3u;
  let x = i32(i / 3u % params.width);
  let y = i32(i / 3u / params.width % params.height);
  let base = i / 3u / (params.width * params.height) * params.width * params.height;
  var sum = 0.0;
  for (var dy = -1; dy <= 1; dy++) {
    for (var dx = -1; dx <= 1; dx++) {
      let sx = x - dx;
      let sy = y - dy;
      if (sx < 0 || sy < 0 || sx >= i32(params.width) || sy >= i32(params.height)) { continue; }
      let at = (base + u32(sy) * params.width + u32(sx)) * 6u + c;
      sum += slope(dx) * smooth_(dy) * source[at] + smooth_(dx) * slope(dy) * source[at + 3u];
    }
  }
  target_[i] = sum;
}
