// RMSNorm, and per-head norm with rotary embedding, against float64.

import { describe, expect, test } from 'vitest';
import { Graph } from '../../src/tensor/graph.ts';
import { type Heads, qkRope, type RowPosition, ropeTable } from '../../src/tensor/ops/attention.ts';
import { NORM_EPS, rmsNorm } from '../../src/tensor/ops/norm.ts';
import { compute, given, random } from '../support/compute.ts';
import { testGpu } from '../support/gpu.ts';
import { normRow, rotate } from '../support/reference.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

describe('rmsnorm', () => {
  test.each([
    [1, 4],
    [3, 20],
    [130, 12],
    [5, 512],
  ])('%i rows of %i', async (rows, d) => {
    const { gpu } = await testGpu();
    const x = random([rows, d], 1);
    const g = random([d], 2);
    const want = Array.from({ length: rows }, (_, r) => normRow(x.data.subarray(r * d, (r + 1) * d), g.data)).flat();
    const { y } = await compute(gpu, { x, g }, (t) => ({ y: rmsNorm(t.x, t.g) }));
    expectClose(y, want, TOLERANCE.f32.sum);
  });

  test('a row of zeros stays zero, a huge row becomes one', async () => {
    const { gpu } = await testGpu();
    const x = given([2, 4], [0, 0, 0, 0, 1e15, 1e15, 1e15, 1e15]);
    const { y } = await compute(gpu, { x, g: given([4], [1, 2, 3, 4]) }, (t) => ({ y: rmsNorm(t.x, t.g) }));
    expectClose(y, [0, 0, 0, 0, 1, 2, 3, 4], TOLERANCE.f32.map);
  });

  test('a gain of another width is refused', async () => {
    const graph = new Graph((await testGpu()).gpu.conditions);
    expect(() => rmsNorm(graph.input('x', [3, 8]), graph.input('g', [12]))).toThrow('gain [12] does not fit [3,8]');
    expect(() => rmsNorm(graph.input('y', [2, 6]), graph.input('h', [6]))).toThrow('gain [6] does not fit [2,6]');
  });
});

describe('qk norm and rotation', () => {
  const cases: [string, Heads, number, RowPosition][] = [
    ['grouped heads, one position a row', { heads: 4, kvHeads: 2, dim: 8 }, 7, { every: 1, period: 7 }],
    ['a position every three rows', { heads: 3, kvHeads: 1, dim: 16 }, 12, { every: 3, period: 4 }],
    ['positions that start again', { heads: 2, kvHeads: 2, dim: 32 }, 10, { every: 1, period: 5 }],
    ['one row', { heads: 1, kvHeads: 1, dim: 4 }, 1, { every: 1, period: 1 }],
  ];
  test.each(cases)('%s', async (_, heads, rows, at) => {
    const { gpu } = await testGpu();
    const { dim } = heads;
    const slots = heads.heads + 2 * heads.kvHeads;
    const qkv = random([rows, slots * dim], 1);
    const gq = random([dim], 2);
    const gk = random([dim], 3);
    const want: number[] = [];
    for (let r = 0; r < rows; r++) {
      for (let h = 0; h < slots; h++) {
        const row = qkv.data.subarray((r * slots + h) * dim, (r * slots + h + 1) * dim);
        if (h >= heads.heads + heads.kvHeads) want.push(...row);
        else {
          const position = Math.floor(r / at.every) % at.period;
          want.push(...rotate(normRow(row, h < heads.heads ? gq.data : gk.data), position));
        }
      }
    }
    const table = given([at.period, dim], ropeTable(at.period, dim));
    const { y } = await compute(gpu, { qkv, gq, gk, table }, (t) => ({
      y: qkRope(t.qkv, t.gq, t.gk, t.table, heads, at),
    }));
    expectClose(y, want, TOLERANCE.f32.sum);
  });

  test('wrong packings and short tables are refused', async () => {
    const graph = new Graph((await testGpu()).gpu.conditions);
    const heads = { heads: 2, kvHeads: 1, dim: 8 };
    const gain = graph.input('gain', [8]);
    const table = graph.input('table', [3, 8]);
    expect(() => qkRope(graph.input('x', [3, 33]), gain, gain, table, heads, { every: 1, period: 3 })).toThrow(
      'not packed as 4 heads of 8',
    );
    expect(() => qkRope(graph.input('y', [3, 32]), gain, gain, table, heads, { every: 1, period: 4 })).toThrow(
      'fewer than 4 positions',
    );
  });

  test('rotation keeps the length and depends on the difference of positions only', () => {
    const a = [0.3, -1.2, 0.7, 2, 0.1, 0.4, -0.9, 1.1];
    const b = [1.3, 0.2, -0.7, 1, 0.5, -0.4, 0.8, -1.1];
    const dot = (x: number[], y: number[]): number => x.reduce((s, v, i) => s + v * y[i], 0);
    expect(dot(rotate(a, 9), rotate(a, 9))).toBeCloseTo(dot(a, a), 10);
    expect(dot(rotate(a, 12), rotate(b, 7))).toBeCloseTo(dot(rotate(a, 5), b), 10);
    expect(NORM_EPS).toBe(1e-6);
  });
});
