// The indexer's keys of new tokens, from their projections raw [rows, D] into caches [sequences, capacity, ..] at a position of
// their sequence, as store_rows.wgsl stores: LayerNorm (Ba et al. 2016), rotation, Hadamard, codes. mode 0: the cache holds the
// bits of f32 channels and `scales` is not written; 1 and 2: codes.wgsl. One invocation per row.
import package::lib::index::linear;
import package::methods::dsa::butterflies::D;
import package::methods::dsa::codes::{block_scale, encode4};
import package::methods::dsa::index_vector::{finish, largest, quad, turn};

struct Params { rows: u32, per: u32, capacity: u32, pairs: u32, mode: u32, spread: f32, eps: f32 }

@group(0) @binding(1) var<storage, read_write> raw: array<f32>;
@group(0) @binding(2) var<storage, read_write> gain: array<f32>;
@group(0) @binding(3) var<storage, read_write> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> at: array<u32>;
@group(0) @binding(5) var<storage, read_write> codes: array<u32>;
@group(0) @binding(6) var<storage, read_write> scales: array<f32>;
@group(0) @binding(7) var<storage, read_write> stored: array<u32>;
@group(0) @binding(8) var<uniform> params: Params;

@compute @workgroup_size(64)
fn prepare_key(@builtin(global_invocation_id) gid: vec3u) {
  let row = linear(gid);
  if (row >= params.rows) { return; }
  if (row == 0u) { stored[0] = params.rows; }
  if (at[row] >= params.capacity) { return; }
  var v: array<f32, D>;
  var sum = 0.0;
  for (var c = 0u; c < D; c++) {
    v[c] = raw[row * D + c];
    sum += v[c];
  }
  let mean = sum / f32(D);
  var squares = 0.0;
  for (var c = 0u; c < D; c++) {
    v[c] -= mean;
    squares += v[c] * v[c];
  }
  let rstd = inverseSqrt(squares / f32(D) + params.eps);
  for (var c = 0u; c < D; c++) { v[c] = v[c] * rstd * gain[c] + bias[c]; }
  finish(&v, row, params.pairs, params.spread);
  let place = (row / params.per) * params.capacity + at[row];
  if (params.mode == 0u) {
    for (var c = 0u; c < D; c++) { codes[place * D + c] = bitcast<u32>(v[c]); }
    return;
  }
  let scale = block_scale(largest(&v), params.mode);
  scales[place] = scale;
  for (var n = 0u; n < D / 4u; n++) { codes[place * (D / 4u) + n] = encode4(quad(&v, n) / scale, params.mode); }
}
