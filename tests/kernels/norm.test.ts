// RMSNorm and rotary embedding at their edges: zero and huge rows, refusals, and what a rotation is. Values: registry.test.ts.

import { describe, expect, test } from 'vitest';
import { Graph } from '../../src/tensor/graph.ts';
import { qkRope } from '../../src/tensor/ops/attention.ts';
import { NORM_EPS, rmsNorm } from '../../src/tensor/ops/norm.ts';
import { rotate } from '../../src/tensor/reference/attention.ts';
import { compute, given } from '../support/compute.ts';
import { testGpu } from '../support/gpu.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

describe('rmsnorm', () => {
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
