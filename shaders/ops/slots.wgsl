// Copies between a part [N, part, D] and a range of slots of the whole [N, whole, D]. `period` repeats the source over
// frames: 1 period = a learned table [part, D] that every frame shares. D4 = D / 4.
import package::lib::index::linear;

struct Params { frames: u32, part: u32, whole: u32, offset: u32, d4: u32, period: u32 }

@group(0) @binding(0) var<storage, read_write> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> target_: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn put(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  let row = params.part * params.d4;
  if (i >= params.frames * row) { return; }
  let frame = i / row;
  target_[(frame * params.whole + params.offset) * params.d4 + i % row] = source[i % (params.period * row)];
}

@compute @workgroup_size(64)
fn take(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  let row = params.part * params.d4;
  if (i >= params.frames * row) { return; }
  let frame = i / row;
  target_[i] = source[(frame * params.whole + params.offset) * params.d4 + i % row];
}

// Gradient of `take`: the part in its slots, zero in all others.
@compute @workgroup_size(64)
fn embed(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  let row = params.whole * params.d4;
  if (i >= params.frames * row) { return; }
  let frame = i / row;
  let slot = i % row / params.d4;
  var v = vec4f(0.0);
  if (slot >= params.offset && slot < params.offset + params.part) {
    v = source[(frame * params.part + slot - params.offset) * params.d4 + i % params.d4];
  }
  target_[i] = v;
}

// One row of each frame in all of its slots: y[f, s] = x[f].
@compute @workgroup_size(64)
fn spread(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  let row = params.whole * params.d4;
  if (i >= params.frames * row) { return; }
  target_[i] = source[i / row * params.d4 + i % params.d4];
}

// Gradient of `spread`: the sum over slots, in their order.
@compute @workgroup_size(64)
fn fold(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.frames * params.d4) { return; }
  var sum = vec4f(0.0);
  for (var s = 0u; s < params.whole; s++) {
    sum += source[(i / params.d4 * params.whole + s) * params.d4 + i % params.d4];
  }
  target_[i] = sum;
}
