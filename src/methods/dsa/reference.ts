/**
 * Float64 references of this method's kernels, written from dsa.md sections 1.2-1.7. e4m3 codes here come from the list of all
 * values of the format, not from bit tricks.
 */

/** The 127 magnitudes of e4m3 by code 0..126 (127 is NaN). */
export const E4M3: readonly number[] = Array.from({ length: 127 }, (_, code) => {
  const [exponent, mantissa] = [code >> 3, code & 7];
  return exponent === 0 ? mantissa * 2 ** -9 : (1 + mantissa / 8) * 2 ** (exponent - 7);
});

export const e4m3Decode = (code: number): number => (code & 0x80 ? -1 : 1) * E4M3[code & 0x7f];

/** Nearest code, ties to the even one. */
export function e4m3Encode(x: number): number {
  const a = Math.min(Math.abs(x), 448);
  let lo = 0;
  let hi = 126;
  while (hi - lo > 1) {
    const middle = (lo + hi) >> 1;
    if (E4M3[middle] <= a) lo = middle;
    else hi = middle;
  }
  const [below, above] = [a - E4M3[lo], E4M3[hi] - a];
  const code = below < above || (below === above && lo % 2 === 0) ? lo : hi;
  return code | (x < 0 || Object.is(x, -0) ? 0x80 : 0);
}

/** Power-of-two scale of a block. */
export function blockScale(block: readonly number[]): number {
  const amax = block.reduce((m, v) => Math.max(m, Math.abs(v)), Math.fround(1e-4));
  let scale = 2 ** Math.floor(Math.log2(amax / 448));
  while (scale * 448 < amax) scale *= 2;
  while (scale * 224 >= amax) scale /= 2;
  return scale;
}

/** A block in 8 bits a channel: its scale, codes, and what they stand for. */
export function coded(
  block: readonly number[],
  quant: 'e4m3' | 'i8',
): { scale: number; codes: number[]; values: number[] } {
  if (quant === 'e4m3') {
    const scale = blockScale(block);
    const codes = block.map((v) => e4m3Encode(v / scale));
    return { scale, codes, values: codes.map((code) => e4m3Decode(code) * scale) };
  }
  const scale = Math.max(Math.fround(1e-4), ...block.map(Math.abs)) / 127;
  const steps = block.map((v) => Math.round(v / scale));
  return { scale, codes: steps.map((n) => n & 0xff), values: steps.map((n) => n * scale) };
}

/** LayerNorm of one row. */
export function layerNormReference(
  x: ArrayLike<number>,
  gain: ArrayLike<number>,
  bias: ArrayLike<number>,
  eps: number,
): Float64Array {
  const mean = Array.from(x).reduce((sum, v) => sum + v, 0) / x.length;
  const variance = Array.from(x).reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length;
  return Float64Array.from(x, (v, i) => ((v - mean) / Math.sqrt(variance + eps)) * gain[i] + bias[i]);
}

/** Rows times the orthonormal Hadamard matrix: entry (i, j) has the sign of the parity of i & j. */
export function hadamardReference(x: ArrayLike<number>, dim: number): Float64Array {
  const parity = (n: number): number => (n === 0 ? 0 : (n & 1) ^ parity(n >> 1));
  return Float64Array.from({ length: x.length }, (_, i) => {
    const row = i - (i % dim);
    let sum = 0;
    for (let c = 0; c < dim; c++) sum += x[row + c] * (parity((i % dim) & c) ? -1 : 1);
    return sum / Math.sqrt(dim);
  });
}

/** Rotation by angles given as (cos, sin) pairs per row. */
export function rotateReference(
  x: ArrayLike<number>,
  table: ArrayLike<number>,
  s: { heads: number; dim: number; turned: number; half: boolean },
  sign = 1,
): Float64Array {
  const out = Float64Array.from(x);
  const rows = x.length / (s.heads * s.dim);
  for (let r = 0; r < rows; r++)
    for (let h = 0; h < s.heads; h++)
      for (let i = 0; i < s.turned / 2; i++) {
        const at = (r * s.heads + h) * s.dim;
        const [a, b] = s.half ? [at + i, at + i + s.turned / 2] : [at + 2 * i, at + 2 * i + 1];
        const [cos, sin] = [table[r * s.turned + 2 * i], table[r * s.turned + 2 * i + 1] * sign];
        out[a] = x[a] * cos - x[b] * sin;
        out[b] = x[b] * cos + x[a] * sin;
      }
  return out;
}

export interface IndexSizes {
  heads: number;
  dim: number;
  per: number;
  length: number;
}

const dotAt = (q: ArrayLike<number>, a: number, k: ArrayLike<number>, b: number, n: number): number => {
  let sum = 0;
  for (let c = 0; c < n; c++) sum += q[a + c] * k[b + c];
  return sum;
};

/** I[row, s] for one pair. */
export function indexScore(
  q: ArrayLike<number>,
  w: ArrayLike<number>,
  k: ArrayLike<number>,
  row: number,
  s: number,
  z: IndexSizes,
): number {
  const key = (Math.floor(row / z.per) * z.length + s) * z.dim;
  let sum = 0;
  for (let j = 0; j < z.heads; j++) {
    sum += w[row * z.heads + j] * Math.max(0, dotAt(q, (row * z.heads + j) * z.dim, k, key, z.dim));
  }
  return sum;
}

/** Mean over rows of KL(p || softmax(I)) over each row's slots, and its derivatives. `p(row)` follows `slots(row)`. */
export function indexLossReference(
  q: ArrayLike<number>,
  w: ArrayLike<number>,
  k: ArrayLike<number>,
  slots: (row: number) => readonly number[],
  p: (row: number) => readonly number[],
  z: IndexSizes,
): { loss: number; dq: Float64Array; dw: Float64Array; dk: Float64Array } {
  const rows = w.length / z.heads;
  const [dq, dw, dk] = [new Float64Array(q.length), new Float64Array(w.length), new Float64Array(k.length)];
  let loss = 0;
  for (let r = 0; r < rows; r++) {
    const keys = slots(r);
    const scores = keys.map((s) => indexScore(q, w, k, r, s, z));
    const m = Math.max(...scores);
    const lse = m + Math.log(scores.reduce((a, v) => a + Math.exp(v - m), 0));
    const mass = p(r).reduce((a, b) => a + b, 0);
    keys.forEach((s, n) => {
      const target = p(r)[n] / mass;
      if (target > 0) loss += (target * (Math.log(target) - scores[n] + lse)) / rows;
      const g = (Math.exp(scores[n] - lse) - target) / rows;
      const key = (Math.floor(r / z.per) * z.length + s) * z.dim;
      for (let j = 0; j < z.heads; j++) {
        const at = (r * z.heads + j) * z.dim;
        const dot = dotAt(q, at, k, key, z.dim);
        if (dot <= 0) continue;
        dw[r * z.heads + j] += g * dot;
        for (let c = 0; c < z.dim; c++) {
          dq[at + c] += g * w[r * z.heads + j] * k[key + c];
          dk[key + c] += g * w[r * z.heads + j] * q[at + c];
        }
      }
    });
  }
  return { loss, dq, dw, dk };
}
