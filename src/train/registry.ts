/** The optimisers' kernels. */
import scalarsLink from '../../shaders/versions/adamw_scalars.wgsl?link';
import { ParamStore } from '../nn/params.ts';
import type { Graph, Tensor } from '../tensor/graph.ts';
import { cover } from '../tensor/kernel.ts';
import { casesOf, floats, type KernelEntry, random, single, type Trial } from '../tensor/registry/entry.ts';
import { keptVersion, slower } from '../tensor/registry/kept.ts';
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

/** Two matrices in slabs with something before, between and behind them. */
const slabOf = ({ rows, columns }: Side) => {
  const each = rows * columns;
  const starts = [3, each + 8];
  const size = 2 * each + 16;
  const at = (i: number): number => starts[Math.floor(i / each)] + (i % each);
  /** A slab with these values in its matrices and the others as they were. */
  const put = (before: ArrayLike<number>, values: ArrayLike<number>): number[] => {
    const out = Array.from(before);
    for (let i = 0; i < 2 * each; i++) out[at(i)] = values[i];
    return out;
  };
  const get = (slab: ArrayLike<number>): number[] => Array.from({ length: 2 * each }, (_, i) => slab[at(i)]);
  const places = { shape: [2], data: Uint32Array.from(starts) };
  return { size, shape: [rows, columns], places, get, put };
};

const momentumTrial = (side: Side): Trial => {
  const { size, shape, places, get, put } = slabOf(side);
  const [g, m] = [random([size], 1), random([size], 2)];
  return {
    inputs: { g, m, places },
    writes: ['m'],
    build: (t) => ({ u: nesterov(t.g, t.m, { shape, starts: t.places }) }),
    want: () => {
      const grad = get(g.data);
      const next = get(m.data).map((v, i) => 0.95 * v + grad[i]);
      return {
        m: { values: put(m.data, next), share: TOLERANCE.f32.map },
        u: { values: next.map((v, i) => grad[i] + 0.95 * v), share: TOLERANCE.f32.map },
      };
    },
  };
};

const unitTrial = ({ rows, columns }: Side): Trial => {
  const x = random([2, rows, columns], 1);
  const each = rows * columns;
  return {
    inputs: { x },
    build: (t) => ({ y: unit(t.x) }),
    want: () => {
      const norms = [0, 1].map((k) => Math.hypot(...x.data.slice(k * each, (k + 1) * each)));
      return { y: { values: Array.from(x.data, (v, i) => v / norms[Math.floor(i / each)]), share: TOLERANCE.f32.map } };
    },
  };
};

const applyTrial = (side: Side): Trial => {
  const { size, shape, places, get, put } = slabOf(side);
  const x = random([2, ...shape], 1);
  const [value, average] = [2, 3].map((salt) => random([size], salt));
  return {
    inputs: { x, value, average, hyper: floats([12], hyper(OPTIMISER, STEP, RATE)), places },
    writes: ['value', 'average'],
    build: (t) => {
      applyUpdate(t.x, t.value, t.average, t.hyper, { shape, starts: t.places });
      return {};
    },
    want: () => {
      const scale = 0.2 * Math.sqrt(Math.max(...shape));
      const ema = Math.min(OPTIMISER.ema, (STEP - 1) / (STEP + 9));
      const before = get(average.data);
      const next = get(value.data).map((v, i) => v - RATE * (scale * x.data[i] + OPTIMISER.weightDecay * v));
      const averaged = next.map((v, i) => ema * before[i] + (1 - ema) * v);
      return {
        value: { values: put(value.data, next), share: TOLERANCE.f32.map },
        average: { values: put(average.data, averaged), share: TOLERANCE.f32.map },
      };
    },
  };
};

const muonKernel = (
  name: string,
  about: string,
  dispatch: string,
  file: string,
  entryPoint: string,
  rest: Pick<KernelEntry, 'bindings' | 'uniform' | 'flops' | 'bytes'>,
  make: (side: Side) => Trial,
): KernelEntry => ({
  name,
  family: 'optimiser',
  about,
  label: name,
  dispatch,
  variants: single(file, entryPoint),
  cases: casesOf(MATRICES, make),
  bench: casesOf([MATRIX_BENCH], make)[0],
  ...rest,
});

export const TRAIN: readonly KernelEntry[] = [
  muonKernel(
    'muon momentum',
    'Nesterov momentum of the matrices that Muon updates, all of one shape at once.',
    'One invocation per element.',
    'train/muon_momentum.wgsl',
    'momentum',
    {
      bindings: 'source state places u',
      uniform: 'n u32, each u32, mu f32',
      flops: '8*rows*columns',
      bytes: '32*rows*columns',
    },
    momentumTrial,
  ),
  muonKernel(
    'muon unit',
    'Matrices divided by their Frobenius norms.',
    'One workgroup of 256 per matrix.',
    'train/muon_unit.wgsl',
    'unit',
    {
      bindings: 'source u',
      uniform: 'each u32',
      flops: '6*rows*columns',
      bytes: '16*rows*columns',
    },
    unitTrial,
  ),
  muonKernel(
    'muon apply',
    'Update of matrices by their orthogonalised momenta, with decay and the moving average.',
    'One invocation per element.',
    'train/muon_apply.wgsl',
    'apply',
    {
      bindings: 'x value average hyper places',
      uniform: 'n u32, each u32, scale f32',
      flops: '16*rows*columns',
      bytes: '40*rows*columns',
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
    variants: [
      keptVersion(
        'adamw_scalars',
        {
          name: 'scalars',
          entryPoint: 'scalars',
          idea: 'One invocation per parameter.',
          lost: `${slower(2.2, 2.4, 'a million parameters')}: four times as many loads, and the clipping factor for every parameter.`,
        },
        ({ uniforms: [quads] }) => ({ code: scalarsLink(), workgroups: cover(4 * quads) }),
      ),
      {
        ...single('train/adamw.wgsl', 'adamw')[0],
        idea: 'Four parameters an invocation, in vec4s. On lavapipe 2.2, on SwiftShader 2.4 times faster than one at a time (a million parameters).',
      },
    ],
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
