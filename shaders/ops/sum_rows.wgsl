// Sum over selected rows with a fixed order: x [.., 4*d4] -> y [4*d4]. Row r of the sum is row
// (r / count) * group + lo + r % count of x, so that a sum may pick some heads out of every token.
struct Params { rows: u32, d4: u32, group: u32, lo: u32, count: u32, scale: f32 }

@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

fn element(r: u32, column: u32) -> vec4f {
  return x[((r / params.count) * params.group + params.lo + r % params.count) * params.d4 + column];
}

// CPU adapters: one thread a column, no barrier.
@compute @workgroup_size(8)
fn serial(@builtin(global_invocation_id) gid: vec3u) {
  if (gid.x >= params.d4) { return; }
  var sum = vec4f(0.0);
  // Two loops instead of element(): an integer division costs as much as ten additions there.
  let groups = params.rows / params.count;
  for (var g = 0u; g < groups; g++) {
    let base = g * params.group + params.lo;
    for (var c = 0u; c < params.count; c++) { sum += x[(base + c) * params.d4 + gid.x]; }
  }
  y[gid.x] = sum * params.scale;
}

// GPUs: a workgroup takes up to 32 neighbouring columns of a slice of the rows, eight rows at a time, then a tree over these
// eight. y [slices, 4*d4]: with more than one slice it is summed once more.
var<workgroup> partial: array<vec4f, 256>;

@compute @workgroup_size(32, 8)
fn tree(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_id) at: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let column = wid.x * 32u + at.x;
  let each = (params.rows + count.y - 1u) / count.y;
  let end = min(params.rows, (wid.y + 1u) * each);
  var sum = vec4f(0.0);
  if (column < params.d4) {
    for (var r = wid.y * each + at.y; r < end; r += 8u) { sum += element(r, column); }
  }
  partial[lane] = sum;
  workgroupBarrier();
  for (var step = 4u; step > 0u; step >>= 1u) {
    if (at.y < step) { partial[lane] += partial[lane + 32u * step]; }
    workgroupBarrier();
  }
  if (at.y == 0u && column < params.d4) { y[wid.y * params.d4 + column] = partial[lane] * params.scale; }
}
