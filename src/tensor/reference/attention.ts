/** Slow, plain float64 versions of the attention family: what the kernels must compute. Not used by any model. */
import type { Heads, RowPosition } from '../ops/attention.ts';

/** x * gain / sqrt(mean(x^2) + 1e-6) */
export function normRow(x: ArrayLike<number>, gain: ArrayLike<number>): number[] {
  let squares = 0;
  for (let i = 0; i < x.length; i++) squares += x[i] * x[i];
  const r = 1 / Math.sqrt(squares / x.length + 1e-6);
  return Array.from({ length: x.length }, (_, i) => x[i] * r * gain[i]);
}

/**
 * Derivative of normRow for an upstream row `dy`: [dx, summand of the gain's gradient].
 * With r = 1 / sqrt(mean(x^2) + eps): dx = r (g dy - x r^2 mean(x g dy)), dg = dy x r.
 */
export function normRowBackward(
  x: ArrayLike<number>,
  gain: ArrayLike<number>,
  dy: ArrayLike<number>,
): [dx: number[], dgain: number[]] {
  const n = x.length;
  let squares = 0;
  let along = 0;
  for (let i = 0; i < n; i++) {
    squares += x[i] * x[i];
    along += x[i] * gain[i] * dy[i];
  }
  const r = 1 / Math.sqrt(squares / n + 1e-6);
  return [
    Array.from({ length: n }, (_, i) => r * (gain[i] * dy[i] - (x[i] * r * r * along) / n)),
    Array.from({ length: n }, (_, i) => dy[i] * x[i] * r),
  ];
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

const part = (x: ArrayLike<number>, at: number, n: number): number[] => Array.from({ length: n }, (_, i) => x[at + i]);

/** Normalised and rotated queries and keys of packed rows [rows, (H + 2G) * dim]; values as they are. */
export function qkRopeReference(
  qkv: ArrayLike<number>,
  gainQ: ArrayLike<number>,
  gainK: ArrayLike<number>,
  { heads, kvHeads, dim }: Heads,
  at: RowPosition,
): number[] {
  const slots = heads + 2 * kvHeads;
  const out: number[] = [];
  for (let i = 0; i < qkv.length / dim; i++) {
    const head = i % slots;
    const row = part(qkv, i * dim, dim);
    const position = Math.floor(Math.floor(i / slots) / at.every) % at.period;
    const isValue = head >= heads + kvHeads;
    for (const v of isValue ? row : rotate(normRow(row, head < heads ? gainQ : gainK), position)) out.push(v);
  }
  return out;
}

/** Gradient of sum(probe * qkRopeReference) with respect to the packed rows and to both gains. */
export function qkRopeGradient(
  qkv: ArrayLike<number>,
  gainQ: ArrayLike<number>,
  gainK: ArrayLike<number>,
  { heads, kvHeads, dim }: Heads,
  at: RowPosition,
  probe: ArrayLike<number>,
): { dqkv: number[]; dgainQ: Float64Array; dgainK: Float64Array } {
  const slots = heads + 2 * kvHeads;
  const dqkv: number[] = [];
  const [dgainQ, dgainK] = [new Float64Array(dim), new Float64Array(dim)];
  for (let i = 0; i < qkv.length / dim; i++) {
    const head = i % slots;
    const dy = part(probe, i * dim, dim);
    if (head >= heads + kvHeads) {
      for (const v of dy) dqkv.push(v);
      continue;
    }
    const position = Math.floor(Math.floor(i / slots) / at.every) % at.period;
    const [dx, dg] = normRowBackward(part(qkv, i * dim, dim), head < heads ? gainQ : gainK, rotate(dy, -position));
    for (const v of dx) dqkv.push(v);
    dg.forEach((v, c) => {
      (head < heads ? dgainQ : dgainK)[c] += v;
    });
  }
  return { dqkv, dgainQ, dgainK };
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

/** Rows that a row of [B, T, S] sees through a causal window, from the meaning of the layout, not from its strides. */
export function timeKeys(time: number, slots: number, window: number, starts: ArrayLike<number>) {
  return (row: number): number[] => {
    const b = Math.floor(row / (time * slots));
    const t = Math.floor(row / slots) % time;
    const s = row % slots;
    const first = Math.max(0, t - window + 1, starts[b]);
    // An image row, and frames before the start of an episode, see themselves only.
    if (first > t) return [row];
    return Array.from({ length: t - first + 1 }, (_, i) => (b * time + first + i) * slots + s);
  };
}

/** Rows that a row of [frames, S] sees within its frame. */
export function spaceKeys(slots: number, allowed: (query: number, key: number) => boolean) {
  return (row: number): number[] => {
    const base = Math.floor(row / slots) * slots;
    return Array.from({ length: slots }, (_, k) => k)
      .filter((k) => allowed(row - base, k))
      .map((k) => base + k);
  };
}

/**
 * One new row per sequence over `past` rows (oldest first), each packed [rows, (H + 2G) * dim] and not rotated: the
 * newest row and its query stand at position past.length, the oldest at 0. Returns [rows, H * dim].
 */
export function ringReference(
  past: readonly ArrayLike<number>[],
  now: ArrayLike<number>,
  rows: number,
  { heads, kvHeads, dim }: Heads,
  cap: number,
): number[] {
  const width = (heads + 2 * kvHeads) * dim;
  const list = [...past, now];
  const out: number[] = [];
  for (let r = 0; r < rows; r++) {
    for (let h = 0; h < heads; h++) {
      const g = Math.floor(h / (heads / kvHeads));
      const slot = (x: ArrayLike<number>, s: number): number[] => part(x, r * width + s * dim, dim);
      const turned = rotate(slot(now, h), list.length - 1);
      const scores = list.map((x, i) => {
        const k = rotate(slot(x, heads + g), i);
        const s = turned.reduce((sum, v, c) => sum + v * k[c], 0) / Math.sqrt(dim);
        return cap > 0 ? cap * Math.tanh(s / cap) : s;
      });
      const top = Math.max(...scores);
      const weights = scores.map((v) => Math.exp(v - top));
      const total = weights.reduce((a, b) => a + b, 0);
      const values = list.map((x) => slot(x, heads + kvHeads + g));
      for (let c = 0; c < dim; c++) out.push(values.reduce((sum, v, i) => sum + (weights[i] / total) * v[c], 0));
    }
  }
  return out;
}
