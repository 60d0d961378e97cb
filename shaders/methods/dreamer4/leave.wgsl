// What follows the last layer of a pass in play, in one launch: xhat = norm(x) Wout (+ the frame before), and the Euler step
// z + (xhat - z) / (1 - tau) * d (shortcut.wgsl). One thread per four channels of a token; rows are short, so every thread
// takes the norm of its row for itself. Places in `weights` count vec4s.
import package::lib::index::linear;

struct Params {
  frames: u32, tokens: u32, slots: u32, c4: u32, d4: u32, skip: u32, eps: f32, at_norm: u32, at_out: u32,
}

@group(0) @binding(0) var<storage, read_write> weights: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> previous: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> z: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> signal: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> xhat: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> next: array<vec4f>;
@group(0) @binding(7) var<uniform> p: Params;

@compute @workgroup_size(8)
fn leave(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= p.frames * p.tokens * p.c4) { return; }
  let c = i % p.c4;
  let token = i / p.c4;
  let frame = token / p.tokens;
  let at = (frame * p.slots + 2u + token % p.tokens) * p.d4;
  var square = vec4f();
  var sum = vec4f();
  for (var k = 0u; k < p.d4; k++) {
    let v = x[at + k];
    square += v * v;
    let y = v * weights[p.at_norm + k];
    let w = p.at_out + 4u * k * p.c4 + c;
    sum += y.x * weights[w] + y.y * weights[w + p.c4] + y.z * weights[w + 2u * p.c4] + y.w * weights[w + 3u * p.c4];
  }
  var out = sum * inverseSqrt((square.x + square.y + square.z + square.w) / f32(4u * p.d4) + p.eps);
  if (p.skip == 1u) { out += previous[i]; }
  let s = signal[frame];
  xhat[i] = out;
  next[i] = z[i] + (out - z[i]) * (s.y / (1.0 - s.x));
}
