// Joins the outputs of splits of one row's keys: weights softmax(lse). out [rows, splits, heads, DV]. One invocation per
// row, head and four channels.
import package::lib::index::linear;

struct Params { rows: u32, heads: u32, splits: u32, dv4: u32 }

@group(0) @binding(0) var<storage, read_write> part: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> lse: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn combine(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.heads * params.dv4) { return; }
  let c = i % params.dv4;
  let head = (i / params.dv4) % params.heads;
  let row = i / (params.dv4 * params.heads);
  let first = row * params.splits * params.heads + head;
  var m = -1e30;
  for (var n = 0u; n < params.splits; n++) { m = max(m, lse[first + n * params.heads]); }
  var l = 0.0;
  var o = vec4f(0.0);
  for (var n = 0u; n < params.splits; n++) {
    let at = first + n * params.heads;
    let p = select(exp(lse[at] - m), 0.0, lse[at] < -1e29);
    l += p;
    o += p * part[at * params.dv4 + c];
  }
  out[i] = o * select(0.0, 1.0 / l, l > 0.0);
}
