/** Sums over rows and over everything, in a fixed order. */
import { type RowChoice, sumAll, sumRows } from '../ops/reduce.ts';
import { sumOf, sumRowsReference } from '../reference/pointwise.ts';
import {
  casesOf,
  eachSerialOrTree,
  type KernelCase,
  type KernelEntry,
  random,
  serialOrTree,
  type Trial,
} from './entry.ts';
import { slower } from './kept.ts';
import { TOLERANCE } from './tolerance.ts';

const ROW_VARIANTS = serialOrTree(
  {
    file: 'ops/sum_rows.wgsl',
    entryPoint: 'serial',
    idea: 'One invocation per four columns walks over all rows: neighbours read neighbouring words, no barrier.',
  },
  {
    file: 'ops/sum_rows.wgsl',
    entryPoint: 'tree',
    idea: `Workgroups of 32 neighbouring columns by 8 rows over slices of the rows, then a tree: side by side in memory, and enough of them when columns are few. ${slower(4.7, 22, '2560 rows of 256')}.`,
  },
);

const EVERY: RowChoice = { group: 1, lo: 0, count: 1 };

function rowsCase(rows: number, width: number, choice = EVERY, name = `${rows} x ${width}`): KernelCase {
  return {
    name,
    dims: { rows: (rows / choice.group) * choice.count, width },
    make: (): Trial => {
      const x = random([rows, width], 1);
      return {
        inputs: { x },
        build: (t) => ({ y: sumRows(t.x, width, 0.5, choice) }),
        want: () => ({
          y: {
            values: sumRowsReference(x.data, width, 0.5, choice),
            share: TOLERANCE.f32.sum,
            // A sum of both signs is as exact as the sum of its magnitudes.
            scale: Math.max(1, rows / 8),
          },
        }),
      };
    },
  };
}

const sumCase =
  (squares: boolean) =>
  ({ n }: { n: number }): Trial => {
    const x = random([n], 1);
    return {
      inputs: { x },
      build: (t) => ({ y: sumAll(t.x, squares ? 1 : 2, squares) }),
      want: () => ({
        y: {
          values: [squares ? sumOf(x.data, (v) => v * v) : 2 * sumOf(x.data)],
          share: TOLERANCE.f32.sum,
          scale: 2 * sumOf(x.data, Math.abs),
        },
      }),
    };
  };

const LENGTHS = [1, 3, 255, 257, 70_001].map((n) => ({ n }));

const sum = (entryPoint: 'sum' | 'sum_squares', about: string): KernelEntry => ({
  name: entryPoint === 'sum' ? 'sum' : 'sum of squares',
  family: 'reduce',
  about,
  label: entryPoint,
  bindings: 'x y',
  uniform: 'n u32, parts u32, per u32, scale f32',
  dispatch:
    'CPU adapters: one invocation per part, at most 256 parts; GPUs: one workgroup of 256 per part, at most 1024. Then one for the parts.',
  flops: '2*n',
  bytes: '4*n',
  variants: eachSerialOrTree(
    'ops/sum_all.wgsl',
    entryPoint,
    `${entryPoint}_tree`,
    'part of the sum',
    slower(12, 22, 'a million numbers'),
  ),
  cases: casesOf(LENGTHS, sumCase(entryPoint === 'sum_squares')),
  bench: casesOf([{ n: 1 << 20 }], sumCase(entryPoint === 'sum_squares'))[0],
});

export const REDUCE: readonly KernelEntry[] = [
  {
    name: 'sum of rows',
    family: 'reduce',
    about: 'Sum of chosen rows: gradients of biases, gains and shared tables.',
    label: 'sum rows',
    bindings: 'x y',
    uniform: 'rows u32, d4 u32, group u32, lo u32, count u32, scale f32',
    dispatch:
      'CPU adapters: one invocation per four columns; GPUs: one workgroup of 256 per 128 columns and slice of the rows, a tree; slices are summed once more.',
    flops: 'rows*width',
    bytes: '4*(rows + 1)*width',
    variants: ROW_VARIANTS,
    cases: [
      rowsCase(1, 4),
      rowsCase(7, 12),
      rowsCase(129, 8),
      rowsCase(1000, 36),
      rowsCase(70, 132),
      rowsCase(35, 8, { group: 7, lo: 2, count: 3 }, 'three of every seven rows'),
    ],
    bench: rowsCase(2560, 256),
  },
  sum('sum', 'Sum of all elements in two passes.'),
  sum('sum_squares', 'Sum of all squares in two passes: the global gradient norm.'),
];
