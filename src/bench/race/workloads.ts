/**
 * What is raced: sizes, seeded inputs, and the work in floating point operations. Every entrant gets the same numbers.
 * Correct answers are in references.ts and gpt-reference.ts, the entrants in ours.ts, jax.ts, tensorflow.ts and onnx.ts.
 */
import { mix32 } from '../../gpu/rng.ts';
import { type GptShape, gptLoss, REFERENCE_BATCH, REFERENCE_GPT } from '../../nn/gpt.ts';
import { Scope } from '../../nn/layers.ts';
import { normals, ParamStore } from '../../nn/params.ts';
import { Graph } from '../../tensor/graph.ts';
import type { AdamW } from '../../train/optimiser.ts';

export interface Given {
  shape: readonly number[];
  data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
}

/** One set of inputs by name. */
export type InputSet = Record<string, Given>;

export type Workload =
  | { kind: 'matmul'; form: 'nn' | 'nt' | 'tn'; size: number }
  | { kind: 'softmax' | 'rmsnorm'; rows: number; width: number }
  /** Causal self-attention of one sequence. */
  | { kind: 'attention'; time: number; heads: number; dim: number }
  /** One new token against a cache that it is already part of (the last entry). */
  | { kind: 'decode'; entries: number; heads: number; kvHeads: number; dim: number }
  /** x <- tanh(x w), `steps` times: two dependent operations each, small enough that launching them is most of the work. */
  | { kind: 'chain'; steps: number; width: number }
  /** Forward, backward and AdamW. `updates`: how many updates the check follows. */
  | { kind: 'gpt'; name: string; shape: GptShape; batch: number; time: number; updates: number };

export type GptWorkload = Extract<Workload, { kind: 'gpt' }>;

/** Clipping is out of reach and the average does not move: neither is part of the race. */
export const OPTIMISER: AdamW = { beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.01, clip: 1e9, ema: 0 };
export const LEARNING_RATE = 1e-3;
const SEED = 11;

/** 5 M parameters. */
const SMALL_GPT: GptShape = { vocab: 512, layers: 6, d: 256, heads: 4, kvHeads: 4, hidden: 704, cap: 0 };

/** All rows; sizes that only a real GPU finishes in time with `large`. */
export function workloads(large: boolean): Workload[] {
  const sizes = large ? [256, 512, 1024, 2048, 4096] : [256, 512, 1024];
  const forms = ['nn', 'nt', 'tn'] as const;
  return [
    ...forms.flatMap((form) => sizes.map((size): Workload => ({ kind: 'matmul', form, size }))),
    { kind: 'softmax', rows: 1024, width: 1024 },
    { kind: 'rmsnorm', rows: 1024, width: 1024 },
    { kind: 'attention', time: 256, heads: 8, dim: 64 },
    { kind: 'attention', time: 1024, heads: 8, dim: 64 },
    { kind: 'decode', entries: 1024, heads: 8, kvHeads: 2, dim: 64 },
    { kind: 'chain', steps: 100, width: 64 },
    { kind: 'gpt', name: 'reference GPT step', shape: REFERENCE_GPT, ...REFERENCE_BATCH, updates: 3 },
    { kind: 'gpt', name: '5 M GPT step', shape: SMALL_GPT, batch: 2, time: 128, updates: 1 },
  ];
}

export function titleOf(w: Workload): string {
  switch (w.kind) {
    case 'matmul':
      return `matmul ${w.form}`;
    case 'softmax':
      return 'softmax';
    case 'rmsnorm':
      return 'RMSNorm';
    case 'attention':
      return 'causal attention';
    case 'decode':
      return 'GQA decode';
    case 'chain':
      return `chain of ${2 * w.steps} ops`;
    case 'gpt':
      return w.name;
  }
}

export function shapeOf(w: Workload): string {
  switch (w.kind) {
    case 'matmul':
      return `${w.size}x${w.size}x${w.size}`;
    case 'softmax':
    case 'rmsnorm':
      return `${w.rows}x${w.width}`;
    case 'attention':
      return `T ${w.time}, ${w.heads} heads of ${w.dim}`;
    case 'decode':
      return `${w.entries} entries, ${w.heads} heads, ${w.kvHeads} kv heads of ${w.dim}`;
    case 'chain':
      return `tanh(x w), ${w.width}x${w.width}`;
    case 'gpt':
      return `${w.shape.layers} layers, d ${w.shape.d}, T ${w.time}, batch ${w.batch}, vocab ${w.shape.vocab}`;
  }
}

