/** Elementwise maps of one and of two tensors, and SwiGLU. */
import type { Tensor } from '../graph.ts';
import { add, affine, clamp, mul, sigmoid, silu, square, swiglu, tanh } from '../ops/pointwise.ts';
import { sigma, siluSlope, swigluGradient, swigluReference } from '../reference/pointwise.ts';
import { casesOf, type KernelCase, type KernelEntry, random, single, type Trial } from './entry.ts';
import { pullBack } from './pull-back.ts';
import { TOLERANCE } from './tolerance.ts';

const LENGTHS = [{ n: 1 }, { n: 3 }, { n: 4 }, { n: 257 }];
const LONG = { n: 1 << 20 };
/** Steep and saturated arguments as well. */
const WIDE = 24;
/** Largest operand of the maps of two tensors. */
const SIZE = 4;

const QUADS = 'One invocation per four elements.';

interface Map1 {
  entryPoint: string;
  name: string;
  about: string;
  op: (x: Tensor) => Tensor;
  f: (x: number) => number;
}

const MAPS: Map1[] = [
  {
    entryPoint: 'scale',
    name: 'scale',
    about: 'y = alpha x + beta.',
    op: (x) => affine(x, 1.7, 0.3),
    f: (x) => 1.7 * x + 0.3,
  },
  { entryPoint: 'tanh_', name: 'tanh', about: 'y = tanh x.', op: tanh, f: Math.tanh },
  { entryPoint: 'sigmoid', name: 'sigmoid', about: 'y = 1 / (1 + exp(-x)).', op: sigmoid, f: sigma },
  { entryPoint: 'silu', name: 'silu', about: 'y = x sigmoid(x).', op: silu, f: (x) => x * sigma(x) },
  { entryPoint: 'square', name: 'square', about: 'y = x^2.', op: square, f: (x) => x * x },
  {
    entryPoint: 'clamp_',
    name: 'clamp',
    about: 'y = x clamped to [lo, hi].',
    op: (x) => clamp(x, -0.5, 0.75),
    f: (x) => Math.min(0.75, Math.max(-0.5, x)),
  },
];

const unaryTrial =
  ({ op, f }: Map1) =>
  ({ n }: { n: number }): Trial => {
    const x = random([n], 1, WIDE);
    return {
      inputs: { x },
      build: (t) => ({ y: op(t.x) }),
      want: () => ({ y: { values: Array.from(x.data, f), share: TOLERANCE.f32.map } }),
    };
  };

function unary(map: Map1): KernelEntry {
  const { entryPoint, name, about } = map;
  const make = unaryTrial(map);
  return {
    name,
    family: 'pointwise',
    about,
    label: entryPoint,
    bindings: 'x y',
    uniform: 'quads u32, alpha f32, beta f32',
    dispatch: QUADS,
    flops: '2*n',
    bytes: '8*n',
    variants: single('ops/unary.wgsl', entryPoint),
    cases: casesOf(LENGTHS, make),
    bench: casesOf([LONG], make)[0],
  };
}

interface Map2 {
  entryPoint: string;
  name: string;
  about: string;
  /** Either a map of two tensors, or the derivative of a map of x. */
  op: (a: Tensor, b: Tensor) => Tensor;
  f: (a: number, b: number) => number;
  share: number;
  /** Where the result may be a difference of nearly equal numbers (1 - y^2): the size of its terms. */
  scale?: number;
}

const row = TOLERANCE.f32.rounding;
const derivative = (op: (x: Tensor) => Tensor) => (dy: Tensor, x: Tensor) => pullBack(x.graph, op(x), dy, [x])[0];

const PAIRS: Map2[] = [
  {
    entryPoint: 'add',
    name: 'add',
    about: 'y = alpha a + beta b; b may be a row that repeats.',
    op: (a, b) => add(a, b, 0.5, -2),
    f: (a, b) => 0.5 * a - 2 * b,
    share: row,
  },
  {
    entryPoint: 'mul',
    name: 'mul',
    about: 'y = a b; b may be a row that repeats.',
    op: mul,
    f: (a, b) => a * b,
    share: row,
  },
  {
    entryPoint: 'tanh_backward',
    name: 'tanh backward',
    about: 'dx = dy (1 - y^2).',
    op: derivative(tanh),
    f: (dy, x) => dy * (1 - Math.tanh(x) ** 2),
    share: TOLERANCE.f32.map,
    scale: SIZE,
  },
  {
    entryPoint: 'sigmoid_backward',
    name: 'sigmoid backward',
    about: 'dx = dy y (1 - y).',
    op: derivative(sigmoid),
    f: (dy, x) => dy * sigma(x) * (1 - sigma(x)),
    share: TOLERANCE.f32.map,
    scale: SIZE,
  },
  {
    entryPoint: 'silu_backward',
    name: 'silu backward',
    about: 'dx = dy s (1 + x (1 - s)), s = sigmoid(x).',
    op: derivative(silu),
    f: (dy, x) => dy * siluSlope(x),
    share: TOLERANCE.f32.map,
  },
];

