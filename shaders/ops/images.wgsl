// Between packed RGB bytes, patch rows [N, patches, p*p*3] in 0..1, and images [N, H, W, 3].
// A patch row lists its pixels row by row, three channels each. Patches are listed in blocks of 2x2 (lib/patches.wgsl).
import package::lib::index::linear;
import package::lib::patches::patch_cell;

struct Params { frames: u32, width: u32, height: u32, side: u32 }

@group(0) @binding(0) var<storage, read_write> source: array<u32>;
@group(0) @binding(1) var<storage, read_write> target_: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

// Index of element e of the patch rows in the image layout.
fn image_index(e: u32) -> u32 {
  let p = params.side;
  let row = p * p * 3u;
  let per_frame = params.width * params.height * 3u;
  let frame = e / per_frame;
  let within = e % per_frame;
  let patch_index = within / row;
  let inside = within % row;
  let cell = patch_cell(patch_index, params.width / p);
  let y = cell.y * p + inside / (p * 3u);
  let x = cell.x * p + inside / 3u % p;
  return frame * per_frame + (y * params.width + x) * 3u + inside % 3u;
}

@compute @workgroup_size(64)
fn patchify_bytes(@builtin(global_invocation_id) gid: vec3u) {
  let e = linear(gid);
  if (e >= params.frames * params.width * params.height * 3u) { return; }
  let byte = image_index(e);
  target_[e] = f32((source[byte / 4u] >> (8u * (byte % 4u))) & 255u) / 255.0;
}

@compute @workgroup_size(64)
fn patchify(@builtin(global_invocation_id) gid: vec3u) {
  let e = linear(gid);
  if (e >= params.frames * params.width * params.height * 3u) { return; }
  target_[e] = bitcast<f32>(source[image_index(e)]);
}

@compute @workgroup_size(64)
fn unpatchify(@builtin(global_invocation_id) gid: vec3u) {
  let e = linear(gid);
  if (e >= params.frames * params.width * params.height * 3u) { return; }
  target_[image_index(e)] = bitcast<f32>(source[e]);
}
