// Floats as unsigned integers of the same order, for selection by digits.
const NONE: u32 = 0xffffffffu;

fn order(x: f32) -> u32 {
  let b = bitcast<u32>(x);
  return b ^ select(0x80000000u, 0xffffffffu, (b >> 31u) == 1u);
}
