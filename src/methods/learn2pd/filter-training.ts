/**
 * How the filter learns (arXiv 2509.25188; learn2pd 1.5-1.6, 4): binary cross-entropy on the oracle's records, AdamW, in
 * float64 on the host; weights and moments are kept in single precision, so that a saved run goes on with the same bits.
 */
import { mix32, uniform01 } from '../../gpu/rng.ts';
import { type FilterWeights, layersOf } from './filter.ts';

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

/** Validation loss is looked at this often; the weights with the lowest are kept. */
const CHECK_EVERY = 100;

/** AdamW on random batches, a function of records and settings; `validation` (may be empty) chooses the weights that are kept. */
export class FilterTrainer {
  /** As trained so far. */
  readonly filter: FilterWeights;
  readonly settings: FilterTraining;
  /** Finished steps. */
  step = 0;
  best: { loss: number; values: Float32Array<ArrayBuffer> } | null = null;
  readonly first: Float32Array<ArrayBuffer>;
  readonly second: Float32Array<ArrayBuffer>;
  private readonly records: readonly FilterRecord[];
  private readonly validation: readonly FilterRecord[];

  constructor(
    start: FilterWeights,
    records: readonly FilterRecord[],
    settings: FilterTraining,
    validation: readonly FilterRecord[] = [],
  ) {
    if (records.length === 0) throw new Error('The filter has no records to learn from.');
    this.filter = { ...start, values: start.values.slice() };
    this.first = new Float32Array(start.values.length);
    this.second = new Float32Array(start.values.length);
    this.records = records;
    this.validation = validation;
    this.settings = settings;
  }

  /** One step; the loss of its batch. */
  advance(): number {
    const { settings: t, filter, first, second, records } = this;
    this.step += 1;
    const batch = Array.from({ length: Math.min(t.batch, records.length) }, (_, i) => {
      return records[Math.floor(uniform01(mix32(t.seed, this.step, i, 0x66696c74)) * records.length)];
    });
    const { loss, gradient } = filterLoss(filter, batch, t.maskedOnly);
    for (let i = 0; i < first.length; i++) {
      first[i] = 0.9 * first[i] + 0.1 * gradient[i];
      second[i] = 0.999 * second[i] + 0.001 * gradient[i] ** 2;
      const m = first[i] / (1 - 0.9 ** this.step);
      const v = second[i] / (1 - 0.999 ** this.step);
      filter.values[i] -= t.lr * (m / (Math.sqrt(v) + 1e-8) + t.weightDecay * filter.values[i]);
    }
    if (this.validation.length > 0 && (this.step % CHECK_EVERY === 0 || this.step === t.steps)) {
      this.keep(filter.values.slice());
    }
    return loss;
  }

  /** These weights become the best if their validation loss is lower than that of the best so far. */
  keep(values: Float32Array<ArrayBuffer>): void {
    const { loss } = filterLoss({ ...this.filter, values }, this.validation, this.settings.maskedOnly);
    if (!this.best || loss < this.best.loss) this.best = { loss, values };
  }

  /** The weights to use: those of the lowest validation loss, else the last. */
  result(): FilterWeights {
    return this.best ? { ...this.filter, values: this.best.values.slice() } : this.filter;
  }
}

/** All steps at once. */
export function trainFilter(
  start: FilterWeights,
  records: readonly FilterRecord[],
  t: FilterTraining,
  validation: readonly FilterRecord[] = [],
): { filter: FilterWeights; losses: number[] } {
  const trainer = new FilterTrainer(start, records, t, validation);
  const losses = Array.from({ length: t.steps }, () => trainer.advance());
  return { filter: trainer.result(), losses };
}

/** 80 / 10 / 10 by prompt: records of one problem stay together. */
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
