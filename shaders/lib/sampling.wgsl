// Parts of token sampling without bindings: an order on floats, and the noise that turns a softmax draw into an argmax
// (Gumbel-max trick, Maddison et al. 2014). TypeScript twin: src/lm/sampler.ts.

// u32 whose order is the order of the floats; -0 equals +0.
fn order_key(x: f32) -> u32 {
  let b = bitcast<u32>(x + 0.0);
  return select(b | 0x80000000u, ~b, (b >> 31u) == 1u);
}

// Standard Gumbel number of a hash: -log(E), E = -log(1 - u) exponential. WGSL's log is only good to 2^-21 near 1, where
// the largest Gumbel numbers come from; there the series of log(1 - u) is exact to f32.
fn gumbel(h: u32) -> f32 {
  let u = (f32(h >> 9u) + 0.5) * 0x1p-23f;
  let series = u * (1.0 + u * (0.5 + u * (0.33333333 + u * 0.25)));
  return -log(select(-log(1.0 - u), series, u < 0.01));
}