function binary({ entryPoint, name, about, op, f, share, scale }: Map2): KernelEntry {
  const make = ({ n, period }: { n: number; period: number }): Trial => {
    const a = random([n], 1, SIZE);
    const b = random([period], 2, SIZE);
    return {
      inputs: { a, b },
      build: (t) => ({ y: op(t.a, t.b) }),
      want: () => ({ y: { values: Array.from(a.data, (v, i) => f(v, b.data[i % period])), share, scale } }),
    };
  };
  const rows = ['add', 'mul'].includes(name)
    ? [
        { n: 28, period: 4 },
        { n: 84, period: 12 },
      ]
    : [];
  return {
    name,
    family: 'pointwise',
    about,
    label: entryPoint,
    bindings: 'a b y',
    uniform: 'quads u32, period u32, alpha f32, beta f32',
    dispatch: QUADS,
    flops: '2*n',
    bytes: '8*n + 4*period',
    variants: single('ops/binary.wgsl', entryPoint),
    cases: casesOf([...LENGTHS.map(({ n }) => ({ n, period: n })), ...rows], make),
    bench: casesOf([{ n: LONG.n, period: LONG.n }], make)[0],
  };
}

const GATED = [
  { rows: 1, h: 4 },
  { rows: 3, h: 12 },
  { rows: 65, h: 20 },
];
const GATED_LONG = { rows: 2560, h: 256 };

const forward = ({ rows, h }: { rows: number; h: number }): Trial => {
  const gu = random([rows, 2 * h], 1, 4);
  return {
    inputs: { gu },
    build: (t) => ({ h: swiglu(t.gu) }),
    want: () => ({ h: { values: swigluReference(gu.data, rows, h), share: TOLERANCE.f32.map } }),
  };
};

const backward = ({ rows, h }: { rows: number; h: number }): Trial => {
  const gu = random([rows, 2 * h], 1, 4);
  const probe = random([rows, h], 2);
  return {
    inputs: { gu, probe },
    build: (t, graph) => ({ dgu: pullBack(graph, swiglu(t.gu), t.probe, [t.gu])[0] }),
    want: () => ({ dgu: { values: swigluGradient(gu.data, rows, h, probe.data), share: TOLERANCE.f32.map } }),
  };
};

const SWIGLU: KernelEntry[] = [
  {
    name: 'swiglu',
    family: 'pointwise',
    about: 'h = silu(gate) up of a packed gate-and-up projection.',
    label: 'swiglu',
    bindings: 'gu h',
    uniform: 'rows u32, h4 u32',
    dispatch: QUADS,
    flops: '6*rows*h',
    bytes: '12*rows*h',
    variants: single('ops/swiglu.wgsl', 'forward'),
    cases: casesOf(GATED, forward),
    bench: casesOf([GATED_LONG], forward)[0],
  },
  {
    name: 'swiglu backward',
    family: 'pointwise',
    about: 'Gradients of gate and up from that of h.',
    label: 'swiglu backward',
    bindings: 'gu dh dgu',
    uniform: 'rows u32, h4 u32',
    dispatch: QUADS,
    flops: '12*rows*h',
    bytes: '20*rows*h',
    variants: single('ops/swiglu_backward.wgsl', 'backward'),
    cases: casesOf(GATED, backward),
    bench: casesOf([GATED_LONG], backward)[0],
  },
];

/** y = alpha x + beta over n numbers: what memory bandwidth is measured with. */
export const scaleCase = (n: number): KernelCase => casesOf([{ n }], unaryTrial(MAPS[0]))[0];

export const POINTWISE: readonly KernelEntry[] = [...MAPS.map(unary), ...PAIRS.map(binary), ...SWIGLU];
