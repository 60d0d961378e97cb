// Patch rows in 0..1 to RGBA bytes, one u32 a pixel, rounded to nearest: what a canvas shows and a PNG stores.
import package::lib::index::linear;
import package::lib::patches::patch_index_of;

struct Params { frames: u32, width: u32, height: u32, side: u32 }

@group(0) @binding(0) var<storage, read_write> patches: array<f32>;
@group(0) @binding(1) var<storage, read_write> pixels: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn to_bytes(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  let size = params.width * params.height;
  if (i >= params.frames * size) { return; }
  let x = i % params.width;
  let y = i % size / params.width;
  let p = params.side;
  let patch_index = patch_index_of(x / p, y / p, params.width / p);
  let at = i / size * size * 3u + patch_index * p * p * 3u + ((y % p) * p + x % p) * 3u;
  var word = 0xff000000u;
  for (var c = 0u; c < 3u; c++) {
    word |= u32(clamp(patches[at + c], 0.0, 1.0) * 255.0 + 0.5) << (8u * c);
  }
  pixels[i] = word;
}
