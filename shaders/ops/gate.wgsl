// Indirect dispatch arguments that open or close a stretch of commands: the table of their workgroups if any member of
// `flags` (every `stride`-th word from `offset` on) has the wanted value, zeros otherwise.
struct Params { count: u32, stride: u32, offset: u32, wanted: u32, words: u32 }

@group(0) @binding(0) var<storage, read_write> flags: array<u32>;
@group(0) @binding(1) var<storage, read_write> table: array<u32>;
@group(0) @binding(2) var<storage, read_write> arguments: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn gate(@builtin(local_invocation_index) lane: u32) {
  var open = false;
  for (var i = 0u; i < params.count; i++) { open = open || flags[i * params.stride + params.offset] == params.wanted; }
  for (var i = lane; i < params.words; i += 64u) { arguments[i] = select(0u, table[i], open); }
}