/** One name without blanks for a row: `--only` picks by it. */
export function idOf(w: Workload): string {
  if (w.kind === 'matmul') return `matmul-${w.form}-${w.size}`;
  if (w.kind === 'attention') return `attention-${w.time}`;
  if (w.kind === 'gpt') return w.shape === REFERENCE_GPT ? 'gpt-reference' : 'gpt-5m';
  return w.kind;
}

/** Floating point operations of one run: 2 for a multiply-add; for a training step three times those of the forward pass. */
export function flopsOf(w: Workload): number {
  switch (w.kind) {
    case 'matmul':
      return 2 * w.size ** 3;
    case 'softmax':
    case 'rmsnorm':
      return 4 * w.rows * w.width;
    case 'attention':
      return 2 * w.time * (w.time + 1) * w.heads * w.dim;
    case 'decode':
      return 4 * w.entries * w.heads * w.dim;
    case 'chain':
      return 2 * w.steps * w.width ** 3;
    case 'gpt': {
      const { vocab, layers, d, heads, kvHeads, hidden } = w.shape;
      const weights = layers * (d * d * (2 + (2 * kvHeads) / heads) + 3 * d * hidden) + d * vocab;
      return 3 * w.batch * w.time * (2 * weights + layers * 2 * (w.time + 1) * d);
    }
  }
}

const random = (shape: readonly number[], stream: number, scale = 1): Given => {
  const data = normals(
    SEED,
    stream,
    shape.reduce((a, b) => a * b, 1),
  );
  return { shape, data: scale === 1 ? data : data.map((v) => v * scale) };
};

/** Inputs of copy `copy`: other numbers for every copy. Matrices of form nt and tn are given as they lie in memory. */
export function inputsOf(w: Workload, copy: number): InputSet {
  const at = copy * 16;
  switch (w.kind) {
    case 'matmul':
      return { a: random([w.size, w.size], at), b: random([w.size, w.size], at + 1) };
    case 'softmax':
      return { x: random([w.rows, w.width], at, 3) };
    case 'rmsnorm':
      return { x: random([w.rows, w.width], at), gain: random([w.width], at + 1) };
    case 'attention': {
      const shape = [w.time, w.heads, w.dim];
      return { q: random(shape, at), k: random(shape, at + 1), v: random(shape, at + 2) };
    }
    case 'decode': {
      const cache = [w.entries, w.kvHeads, w.dim];
      return { q: random([1, w.heads, w.dim], at), k: random(cache, at + 1), v: random(cache, at + 2) };
    }
    case 'chain':
      return { x: random([w.width, w.width], at), w: random([w.width, w.width], at + 1, w.width ** -0.5) };
    case 'gpt': {
      const { vocab } = w.shape;
      const shape = [w.batch, w.time];
      const ids = Uint32Array.from({ length: w.batch * w.time }, (_, i) => mix32(SEED, i, copy, 3) % vocab);
      // The last token of a row has no successor: vocab means no target.
      const targets = Uint32Array.from(ids, (_, i) => (i % w.time === w.time - 1 ? vocab : ids[i + 1]));
      return { ids: { shape, data: ids }, targets: { shape, data: targets } };
    }
  }
}

/** Bytes of one input set. */
export function bytesOf(set: InputSet): number {
  return Object.values(set).reduce((sum, g) => sum + g.data.byteLength, 0);
}

/** Initial parameters of a GPT, those that the engine itself starts from. */
export function parametersOf(w: GptWorkload): InputSet {
  const store = new ParamStore();
  const graph = new Graph({ software: false, f16: false, subgroups: false, subgroupSize: 0 });
  const rows = [w.batch, w.time];
  const [ids, targets] = [graph.input('ids', rows), graph.input('targets', rows)];
  gptLoss(new Scope(graph, store), w.shape, ids, targets, graph.input('starts', [w.batch]));
  const values = store.initial(SEED);
  return Object.fromEntries(
    [...store.specs.values()].map(({ name, shape, offset }) => [
      name,
      { shape, data: values.slice(offset / 4, offset / 4 + shape.reduce((a, b) => a * b, 1)) },
    ]),
  );
}

export { SEED as PARAMETER_SEED };
