/**
 * What the filter learns from and towards (arXiv 2509.25188; learn2pd 1.5-1.6, 4): records of the oracle, binary cross-entropy
 * and its gradient in float64. The training itself runs on the GPU: filter-trainer.ts.
 */
import { mix32, uniform01 } from '../../gpu/rng.ts';
import { learningRate } from '../../train/schedule.ts';
import { type FilterWeights, layersOf } from './filter.ts';

/** One visited state: confidences of the block, which guesses equalled the reference, and which positions were masked. */
export interface FilterRecord {
  /** Number of the prompt that it comes from (promptNumbers of collect.ts): splits never part equal prompts. */
  prompt: number;
  /** [B], zeros behind the end. */
  c: Float32Array<ArrayBuffer>;
  label: Uint8Array<ArrayBuffer>;
  masked: Uint8Array<ArrayBuffer>;
}

export interface FilterTraining {
  steps: number;
  batch: number;
  /** Held for the first half, then falls linearly. */
  lr: number;
  weightDecay: number;
  /**
   * Loss on masked positions only. The released code uses all: there the filter also learns what the model guesses where a
   * token is final already, which nobody asks it and which costs it sharpness where it decides (ablations: `loss`).
   */
  maskedOnly: boolean;
  seed: number;
}

export const FILTER_TRAINING: FilterTraining = {
  steps: 3000,
  batch: 256,
  lr: 1e-2,
  weightDecay: 0.01,
  maskedOnly: true,
  seed: 1,
};

/** Learning rate of step t (1, 2, ..). */
export const filterRate = ({ steps, lr }: FilterTraining, t: number): number => learningRate(t, steps, lr, 0, 0.5);

const softplus = (z: number): number => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
export const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

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

/** Numbers of the records that step t (1, 2, ..) takes out of `records`. */
export const pickRecords = (t: FilterTraining, step: number, records: number): Uint32Array<ArrayBuffer> =>
  Uint32Array.from({ length: Math.min(t.batch, records) }, (_, i) =>
    Math.floor(uniform01(mix32(t.seed, step, i, 0x66696c74)) * records),
  );

/** AdamW in float64: what the kernels of filter-trainer.ts must compute. */
export function trainReference(
  start: FilterWeights,
  records: readonly FilterRecord[],
  t: FilterTraining,
): FilterWeights {
  const filter = { ...start, values: start.values.slice() };
  const exact = Float64Array.from(filter.values);
  const [first, second] = [new Float64Array(exact.length), new Float64Array(exact.length)];
  for (let step = 1; step <= t.steps; step++) {
    const batch = Array.from(pickRecords(t, step, records.length), (k) => records[k]);
    const { gradient } = filterLoss(filter, batch, t.maskedOnly);
    for (let i = 0; i < exact.length; i++) {
      first[i] = 0.9 * first[i] + 0.1 * gradient[i];
      second[i] = 0.999 * second[i] + 0.001 * gradient[i] ** 2;
      const m = first[i] / (1 - 0.9 ** step);
      const v = second[i] / (1 - 0.999 ** step);
      exact[i] -= filterRate(t, step) * (m / (Math.sqrt(v) + 1e-8) + t.weightDecay * exact[i]);
    }
    filter.values.set(exact);
  }
  return filter;
}

/** 80 / 10 / 10 by prompt: records of equal prompts stay together. */
export function splitRecords(
  records: readonly FilterRecord[],
): Record<'train' | 'validation' | 'test', FilterRecord[]> {
  const out = { train: [] as FilterRecord[], validation: [] as FilterRecord[], test: [] as FilterRecord[] };
  for (const r of records) {
    const share = mix32(r.prompt, 0, 0, 0x73706c69) % 10;
    out[share < 8 ? 'train' : share === 8 ? 'validation' : 'test'].push(r);
  }
  return out;
}
