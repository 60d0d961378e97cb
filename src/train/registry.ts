/** The optimisers' kernels. */
import { ParamStore } from '../nn/params.ts';
import type { Graph, Tensor } from '../tensor/graph.ts';
import { casesOf, floats, type KernelEntry, random, single, type Trial } from '../tensor/registry/entry.ts';
import { TOLERANCE } from '../tensor/registry/tolerance.ts';
import { applyUpdate, nesterov, unit } from './muon.ts';
import { type AdamW, adamw, hyper } from './optimiser.ts';

const OPTIMISER: AdamW = { beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.1, clip: 1, ema: 0.9 };
const STEP = 7;
const RATE = 0.01;

export interface AdamWState {
  value: ArrayLike<number>;
  first: ArrayLike<number>;
  second: ArrayLike<number>;
  average: ArrayLike<number>;
}

/** One AdamW step in float64 (Loshchilov and Hutter 2019); `decay` per element is 0 or 1. */
export function adamwReference(
  o: AdamW,
  t: number,
  lr: number,
  before: AdamWState,
  grad: ArrayLike<number>,
  norm2: number,
  decay: (i: number) => number,
): Record<keyof AdamWState, Float64Array> {
  const n = grad.length;
  const after = {
    value: new Float64Array(n),
    first: new Float64Array(n),
    second: new Float64Array(n),
    average: new Float64Array(n),
  };
  const norm = Math.sqrt(norm2);
  const scale = norm > o.clip ? o.clip / norm : 1;
  const ema = Math.min(o.ema, (t - 1) / (t + 9));
  for (let i = 0; i < n; i++) {
    const g = grad[i] * scale;
    after.first[i] = o.beta1 * before.first[i] + (1 - o.beta1) * g;
    after.second[i] = o.beta2 * before.second[i] + (1 - o.beta2) * g * g;
    const m = after.first[i] / (1 - o.beta1 ** t);
    const v = after.second[i] / (1 - o.beta2 ** t);
    const step = m / (Math.sqrt(v) + o.eps);
    after.value[i] = before.value[i] - lr * (step + o.weightDecay * decay(i) * before.value[i]);
    after.average[i] = ema * before.average[i] + (1 - ema) * after.value[i];
  }
  return after;
}

const make = ({ n, norm }: { n: number; norm: number }): Trial => {
  const slab = (salt: number, size: number) => random([n], salt, size);
  const second = slab(4, 0.01);
  second.data.forEach((v, i) => {
    second.data[i] = Math.abs(v);
  });
  const inputs = {
    value: slab(1, 1),
    grad: slab(2, 1),
    first: slab(3, 0.1),
    second,
    average: slab(5, 1),
    // (learning rate factor, weight decay factor) of every 64 elements.
    blocks: floats(
      [n / 32],
      Array.from({ length: n / 32 }, (_, i) => (i % 2 === 0 ? 1 : (i >> 1) % 2)),
    ),
    hyper: floats([12], hyper(OPTIMISER, STEP, RATE)),
    norm2: floats([1], [norm * norm]),
  };
  return {
    inputs,
    writes: ['value', 'first', 'second', 'average'],
    build(t: Record<string, Tensor>, graph: Graph) {
      const store = new ParamStore();
      store.declare('p', [n], { kind: 'zeros' });
      adamw(graph, store, t.norm2);
      return {};
    },
    want() {
      const before = {
        value: inputs.value.data,
        first: inputs.first.data,
        second: inputs.second.data,
        average: inputs.average.data,
      };
      const decay = (i: number): number => (i >> 6) % 2;
      const after = adamwReference(OPTIMISER, STEP, RATE, before, inputs.grad.data, norm * norm, decay);
      return Object.fromEntries(
        Object.entries(after).map(([name, values]) => [name, { values, share: TOLERANCE.f32.map }]),
      );
    },
  };
};

type Side = { rows: number; columns: number };
const MATRICES: Side[] = [
  { rows: 1, columns: 1 },
  { rows: 5, columns: 7 },
  { rows: 33, columns: 64 },
];
const MATRIX_BENCH: Side = { rows: 512, columns: 1024 };

