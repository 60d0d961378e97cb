// From the caster's pixel words to what is asked for: RGB bytes packed four to a word, or f32 [frames, H, W, 3] in 0..1.

struct Count {
  // Words to write (rgb) or pixels to convert (tensor); pixels per dispatch row.
  count: u32,
  row: u32,
  // First element written (words or floats).
  first: u32,
  pad: u32,
}

@group(0) @binding(0) var<storage, read_write> pixels: array<u32>;
// One of the two, by entry point.
@group(0) @binding(1) var<storage, read_write> bytes: array<u32>;
@group(0) @binding(1) var<storage, read_write> tensor: array<f32>;
@group(0) @binding(2) var<uniform> size: Count;

fn byte_at(i: u32) -> u32 {
  return (pixels[i / 3u] >> ((i % 3u) * 8u)) & 255u;
}

@compute @workgroup_size(64)
fn rgb(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * size.row + id.x;
  if (i >= size.count) { return; }
  let b = i * 4u;
  bytes[size.first + i] = byte_at(b) | (byte_at(b + 1u) << 8u) | (byte_at(b + 2u) << 16u) | (byte_at(b + 3u) << 24u);
}

@compute @workgroup_size(64)
fn floats(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * size.row + id.x;
  if (i >= size.count) { return; }
  let p = pixels[i];
  let o = size.first + i * 3u;
  // One rounded product per value, so the tensor is as exact as the bytes.
  let k = f32(1.0 / 255.0);
  tensor[o] = f32(p & 255u) * k;
  tensor[o + 1u] = f32((p >> 8u) & 255u) * k;
  tensor[o + 2u] = f32((p >> 16u) & 255u) * k;
}
