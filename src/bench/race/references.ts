/**
 * What the workloads must compute, in float64 and in the plainest way. Large results are checked at some places only: whole
 * rows, the first and the last among them, so that a wrong edge or a wrong tile shows.
 */
import { softmaxRow } from '../../tensor/reference/pointwise.ts';
import { gptLosses } from './gpt-reference.ts';
import { type InputSet, inputsOf, parametersOf, type Workload } from './workloads.ts';

export interface Reference {
  /** Indices into the entrant's result, and what must stand there. */
  at: Uint32Array;
  values: Float64Array;
  /** Largest error allowed, relative to the largest value. f32 sums of `n` products err by about sqrt(n) * 6e-8. */
  tolerance: number;
}

/** Rows of a result [rows, width] that are computed; at most about `most` numbers. */
function rowsToCheck(rows: number, width: number, most: number): number[] {
  const count = Math.max(2, Math.min(rows, Math.floor(most / width)));
  return Array.from({ length: count }, (_, i) => Math.round((i * (rows - 1)) / (count - 1)));
}

function byRows(
  rows: readonly number[],
  width: number,
  tolerance: number,
  row: (r: number) => ArrayLike<number>,
): Reference {
  const at = new Uint32Array(rows.length * width);
  const values = new Float64Array(rows.length * width);
  rows.forEach((r, i) => {
    const y = row(r);
    for (let c = 0; c < width; c++) {
      at[i * width + c] = r * width + c;
      values[i * width + c] = y[c];
    }
  });
  return { at, values, tolerance };
}

const MOST = 1 << 16;

export function referenceOf(w: Workload, inputs: InputSet): Reference {
  switch (w.kind) {
    case 'matmul':
      return byRows(rowsToCheck(w.size, w.size, MOST), w.size, 1e-5, (r) => productRow(w.form, w.size, inputs, r));
    case 'softmax':
      return byRows(rowsToCheck(w.rows, w.width, MOST), w.width, 1e-5, (r) =>
        softmaxRow(inputs.x.data.subarray(r * w.width, (r + 1) * w.width)),
      );
    case 'rmsnorm':
      return byRows(rowsToCheck(w.rows, w.width, MOST), w.width, 1e-5, (r) => {
        const x = Float64Array.from(inputs.x.data.subarray(r * w.width, (r + 1) * w.width));
        const scale = 1 / Math.sqrt(x.reduce((s, v) => s + v * v, 0) / w.width + 1e-6);
        return x.map((v, c) => v * scale * inputs.gain.data[c]);
      });
    case 'attention':
      return byRows(rowsToCheck(w.time, w.heads * w.dim, MOST), w.heads * w.dim, 1e-5, (t) =>
        attentionRow(inputs, t, t + 1, w.heads, w.heads, w.dim),
      );
    case 'decode':
      return byRows([0], w.heads * w.dim, 1e-5, () => attentionRow(inputs, 0, w.entries, w.heads, w.kvHeads, w.dim));
    case 'chain': {
      let x = Float64Array.from(inputs.x.data);
      for (let s = 0; s < w.steps; s++) x = product(x, inputs.w.data, w.width).map(Math.tanh);
      return byRows(rowsToCheck(w.width, w.width, MOST), w.width, 1e-3, (r) =>
        x.subarray(r * w.width, (r + 1) * w.width),
      );
    }
    case 'gpt': {
      const batches = Array.from({ length: w.updates + 1 }, (_, i) => inputsOf(w, i));
      const values = gptLosses(w, parametersOf(w), batches);
      return { at: Uint32Array.from(values, (_, i) => i), values, tolerance: 2e-4 };
    }
  }
}

/** The first number that is out of tolerance, in words; null if there is none. */
export function firstError(result: ArrayLike<number>, { at, values, tolerance }: Reference): string | null {
  const scale = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  for (let i = 0; i < at.length; i++) {
    const got = result[at[i]];
    if (!(Math.abs(got - values[i]) <= tolerance * scale)) {
      return `element ${at[i]} is ${got}, it should be ${values[i].toPrecision(7)}`;
    }
  }
  return null;
}

function productRow(form: 'nn' | 'nt' | 'tn', n: number, { a, b }: InputSet, row: number): Float64Array {
  const y = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    const x = form === 'tn' ? a.data[k * n + row] : a.data[row * n + k];
    if (form === 'nt') for (let c = 0; c < n; c++) y[c] += x * b.data[c * n + k];
    else for (let c = 0; c < n; c++) y[c] += x * b.data[k * n + c];
  }
  return y;
}

function product(x: Float64Array, w: ArrayLike<number>, n: number): Float64Array<ArrayBuffer> {
  const y = new Float64Array(n * n);
  for (let r = 0; r < n; r++) {
    for (let k = 0; k < n; k++) for (let c = 0; c < n; c++) y[r * n + c] += x[r * n + k] * w[k * n + c];
  }
  return y;
}

/** Query `row` over keys 0..count-1: [heads * dim]. */
function attentionRow(
  { q, k, v }: InputSet,
  row: number,
  count: number,
  heads: number,
  kvHeads: number,
  dim: number,
): Float64Array {
  const out = new Float64Array(heads * dim);
  for (let h = 0; h < heads; h++) {
    const g = Math.floor((h * kvHeads) / heads);
    const scores = Float64Array.from({ length: count }, (_, j) => {
      let s = 0;
      for (let c = 0; c < dim; c++) s += q.data[(row * heads + h) * dim + c] * k.data[(j * kvHeads + g) * dim + c];
      return s / Math.sqrt(dim);
    });
    softmaxRow(scores).forEach((p, j) => {
      for (let c = 0; c < dim; c++) out[h * dim + c] += p * v.data[(j * kvHeads + g) * dim + c];
    });
  }
  return out;
}
