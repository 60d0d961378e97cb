// Softmax over rows of width 4*d4. One thread a row: see rmsnorm.wgsl.
import package::lib::index::linear;

struct Params { rows: u32, d4: u32 }

@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) gid: vec3u) {
  let row = linear(gid);
  if (row >= params.rows) { return; }
  let at = row * params.d4;
  var tops = vec4f(-3.0e38);
  for (var i = 0u; i < params.d4; i++) { tops = max(tops, x[at + i]); }
  let top = max(max(tops.x, tops.y), max(tops.z, tops.w));
  var sums = vec4f();
  for (var i = 0u; i < params.d4; i++) {
    let e = exp(x[at + i] - top);
    sums += e;
    y[at + i] = e;
  }
  let r = 1.0 / (sums.x + sums.y + sums.z + sums.w);
  for (var i = 0u; i < params.d4; i++) { y[at + i] *= r; }
}
