/** Break progress: the stage (1..4) from which each texel of a block face is dark, 0 = never. Strokes are 2 texels wide to survive the mips. */
const ROWS = [
  '0000000000000330',
  '0044000000003300',
  '0004400000033000',
  '0000440022330000',
  '0000044222300000',
  '0000002211000440',
  '3300022111104400',
  '0330221111144000',
  '0033311111220000',
  '0000031112233000',
  '0000441122003300',
  '0004400022000330',
  '0044000002200033',
  '0440000000220000',
  '4400000000022000',
  '0000000000000000',
];

export const CRACK_STAGES = 4;
/** CRACKS[v * 16 + u]. */
export const CRACKS: Uint8Array = Uint8Array.from(ROWS.join(''), Number);
