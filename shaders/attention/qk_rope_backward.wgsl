// Backward of qk_rope.wgsl: rotate the gradient back, then the RMSNorm rule. `dgain` receives the summands of both
// gains, [rows, H + G, 4*dh4].
import package::lib::index::linear;

struct Params { rows: u32, heads: u32, kv: u32, every: u32, period: u32, eps: f32, dh4: u32 }

@group(0) @binding(0) var<storage, read_write> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> gain_q: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> gain_k: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> table: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dout: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dqkv: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> dgain: array<vec4f>;
@group(0) @binding(7) var<uniform> params: Params;

fn rotate_back(v: vec4f, cs: vec4f) -> vec4f {
  return vec4f(v.x * cs.x + v.y * cs.y, v.y * cs.x - v.x * cs.y, v.z * cs.z + v.w * cs.w, v.w * cs.z - v.z * cs.w);
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  let slots = params.heads + 2u * params.kv;
  if (i >= params.rows * slots) { return; }
  let head = i % slots;
  let at = i * params.dh4;
  if (head >= params.heads + params.kv) {
    for (var c = 0u; c < params.dh4; c++) { dqkv[at + c] = dout[at + c]; }
    return;
  }
  let row = i / slots;
  let position = (row / params.every) % params.period;
  var squares = 0.0;
  for (var c = 0u; c < params.dh4; c++) { squares += dot(qkv[at + c], qkv[at + c]); }
  let r = inverseSqrt(squares / f32(params.dh4 * 4u) + params.eps);
  let gain_at = (row * (params.heads + params.kv) + head) * params.dh4;
  var sum = 0.0;
  for (var c = 0u; c < params.dh4; c++) {
    let gain = select(gain_k[c], gain_q[c], head < params.heads);
    let d = rotate_back(dout[at + c], table[position * params.dh4 + c]);
    sum += dot(d * gain, qkv[at + c]);
    dgain[gain_at + c] = d * qkv[at + c] * r;
  }
  let coefficient = sum * r * r / f32(params.dh4 * 4u);
  for (var c = 0u; c < params.dh4; c++) {
    let gain = select(gain_k[c], gain_q[c], head < params.heads);
    let d = rotate_back(dout[at + c], table[position * params.dh4 + c]);
    dqkv[at + c] = r * (d * gain - qkv[at + c] * coefficient);
  }
}
