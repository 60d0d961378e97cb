/** Products of normed rows with what follows them in a transformer layer: on quads, in a dispatch each instead of three. */
import type { Conditions } from '../../gpu/device.ts';
import { type NormedFinish, normedFits, pairsFit } from '../kernels/matmul.ts';
import { type Heads, type RowPosition, ropeTable } from '../ops/attention.ts';
import { normedGate, normedHeads } from '../ops/normed-product.ts';
import { pairColumns, pairedLinear, unpairColumns } from '../ops/paired-product.ts';
import { normRow, qkRopeReference } from '../reference/attention.ts';
import { matmulReference } from '../reference/matmul.ts';
import { swigluReference } from '../reference/pointwise.ts';
import { floats, type KernelCase, type KernelEntry, random, type Trial, type Variant, words } from './entry.ts';
import { TOLERANCE } from './tolerance.ts';

interface Rows {
  rows: number;
  d: number;
  /** Two columns of the matrix in a word. */
  pairs?: boolean;
}

/** Weights [k, n] as a kernel takes them, and the numbers that it reads. */
function matrix(k: number, n: number, pairs = false) {
  const w = random([k, n], 3, k ** -0.5);
  if (!pairs) return { w, read: w.data };
  const packed = pairColumns(w.data, k, n);
  return { w: words([k + 1, n / 2], packed), read: unpairColumns(packed, k, n) };
}

/** Rows, gain and matrix, and the product of the normed rows as it must be. */
function product({ rows, d, pairs }: Rows, width: number) {
  const { w, read } = matrix(d, width, pairs);
  const inputs = { x: random([rows, d], 1, 3), gain: random([d], 2), w };
  const want = (): Float64Array => {
    const { x, gain } = inputs;
    const a = Array.from({ length: rows }, (_, r) => normRow(x.data.subarray(r * d, (r + 1) * d), gain.data)).flat();
    return matmulReference({ form: 'nn', M: rows, N: width, K: d }, { a, b: read });
  };
  return { inputs, want };
}

/** A product that goes back into the residual stream. */
const projected = ({ rows, d }: Rows, width: number): Trial => {
  const { w, read } = matrix(d, width, true);
  const [x, residual] = [random([rows, d], 1), random([rows, width], 4)];
  return {
    inputs: { x, w, residual },
    build: (t) => ({ y: pairedLinear(t.x, t.w, t.residual) }),
    want: () => {
      const sizes = { form: 'nn', M: rows, N: width, K: d, residual: true } as const;
      const values = matmulReference(sizes, { a: x.data, b: read, residual: residual.data });
      return { y: { values, share: TOLERANCE.f32.sum } };
    },
  };
};

const gated = (size: Rows & { hidden: number }): Trial => {
  const { rows, hidden } = size;
  const { inputs, want } = product(size, 2 * hidden);
  return {
    inputs,
    build: (t) => ({ h: normedGate(t.x, t.gain, t.w) }),
    want: () => ({ h: { values: swigluReference(want(), rows, hidden), share: TOLERANCE.f32.network } }),
  };
};

const turned = (size: Rows & { heads: Heads; at: RowPosition }): Trial => {
  const { heads: shape, at } = size;
  const { inputs, want } = product(size, (shape.heads + 2 * shape.kvHeads) * shape.dim);
  const [gainQ, gainK] = [random([shape.dim], 4), random([shape.dim], 5)];
  const table = floats([at.period, shape.dim], ropeTable(at.period, shape.dim));
  return {
    inputs: { ...inputs, gainQ, gainK, table },
    build: (t) => ({
      y: normedHeads(t.x, t.gain, t.w, { gainQ: t.gainQ, gainK: t.gainK, table: t.table, shape, at }),
    }),
    want: () => ({
      y: { values: qkRopeReference(want(), gainQ.data, gainK.data, shape, at), share: TOLERANCE.f32.network },
    }),
  };
};

const gatedCase = (name: string, rows: number, d: number, hidden: number, pairs = false): KernelCase => ({
  name,
  dims: { M: rows, N: 2 * hidden, K: d, pairs: Number(pairs) },
  make: () => gated({ rows, d, hidden, pairs }),
});

const pairsCase = (name: string, rows: number, d: number, width: number): KernelCase => ({
  name,
  dims: { M: rows, N: width, K: d },
  make: () => projected({ rows, d }, width),
});

const headsCase = (
  name: string,
  rows: number,
  d: number,
  [heads, kvHeads]: [number, number],
  at: RowPosition,
  pairs = false,
): KernelCase => ({
  name,
  dims: { M: rows, N: 16 * (heads + 2 * kvHeads), K: d, pairs: Number(pairs) },
  make: () => turned({ rows, d, heads: { heads, kvHeads, dim: 16 }, at, pairs }),
});

/** Products of any size that these kernels have: the condition is the adapter's. */
const exists =
  (normed: NormedFinish) =>
  (c: Conditions): boolean =>
    normedFits(c, [52, 128, 64], normed);

