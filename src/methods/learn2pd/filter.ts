/**
 * The filter f: B confidences of a block to B logits "this guess is final" (arXiv 2509.25188; learn2pd 1.5-1.6). A stack of
 * B x B layers with ReLU between them; two layers at B = 32 are 2112 parameters. Here: what it is and how it is applied and
 * trained in float64; the kernel that applies it while decoding is finalize_filter.wgsl. The language model stays frozen.
 */
import { mix32, uniform01 } from '../../gpu/rng.ts';
import { normals } from '../../nn/params.ts';

export interface FilterWeights {
  /** Block size: inputs and outputs. */
  B: number;
  depth: number;
  /** Layers one after the other: B x B weights (row = output), then B biases. */
  values: Float32Array<ArrayBuffer>;
}

export const filterSize = (B: number, depth: number): number => depth * (B * B + B);

/** Weights N(0, 1/B), biases zero. */
export function newFilter(B: number, depth: number, seed: number): FilterWeights {
  const values = new Float32Array(filterSize(B, depth));
  for (let d = 0; d < depth; d++) {
    const z = normals(seed, d + 1, B * B);
    for (let i = 0; i < B * B; i++) values[d * (B * B + B) + i] = z[i] / Math.sqrt(B);
  }
  return { B, depth, values };
}

/** Inputs of every layer and the logits; `c` may be shorter than B, zeros follow. */
function layersOf({ B, depth, values }: FilterWeights, c: ArrayLike<number>): Float64Array[] {
  const all = [Float64Array.from({ length: B }, (_, i) => c[i] ?? 0)];
  for (let d = 0; d < depth; d++) {
    const w = d * (B * B + B);
    const x = all[d];
    const y = new Float64Array(B);
    for (let o = 0; o < B; o++) {
      let sum = values[w + B * B + o];
      for (let i = 0; i < B; i++) sum += values[w + o * B + i] * x[i];
      y[o] = d + 1 < depth ? Math.max(0, sum) : sum;
    }
    all.push(y);
  }
  return all;
}

/** Logits [B]. */
export const applyFilter = (filter: FilterWeights, c: ArrayLike<number>): Float64Array =>
  layersOf(filter, c)[filter.depth];

/** One visited state: confidences of the block, which guesses equalled the reference, and which positions were masked. */
export interface FilterRecord {
  /** Problem that it comes from: splits never part a problem. */
  prompt: number;
  /** [B], zeros behind the end. */
  c: Float32Array<ArrayBuffer>;
  label: Uint8Array<ArrayBuffer>;
  masked: Uint8Array<ArrayBuffer>;
}

export interface FilterTraining {
  steps: number;
  batch: number;
  lr: number;
  weightDecay: number;
  /** Loss on masked positions only; the released code uses all. */
  maskedOnly: boolean;
  seed: number;
}

export const FILTER_TRAINING: FilterTraining = {
  steps: 3000,
  batch: 256,
  lr: 3e-3,
  weightDecay: 0.01,
  maskedOnly: false,
  seed: 1,
};

const softplus = (z: number): number => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

/** Mean binary cross-entropy of records, and its gradient. */
export function filterLoss(
  filter: FilterWeights,
  records: readonly FilterRecord[],
  maskedOnly: boolean,
): { loss: number; gradient: Float64Array } {
  const { B, depth, values } = filter;
  const gradient = new Float64Array(values.length);
  let loss = 0;
  let count = 0;
  for (const r of records) for (let i = 0; i < B; i++) count += !maskedOnly || r.masked[i] ? 1 : 0;
  for (const r of records) {
    const layers = layersOf(filter, r.c);
    let slope: Float64Array = new Float64Array(B);
    for (let i = 0; i < B; i++) {
      if (maskedOnly && !r.masked[i]) continue;
      const z = layers[depth][i];
      loss += (softplus(z) - r.label[i] * z) / count;
      slope[i] = (sigmoid(z) - r.label[i]) / count;
    }
    for (let d = depth - 1; d >= 0; d--) {
      const w = d * (B * B + B);
      const x = layers[d];
      const below = new Float64Array(B);
      for (let o = 0; o < B; o++) {
        const s = slope[o];
        if (s === 0) continue;
        gradient[w + B * B + o] += s;
        for (let i = 0; i < B; i++) {
          gradient[w + o * B + i] += s * x[i];
          below[i] += s * values[w + o * B + i];
        }
      }
      // Layer inputs above the first are outputs of ReLU: zero means closed.
      slope = d > 0 ? below.map((s, i) => (x[i] > 0 ? s : 0)) : below;
    }
  }
  return { loss, gradient };
}

