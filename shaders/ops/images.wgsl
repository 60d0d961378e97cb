// Between packed RGB bytes, patch rows [N, patches, p*p*3] in 0..1, and images [N, H, W, 3].
// A patch row lists its pixels row by row, three channels each. Patches are listed in blocks of 2x2 (lib/patches.wgsl).
import package::lib::index::linear;
import package::lib::patches::patch_cell;

struct Params { frames: u32, width: u32, height: u32, side: u32 }

@group(0) @binding(0) var<storage, read_write> source: array<u32>;
@group(0) @binding(1) var<storage, read_write> target_: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

// Place of pixel i of the patch rows in the image layout, in numbers: three per pixel.
fn image_place(i: u32) -> u32 {
  let p = params.side;
  let area = p * p;
  let per_frame = params.width * params.height;
  let frame = i / per_frame;
  let within = i % per_frame;
  let inside = within % area;
  let cell = patch_cell(within / area, params.width / p);
  return (frame * per_frame + (cell.y * p + inside / p) * params.width + cell.x * p + inside % p) * 3u;
}

@compute @workgroup_size(64)
fn patchify_bytes(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.frames * params.width * params.height) { return; }
  let place = image_place(i);
  for (var c = 0u; c < 3u; c++) {
    let byte = place + c;
    target_[i * 3u + c] = f32((source[byte / 4u] >> (8u * (byte % 4u))) & 255u) / 255.0;
  }
}

@compute @workgroup_size(64)
fn patchify(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.frames * params.width * params.height) { return; }
  let place = image_place(i);
  for (var c = 0u; c < 3u; c++) { target_[i * 3u + c] = bitcast<f32>(source[place + c]); }
}

@compute @workgroup_size(64)
fn unpatchify(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.frames * params.width * params.height) { return; }
  let place = image_place(i);
  for (var c = 0u; c < 3u; c++) { target_[place + c] = bitcast<f32>(source[i * 3u + c]); }
}
