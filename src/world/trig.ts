/**
 * Sine and cosine as integers: angles are u16 (65536 = one turn), values Q14. Used by movement and by the camera set-up.
 * The table is a Taylor series in IEEE doubles using + and * only, which every engine rounds identically (Math.sin is not so
 * defined); a test re-derives it with exact BigInt arithmetic.
 */
const QUARTER = 16384;
const table = new Int16Array(QUARTER + 1);
// 2 pi / 65536, the nearest double.
const STEP = 0.00009587379924285257;
for (let i = 0; i <= QUARTER; i++) {
  const x = i * STEP;
  const q = x * x;
  let term = x;
  let sum = x;
  for (let n = 1; n <= 10; n++) {
    term = (-term * q) / (2 * n * (2 * n + 1));
    sum += term;
  }
  table[i] = Math.floor(sum * 16384 + 0.5);
}

/** sin of an angle in 1/65536 turn, Q14 (-16384..16384). */
export function sinQ14(angle: number): number {
  const a = angle & 65535;
  if (a < 32768) return a <= QUARTER ? table[a] : table[32768 - a];
  const b = a - 32768;
  return 0 - (b <= QUARTER ? table[b] : table[32768 - b]);
}

export const cosQ14 = (angle: number) => sinQ14(angle + QUARTER);
