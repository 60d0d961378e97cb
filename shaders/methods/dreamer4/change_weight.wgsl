// Patch weights of the tokenizer loss: 1 + extra * [patch differs from the same patch one frame earlier], normalised to
// mean 1 within a frame. Frame 0 of a row has nothing to compare with: weight 1. One thread a frame.
struct Params { frames: u32, time: u32, patches: u32, c: u32, extra: f32 }

@group(0) @binding(0) var<storage, read_write> patches: array<f32>;
@group(0) @binding(1) var<storage, read_write> weight: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(8)
fn change_weight(@builtin(global_invocation_id) gid: vec3u) {
  let frame = gid.x;
  if (frame >= params.frames) { return; }
  let row = params.patches * params.c;
  var total = 0.0;
  for (var p = 0u; p < params.patches; p++) {
    var changed = false;
    if (frame % params.time > 0u) {
      let at = frame * row + p * params.c;
      for (var i = 0u; i < params.c && !changed; i++) { changed = patches[at + i] != patches[at + i - row]; }
    }
    let w = select(1.0, 1.0 + params.extra, changed);
    weight[frame * params.patches + p] = w;
    total += w;
  }
  let norm = f32(params.patches) / total;
  for (var p = 0u; p < params.patches; p++) { weight[frame * params.patches + p] *= norm; }
}