const inPairs = (c: Conditions): boolean => pairsFit(c, 52, 128, 64);

const variants = (normed: NormedFinish, idea: string): Variant[] => [
  {
    name: 'quads',
    idea,
    when: 'CPU adapters with subgroups of 4, in programs that nothing differentiates',
    files: ['ops/matmul_quad.wgsl', 'ops/matmul_vector.wgsl'],
    entryPoint: 'main',
    chosen: exists(normed),
    needs: exists(normed),
    force: { software: true, subgroupSize: 4 },
  },
];

const base = {
  family: 'matmul',
  uniform:
    'm u32, n u32, k u32, stride_a u32, stride_b u32, stride_c u32, share u32, eps f32, heads u32, kv u32, every u32, period u32',
  dispatch: 'One quad per tile of 28 rows x 64 columns; the last ones are moved back to the edge.',
};

export const NORMED: readonly KernelEntry[] = [
  {
    ...base,
    name: 'normed gated',
    about: 'SwiGLU of RMS-normalised rows times a packed matrix: gates on the left, what they gate on the right.',
    label: 'normed gated ',
    bindings: 'a b c gain',
    flops: '2*M*N*K + 4*M*K + 3*M*N',
    bytes: '4*(M*K + K*N/(1 + pairs) + M*N/2)',
    exists: exists('gated'),
    variants: variants(
      'gated',
      'The loop of matmul nn sums the squares of the rows that it loads; gates and what they gate meet in one tile. A product, norm and SwiGLU less in memory: 0.65 ms of processor time instead of 0.74 (52 rows of the micro dynamics, SwiftShader).',
    ),
    cases: [
      gatedCase('52 rows of 64, hidden 160', 52, 64, 160),
      gatedCase('tiles that overlap', 33, 20, 48),
      gatedCase('one tile', 28, 36, 32),
      gatedCase('columns in pairs', 52, 64, 160, true),
      gatedCase('columns in pairs, tiles that overlap', 33, 20, 48, true),
    ],
    bench: gatedCase('52 rows of 64, hidden 160, in pairs, timed', 52, 64, 160, true),
  },
  {
    ...base,
    name: 'normed heads',
    about:
      'RMS-normalised rows times a packed matrix; queries and keys are normalised per head of 16 channels and rotated.',
    label: 'normed heads ',
    bindings: 'a b c gain gain_q gain_k table',
    flops: '2*M*N*K + 4*M*K + 8*M*N',
    bytes: '4*(M*K + K*N/(1 + pairs) + M*N)',
    exists: exists('heads'),
    variants: variants(
      'heads',
      'The same, and a block of 16 columns is a head: the sum of its squares meets in three exchanges of the quad. 0.29 ms of processor time instead of 0.44 (52 rows of the micro dynamics, SwiftShader).',
    ),
    cases: [
      headsCase('52 rows of 64, 4 + 2 x 2 heads', 52, 64, [4, 2], { every: 1, period: 52 }),
      headsCase('tiles that overlap, a position every two rows', 33, 20, [3, 1], { every: 2, period: 5 }),
      headsCase('one tile, no rotation', 28, 36, [2, 1], { every: 1, period: 1 }),
      headsCase('columns in pairs', 52, 64, [4, 2], { every: 1, period: 52 }, true),
      headsCase('columns in pairs, tiles that overlap', 33, 20, [4, 1], { every: 2, period: 5 }, true),
    ],
    bench: headsCase('52 rows of 64, 4 + 2 x 2 heads, in pairs, timed', 52, 64, [4, 2], { every: 1, period: 52 }, true),
  },
  {
    ...base,
    name: 'matmul pairs',
    about: 'Rows times a matrix whose columns c and c + N/2 share a word, plus residual.',
    label: 'matmul pairs ',
    bindings: 'a b c residual',
    uniform: 'm u32, n u32, k u32, stride_a u32, stride_b u32, stride_c u32, share u32',
    flops: '2*M*N*K',
    bytes: '4*(M*K + K*N/2 + 2*M*N)',
    exists: inPairs,
    variants: [
      {
        name: 'quads',
        idea: 'As matmul nn with a residual; a load brings two numbers of the matrix, 16-bit integers that two conversions and a product turn into floats, at half the loads of the matrix. 0.56 ms of processor time instead of 0.62 (52 x 320 x 64, SwiftShader), and the loop of the tile is a third shorter.',
        when: 'CPU adapters with subgroups of 4, in programs that nothing differentiates, with weights that stay as they are',
        files: ['ops/matmul_quad.wgsl', 'ops/matmul_vector.wgsl'],
        entryPoint: 'main',
        chosen: inPairs,
        needs: inPairs,
        force: { software: true, subgroupSize: 4 },
      },
    ],
    cases: [
      pairsCase('52 rows of 160', 52, 160, 64),
      pairsCase('tiles that overlap', 33, 20, 96),
      pairsCase('one tile', 28, 36, 64),
    ],
    bench: pairsCase('52 rows of 160, timed', 52, 160, 64),
  },
];