const momentumTrial = ({ rows, columns }: Side): Trial => {
  const [g, m] = [random([rows, columns], 1), random([rows, columns], 2)];
  return {
    inputs: { g, m },
    writes: ['m'],
    build: (t) => ({ u: nesterov(t.g, t.m) }),
    want: () => {
      const next = Array.from(m.data, (v, i) => 0.95 * v + g.data[i]);
      return {
        m: { values: next, share: TOLERANCE.f32.map },
        u: { values: next.map((v, i) => g.data[i] + 0.95 * v), share: TOLERANCE.f32.map },
      };
    },
  };
};

const unitTrial = ({ rows, columns }: Side): Trial => {
  const x = random([rows, columns], 1);
  const norm2 = x.data.reduce((sum, v) => sum + v * v, 0);
  return {
    inputs: { x, norm2: floats([1], [norm2]) },
    build: (t) => ({ y: unit(t.x, t.norm2) }),
    want: () => ({ y: { values: Array.from(x.data, (v) => v / Math.sqrt(norm2)), share: TOLERANCE.f32.map } }),
  };
};

const applyTrial = ({ rows, columns }: Side): Trial => {
  const [x, value, average] = [1, 2, 3].map((salt) => random([rows, columns], salt));
  return {
    inputs: { x, value, average, hyper: floats([12], hyper(OPTIMISER, STEP, RATE)) },
    writes: ['value', 'average'],
    build: (t) => {
      applyUpdate(t.x, t.value, t.average, t.hyper);
      return {};
    },
    want: () => {
      const scale = 0.2 * Math.sqrt(Math.max(rows, columns));
      const ema = Math.min(OPTIMISER.ema, (STEP - 1) / (STEP + 9));
      const next = Array.from(value.data, (v, i) => v - RATE * (scale * x.data[i] + OPTIMISER.weightDecay * v));
      return {
        value: { values: next, share: TOLERANCE.f32.map },
        average: { values: next.map((v, i) => ema * average.data[i] + (1 - ema) * v), share: TOLERANCE.f32.map },
      };
    },
  };
};

const muonKernel = (
  name: string,
  about: string,
  file: string,
  entryPoint: string,
  rest: Pick<KernelEntry, 'bindings' | 'uniform' | 'flops' | 'bytes'>,
  make: (side: Side) => Trial,
): KernelEntry => ({
  name,
  family: 'optimiser',
  about,
  label: name,
  dispatch: 'One invocation per element of the matrix.',
  variants: single(file, entryPoint),
  cases: casesOf(MATRICES, make),
  bench: casesOf([MATRIX_BENCH], make)[0],
  ...rest,
});

export const TRAIN: readonly KernelEntry[] = [
  muonKernel(
    'muon momentum',
    'Nesterov momentum of a matrix that Muon updates.',
    'train/muon_momentum.wgsl',
    'momentum',
    {
      bindings: 'source state u',
      uniform: 'n u32, mu f32',
      flops: '4*rows*columns',
      bytes: '12*rows*columns',
    },
    momentumTrial,
  ),
  muonKernel(
    'muon unit',
    'A matrix divided by its Frobenius norm.',
    'train/muon_momentum.wgsl',
    'unit',
    {
      bindings: 'source state u',
      uniform: 'n u32, mu f32',
      flops: '2*rows*columns',
      bytes: '8*rows*columns + 4',
    },
    unitTrial,
  ),
  muonKernel(
    'muon apply',
    'Update of a matrix by its orthogonalised momentum, with decay and the moving average.',
    'train/muon_apply.wgsl',
    'apply',
    {
      bindings: 'x value average hyper',
      uniform: 'n u32, scale f32',
      flops: '8*rows*columns',
      bytes: '20*rows*columns',
    },
    applyTrial,
  ),
  {
    name: 'adamw',
    family: 'optimiser',
    about: 'AdamW with global-norm clipping and averaged weights over one arena of parameters.',
    label: 'adamw',
    bindings: 'value grad first second average block hyper norm2',
    uniform: 'quads u32',
    dispatch: 'One invocation per four parameters.',
    flops: '16*n',
    bytes: '36*n',
    variants: single('train/adamw.wgsl', 'adamw'),
    cases: casesOf(
      [
        { n: 64, norm: 0.5 },
        { n: 640, norm: 40 },
        { n: 8256, norm: 3 },
      ],
      make,
    ),
    bench: casesOf([{ n: 1 << 20, norm: 3 }], make)[0],
  },
];