/** AdamW on random batches; a function of records and settings. */
export function trainFilter(
  start: FilterWeights,
  records: readonly FilterRecord[],
  t: FilterTraining,
): { filter: FilterWeights; losses: number[] } {
  if (records.length === 0) throw new Error('The filter has no records to learn from.');
  const filter = { ...start, values: start.values.slice() };
  const n = filter.values.length;
  const [first, second] = [new Float64Array(n), new Float64Array(n)];
  const losses: number[] = [];
  for (let step = 1; step <= t.steps; step++) {
    const batch = Array.from({ length: Math.min(t.batch, records.length) }, (_, i) => {
      return records[Math.floor(uniform01(mix32(t.seed, step, i, 0x66696c74)) * records.length)];
    });
    const { loss, gradient } = filterLoss(filter, batch, t.maskedOnly);
    losses.push(loss);
    for (let i = 0; i < n; i++) {
      first[i] = 0.9 * first[i] + 0.1 * gradient[i];
      second[i] = 0.999 * second[i] + 0.001 * gradient[i] ** 2;
      const m = first[i] / (1 - 0.9 ** step);
      const v = second[i] / (1 - 0.999 ** step);
      filter.values[i] -= t.lr * (m / (Math.sqrt(v) + 1e-8) + t.weightDecay * filter.values[i]);
    }
  }
  return { filter, losses };
}

export interface FilterReport {
  records: number;
  /** Mean loss on masked and on all positions; the second is flattered by tokens that are already final. */
  bceMasked: number;
  bceAll: number;
  /** Loss of the best constant answer on masked positions. */
  bceConstant: number;
  /** Area under the receiver operating characteristic, masked positions. */
  auroc: number;
  /** Of masked positions above each tau, the share that is wrong; NaN where there is none. */
  falsePositives: { tau: number; share: number; taken: number }[];
}

/** How good a filter is on records that it has not seen. */
export function reportFilter(filter: FilterWeights, records: readonly FilterRecord[]): FilterReport {
  const scored: { z: number; y: number }[] = [];
  for (const r of records) {
    const z = applyFilter(filter, r.c);
    for (let i = 0; i < filter.B; i++) if (r.masked[i]) scored.push({ z: z[i], y: r.label[i] });
  }
  scored.sort((a, b) => a.z - b.z);
  const right = scored.reduce((sum, s) => sum + s.y, 0);
  const wrong = scored.length - right;
  // Mann-Whitney with mean ranks for equals.
  let rankSum = 0;
  for (let i = 0; i < scored.length; ) {
    let j = i;
    while (j < scored.length && scored[j].z === scored[i].z) j++;
    for (let k = i; k < j; k++) rankSum += scored[k].y * ((i + j + 1) / 2);
    i = j;
  }
  const p = right / Math.max(1, scored.length);
  const entropy = (q: number): number => (q <= 0 || q >= 1 ? 0 : -q * Math.log(q) - (1 - q) * Math.log(1 - q));
  return {
    records: records.length,
    bceMasked: filterLoss(filter, records, true).loss,
    bceAll: filterLoss(filter, records, false).loss,
    bceConstant: entropy(p),
    auroc: right > 0 && wrong > 0 ? (rankSum - (right * (right + 1)) / 2) / (right * wrong) : Number.NaN,
    falsePositives: [0.9, 0.96, 0.99].map((tau) => {
      const taken = scored.filter((s) => sigmoid(s.z) > tau);
      return {
        tau,
        taken: taken.length,
        share: taken.length === 0 ? Number.NaN : taken.filter((s) => s.y === 0).length / taken.length,
      };
    }),
  };
}
