/**
 * The filter f: B confidences of a block to B logits "this guess is final" (arXiv 2509.25188; learn2pd 1.5-1.6). A stack of
 * B x B layers with ReLU between them; two layers at B = 32 are 2112 parameters. Here: what it is and how it is applied in
 * float64; how it learns: filter-training.ts; the kernel that applies it while decoding: finalize_filter.wgsl.
 */
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

/**
 * The values as the decision kernel reads them: weights of a layer input by input, so that its lanes, one an output, read
 * neighbours.
 */
export function filterColumns({ B, depth, values }: FilterWeights): Float32Array<ArrayBuffer> {
  const out = values.slice();
  for (let d = 0; d < depth; d++) {
    const w = d * (B * B + B);
    for (let o = 0; o < B; o++) for (let i = 0; i < B; i++) out[w + i * B + o] = values[w + o * B + i];
  }
  return out;
}

/** Inputs of every layer and the logits; `c` may be shorter than B, zeros follow. */
export function layersOf({ B, depth, values }: FilterWeights, c: ArrayLike<number>): Float64Array[] {
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
