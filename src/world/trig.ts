/**
 * Sine of a binary angle, as integers: 65536 units = one turn, values in Q14.
 * Not Math.sin, whose last bits differ between engines: the table is summed from the Taylor series with + and *
 * only, which IEEE doubles define exactly, so every machine holds the same bytes (tests re-derive them with BigInt).
 */

/** One turn in angle units. */
export const TURN = 65536;
/** 1.0 in Q14, the format of sines, cosines and ray directions. */
export const ONE_Q14 = 16384;

const PI = 3.141592653589793;

function quarterSine(unit: number): number {
  const x = (unit * 2 * PI) / TURN;
  const xx = x * x;
  let term = x;
  let sum = x;
  for (let k = 1; k <= 10; k++) {
    term = (-term * xx) / (2 * k * (2 * k + 1));
    sum += term;
  }
  return Math.floor(sum * ONE_Q14 + 0.5);
}

/** SIN[a] = round(2^14 sin(2 pi a / 65536)), a in 0..65535. */
export const SIN: Int16Array = (() => {
  const table = new Int16Array(TURN);
  for (let a = 0; a <= TURN / 4; a++) {
    const v = quarterSine(a);
    table[a] = v;
    table[TURN / 2 - a] = v;
    table[(TURN / 2 + a) % TURN] = -v;
    table[(TURN - a) % TURN] = -v;
  }
  return table;
})();

export function sinQ14(angle: number): number {
  return SIN[angle & 65535];
}

export function cosQ14(angle: number): number {
  return SIN[(angle + 16384) & 65535];
}
