// Every matrix of a stack divided by its Frobenius norm, for Muon: one workgroup a matrix, a tree over its threads' sums.
struct Params { each: u32 }

@group(0) @binding(0) var<storage, read_write> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> u: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> partial: array<f32, 256>;

@compute @workgroup_size(256)
fn unit(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let base = wid.x * params.each;
  var sum = 0.0;
  for (var i = lane; i < params.each; i += 256u) { sum += source[base + i] * source[base + i]; }
  partial[lane] = sum;
  workgroupBarrier();
  for (var step = 128u; step > 0u; step >>= 1u) {
    if (lane < step) { partial[lane] += partial[lane + step]; }
    workgroupBarrier();
  }
  // A gradient of exactly zero stays zero.
  let scale = inverseSqrt(max(partial[0], 1e-30));
  for (var i = lane; i < params.each; i += 256u) { u[base + i] = source[base + i] * scale; }
}
