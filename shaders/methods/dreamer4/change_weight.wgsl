// Patch weights of the tokenizer loss: 1 + extra * [patch differs from the same patch one frame earlier], normalised to
// mean 1 within a frame. Frame 0 of a row has nothing to compare with: weight 1.
struct Params { frames: u32, time: u32, patches: u32, c: u32, extra: f32 }

@group(0) @binding(0) var<storage, read_write> patches: array<f32>;
@group(0) @binding(1) var<storage, read_write> weight: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

fn weight_of(frame: u32, p: u32) -> f32 {
  if (frame % params.time == 0u) { return 1.0; }
  let row = params.patches * params.c;
  let at = frame * row + p * params.c;
  for (var i = 0u; i < params.c; i++) {
    if (patches[at + i] != patches[at + i - row]) { return 1.0 + params.extra; }
  }
  return 1.0;
}

// CPU adapters: one thread a frame, no barrier.
@compute @workgroup_size(8)
fn change_weight(@builtin(global_invocation_id) gid: vec3u) {
  let frame = gid.x;
  if (frame >= params.frames) { return; }
  var total = 0.0;
  for (var p = 0u; p < params.patches; p++) {
    let w = weight_of(frame, p);
    weight[frame * params.patches + p] = w;
    total += w;
  }
  let norm = f32(params.patches) / total;
  for (var p = 0u; p < params.patches; p++) { weight[frame * params.patches + p] *= norm; }
}

// GPUs: one workgroup a frame, a tree for the total.
var<workgroup> partial: array<f32, 64>;

@compute @workgroup_size(64)
fn tree(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let base = wid.x * params.patches;
  var total = 0.0;
  for (var p = lane; p < params.patches; p += 64u) {
    let w = weight_of(wid.x, p);
    weight[base + p] = w;
    total += w;
  }
  partial[lane] = total;
  workgroupBarrier();
  for (var step = 32u; step > 0u; step >>= 1u) {
    if (lane < step) { partial[lane] += partial[lane + step]; }
    workgroupBarrier();
  }
  let norm = f32(params.patches) / partial[0];
  for (var p = lane; p < params.patches; p += 64u) { weight[base + p] *= norm; }
}
