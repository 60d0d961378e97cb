// Order of the patches of a frame: blocks of 2x2, blocks row by row, so that four neighbours in the list are four
// neighbours in the picture and can share one spatial token. Twin: patchCell in src/tensor/ops/images.ts.
fn patch_cell(index: u32, columns: u32) -> vec2u {
  let block = index / 4u;
  let within = index % 4u;
  let across = columns / 2u;
  return vec2u(block % across * 2u + within % 2u, block / across * 2u + within / 2u);
}

fn patch_index_of(x: u32, y: u32, columns: u32) -> u32 {
  return (y / 2u * (columns / 2u) + x / 2u) * 4u + y % 2u * 2u + x % 2u;
}
