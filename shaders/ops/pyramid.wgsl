// Gaussian pyramid steps on images [N, H, W, 3] with the binomial kernel [1 4 6 4 1]/16 and zero padding. `down` blurs
// and keeps every second pixel; `up` is 4 times its transpose, so each is the other's derivative up to that factor.
// Params name the large image; the small one is [N, H/2, W/2, 3].
import package::lib::index::linear;

struct Params { frames: u32, width: u32, height: u32, scale: f32 }

@group(0) @binding(0) var<storage, read_write> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> target_: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

fn weight(offset: i32) -> f32 {
  let a = abs(offset);
  return select(select(0.0625, 0.25, a == 1), 0.375, a == 0);
}

fn pixel(at: u32) -> vec3f { return vec3f(source[at], source[at + 1u], source[at + 2u]); }

fn write_pixel(at: u32, v: vec3f) {
  target_[at] = v.x;
  target_[at + 1u] = v.y;
  target_[at + 2u] = v.z;
}

@compute @workgroup_size(64)
fn down(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  let w = params.width / 2u;
  let h = params.height / 2u;
  if (i >= params.frames * w * h) { return; }
  let x = i32(i % w) * 2;
  let y = i32(i / w % h) * 2;
  let base = i / (w * h) * params.width * params.height;
  var sum = vec3f(0.0);
  for (var dy = -2; dy <= 2; dy++) {
    let sy = y + dy;
    if (sy < 0 || sy >= i32(params.height)) { continue; }
    for (var dx = -2; dx <= 2; dx++) {
      let sx = x + dx;
      if (sx < 0 || sx >= i32(params.width)) { continue; }
      sum += weight(dy) * weight(dx) * pixel((base + u32(sy) * params.width + u32(sx)) * 3u);
    }
  }
  write_pixel(i * 3u, sum * params.scale);
}

@compute @workgroup_size(64)
fn up(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.frames * params.width * params.height) { return; }
  let w = params.width / 2u;
  let h = params.height / 2u;
  let x = i32(i % params.width);
  let y = i32(i / params.width % params.height);
  let base = i / (params.width * params.height) * w * h;
  var sum = vec3f(0.0);
  // Small pixel s touches large pixels 2s-2 .. 2s+2.
  for (var sy = (y - 1) >> 1u; sy <= (y + 2) >> 1u; sy++) {
    if (sy < 0 || sy >= i32(h)) { continue; }
    for (var sx = (x - 1) >> 1u; sx <= (x + 2) >> 1u; sx++) {
      if (sx < 0 || sx >= i32(w)) { continue; }
      let a = y - 2 * sy;
      let b = x - 2 * sx;
      if (abs(a) > 2 || abs(b) > 2) { continue; }
      sum += weight(a) * weight(b) * pixel((base + u32(sy) * w + u32(sx)) * 3u);
    }
  }
  write_pixel(i * 3u, sum * 4.0 * params.scale);
}
