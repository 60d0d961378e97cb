/** Products of normed rows with what follows them in a transformer layer: on quads, in a dispatch each instead of three. */
import type { Conditions } from '../../gpu/device.ts';
import { type NormedFinish, normedFits } from '../kernels/matmul.ts';
import { type Heads, type RowPosition, ropeTable } from '../ops/attention.ts';
import { normedGate, normedHeads } from '../ops/normed-product.ts';
import { normRow, qkRopeReference } from '../reference/attention.ts';
import { matmulReference } from '../reference/matmul.ts';
import { swigluReference } from '../reference/pointwise.ts';
import { floats, type KernelCase, type KernelEntry, random, type Trial, type Variant } from './entry.ts';
import { TOLERANCE } from './tolerance.ts';

interface Rows {
  rows: number;
  d: number;
}

/** Rows, gain and matrix, and the product of the normed rows as it must be. */
function product({ rows, d }: Rows, width: number) {
  const inputs = { x: random([rows, d], 1, 3), gain: random([d], 2), w: random([d, width], 3, d ** -0.5) };
  const want = (): Float64Array => {
    const { x, gain, w } = inputs;
    const a = Array.from({ length: rows }, (_, r) => normRow(x.data.subarray(r * d, (r + 1) * d), gain.data)).flat();
    return matmulReference({ form: 'nn', M: rows, N: width, K: d }, { a, b: w.data });
  };
  return { inputs, want };
}

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

const gatedCase = (name: string, rows: number, d: number, hidden: number): KernelCase => ({
  name,
  dims: { M: rows, N: 2 * hidden, K: d },
  make: () => gated({ rows, d, hidden }),
});

const headsCase = (
  name: string,
  rows: number,
  d: number,
  [heads, kvHeads]: [number, number],
  at: RowPosition,
): KernelCase => ({
  name,
  dims: { M: rows, N: 16 * (heads + 2 * kvHeads), K: d },
  make: () => turned({ rows, d, heads: { heads, kvHeads, dim: 16 }, at }),
});

/** Products of any size that these kernels have: the condition is the adapter's. */
const exists =
  (normed: NormedFinish) =>
  (c: Conditions): boolean =>
    normedFits(c, [52, 128, 64], normed);

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
    bytes: '4*(M*K + K*N + M*N/2)',
    exists: exists('gated'),
    variants: variants(
      'gated',
      'The loop of matmul nn sums the squares of the rows that it loads; gates and what they gate meet in one tile. A product, norm and SwiGLU less in memory: 0.65 ms of processor time instead of 0.74 (52 rows of the micro dynamics, SwiftShader).',
    ),
    cases: [
      gatedCase('52 rows of 64, hidden 160', 52, 64, 160),
      gatedCase('tiles that overlap', 33, 20, 48),
      gatedCase('one tile', 28, 36, 32),
    ],
    bench: gatedCase('52 rows of 64, hidden 160, timed', 52, 64, 160),
  },
  {
    ...base,
    name: 'normed heads',
    about:
      'RMS-normalised rows times a packed matrix; queries and keys are normalised per head of 16 channels and rotated.',
    label: 'normed heads ',
    bindings: 'a b c gain gain_q gain_k table',
    flops: '2*M*N*K + 4*M*K + 8*M*N',
    bytes: '4*(M*K + K*N + M*N)',
    exists: exists('heads'),
    variants: variants(
      'heads',
      'The same, and a block of 16 columns is a head: the sum of its squares meets in three exchanges of the quad. 0.29 ms of processor time instead of 0.44 (52 rows of the micro dynamics, SwiftShader).',
    ),
    cases: [
      headsCase('52 rows of 64, 4 + 2 x 2 heads', 52, 64, [4, 2], { every: 1, period: 52 }),
      headsCase('tiles that overlap, a position every two rows', 33, 20, [3, 1], { every: 2, period: 5 }),
      headsCase('one tile, no rotation', 28, 36, [2, 1], { every: 1, period: 1 }),
    ],
    bench: headsCase('52 rows of 64, 4 + 2 x 2 heads, timed', 52, 64, [4, 2], { every: 1, period: 52 }),
  },
];
