/** Elementwise functions and row sums in float64. */

export const sigma = (x: number): number => 1 / (1 + Math.exp(-x));
export const siluSlope = (x: number): number => sigma(x) * (1 + x * (1 - sigma(x)));

/** silu(gate) * up of packed rows [rows, 2h]: [rows, h]. */
export function swigluReference(gu: ArrayLike<number>, rows: number, h: number): number[] {
  return Array.from({ length: rows * h }, (_, i) => {
    const at = Math.floor(i / h) * 2 * h + (i % h);
    return gu[at] * sigma(gu[at]) * gu[at + h];
  });
}

/** Gradient of sum(probe * swiglu) with respect to the packed rows [rows, 2h]. */
export function swigluGradient(gu: ArrayLike<number>, rows: number, h: number, probe: ArrayLike<number>): Float64Array {
  const out = new Float64Array(rows * 2 * h);
  for (let i = 0; i < rows * h; i++) {
    const at = Math.floor(i / h) * 2 * h + (i % h);
    out[at] = probe[i] * gu[at + h] * siluSlope(gu[at]);
    out[at + h] = probe[i] * gu[at] * sigma(gu[at]);
  }
  return out;
}

/** scale * sum of the chosen rows of x [.., width]: of every `group` rows, `count` rows from `lo`. */
export function sumRowsReference(
  x: ArrayLike<number>,
  width: number,
  scale = 1,
  { group, lo, count } = { group: 1, lo: 0, count: 1 },
): Float64Array {
  const out = new Float64Array(width);
  for (let i = 0; i < x.length; i++) {
    const within = Math.floor(i / width) % group;
    if (within >= lo && within < lo + count) out[i % width] += scale * x[i];
  }
  return out;
}

export const sumOf = (x: ArrayLike<number>, f: (v: number) => number = (v) => v): number => {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += f(x[i]);
  return sum;
};

/** exp(x - max) / sum. */
export function softmaxRow(x: ArrayLike<number>): number[] {
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < x.length; i++) top = Math.max(top, x[i]);
  const e = Array.from({ length: x.length }, (_, i) => Math.exp(x[i] - top));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / sum);
}
