/** Slow, plain float64 versions of the attention family: what the kernels must compute. */
import type { Heads } from '../../src/tensor/ops/attention.ts';

/** x * gain / sqrt(mean(x^2) + 1e-6) */
export function normRow(x: ArrayLike<number>, gain: ArrayLike<number>): number[] {
  let squares = 0;
  for (let i = 0; i < x.length; i++) squares += x[i] * x[i];
  const r = 1 / Math.sqrt(squares / x.length + 1e-6);
  return Array.from({ length: x.length }, (_, i) => x[i] * r * gain[i]);
}

/** Turns channel pairs (2i, 2i+1) by position * 10000^(-2i / dim). */
export function rotate(x: ArrayLike<number>, position: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < x.length; i += 2) {
    const angle = position * 10000 ** (-i / x.length);
    out.push(x[i] * Math.cos(angle) - x[i + 1] * Math.sin(angle), x[i] * Math.sin(angle) + x[i + 1] * Math.cos(angle));
  }
  return out;
}

export interface AttentionResult {
  out: Float64Array;
  dqkv: Float64Array;
}

/**
 * Attention of packed rows [n, (H + 2G) * dh]: `keys(row)` lists the rows that a row sees. Also the gradient of
 * sum(out * probe) with respect to the packed rows.
 */
export function attentionReference(
  qkv: ArrayLike<number>,
  n: number,
  { heads, kvHeads, dim }: Heads,
  cap: number,
  keys: (row: number) => number[],
  probe: ArrayLike<number>,
): AttentionResult {
  const width = (heads + 2 * kvHeads) * dim;
  const scale = 1 / Math.sqrt(dim);
  const out = new Float64Array(n * heads * dim);
  const dqkv = new Float64Array(n * width);
  for (let row = 0; row < n; row++) {
    const seen = keys(row);
    for (let h = 0; h < heads; h++) {
      const g = Math.floor(h / (heads / kvHeads));
      const q = row * width + h * dim;
      const kAt = (r: number): number => r * width + (heads + g) * dim;
      const vAt = (r: number): number => r * width + (heads + kvHeads + g) * dim;
      const o = (row * heads + h) * dim;
      const raw = seen.map((r) => {
        let s = 0;
        for (let c = 0; c < dim; c++) s += qkv[q + c] * qkv[kAt(r) + c];
        return s * scale;
      });
      const scores = raw.map((s) => (cap > 0 ? cap * Math.tanh(s / cap) : s));
      const top = Math.max(...scores);
      const weights = scores.map((s) => Math.exp(s - top));
      const total = weights.reduce((a, b) => a + b, 0);
      const p = weights.map((w) => w / total);
      seen.forEach((r, i) => {
        for (let c = 0; c < dim; c++) out[o + c] += p[i] * qkv[vAt(r) + c];
      });
      // d out . d softmax: dp_i = probe . v_i, ds_i = p_i (dp_i - sum p dp).
      const dp = seen.map((r) => {
        let s = 0;
        for (let c = 0; c < dim; c++) s += probe[o + c] * qkv[vAt(r) + c];
        return s;
      });
      const mean = dp.reduce((s, v, i) => s + p[i] * v, 0);
      seen.forEach((r, i) => {
        const slope = cap > 0 ? 1 - (scores[i] / cap) ** 2 : 1;
        const ds = p[i] * (dp[i] - mean) * slope * scale;
        for (let c = 0; c < dim; c++) {
          dqkv[q + c] += ds * qkv[kAt(r) + c];
          dqkv[kAt(r) + c] += ds * qkv[q + c];
          dqkv[vAt(r) + c] += p[i] * probe[o + c];
        }
      });
    }
  }
  return { out, dqkv };
}
