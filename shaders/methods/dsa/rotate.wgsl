// Rotary positions (Su et al. 2021) of the first `turned` channels of every head; the rest is copied. x [rows, heads, dim],
// table [rows, turned] with (cos, sin) pairs. `half` 1 pairs channel i with i + turned / 2, 0 pairs neighbours; `sign` -1
// turns back, which is the derivative.
import package::lib::index::linear;

struct Params { rows: u32, heads: u32, dim: u32, turned: u32, half: u32, sign: f32 }

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> table: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn rotate(@builtin(global_invocation_id) gid: vec3u) {
  let i = linear(gid);
  if (i >= params.rows * params.heads * params.dim) { return; }
  let c = i % params.dim;
  let row = i / (params.heads * params.dim);
  if (c >= params.turned) {
    y[i] = x[i];
    return;
  }
  let middle = params.turned / 2u;
  let second = select((c & 1u) == 1u, c >= middle, params.half == 1u);
  let pair = select(c / 2u, c % middle, params.half == 1u);
  let reach = select(1u, middle, params.half == 1u);
  let other = select(i + reach, i - reach, second);
  let cosine = table[row * params.turned + 2u * pair];
  let sine = table[row * params.turned + 2u * pair + 1u] * params.sign;
  y[i] = x[i] * cosine + select(-x[other], x[other], second) * sine;
}
