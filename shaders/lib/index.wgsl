// One-dimensional kernels cover more than 65535 workgroups of 64 by folding them into rows.
fn linear(gid: vec3u) -> u32 {
  return gid.x + gid.y * 4194240u;
}
