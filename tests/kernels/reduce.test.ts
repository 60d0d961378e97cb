// Sums with a fixed order, and the mean whose derivative is given, against float64; the text for GPUs as well.

import { describe, expect, test } from 'vitest';
import { Graph } from '../../src/tensor/graph.ts';
import { meanOf, sumAll, sumRows } from '../../src/tensor/ops/reduce.ts';
import { compute, gpuAs, random } from '../support/compute.ts';
import { testGpu } from '../support/gpu.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

describe.each([
  ['serial', {}],
  ['tree', { software: false }],
])('sum of rows, %s', (_, conditions) => {
  test.each([
    [1, 4],
    [7, 12],
    [129, 8],
    [1000, 36],
  ])('%i rows of %i', async (rows, width) => {
    const x = random([rows, width], 1);
    const want = new Float64Array(width);
    for (let i = 0; i < x.data.length; i++) want[i % width] += 0.5 * x.data[i];
    const { y } = await compute(await gpuAs(conditions), { x }, (t) => ({ y: sumRows(t.x, width, 0.5) }));
    expectClose(y, want, TOLERANCE.f32.sum);
  });

  test('some rows of every group', async () => {
    const x = random([5 * 7, 8], 1);
    const want = new Float64Array(8);
    for (let r = 0; r < 35; r++) {
      if (r % 7 < 2 || r % 7 > 4) continue;
      for (let c = 0; c < 8; c++) want[c] += x.data[r * 8 + c];
    }
    const choice = { group: 7, lo: 2, count: 3 };
    const { y } = await compute(await gpuAs(conditions), { x }, (t) => ({ y: sumRows(t.x, 8, 1, choice) }));
    expectClose(y, want, TOLERANCE.f32.sum);
  });
});

test.each([1, 3, 255, 257, 70_001])('sum and sum of squares of %i elements', async (n) => {
  const { gpu } = await testGpu();
  const x = random([n], 1);
  const got = await compute(gpu, { x }, (t) => ({ sum: sumAll(t.x, 2), squares: sumAll(t.x, 1, true) }));
  const sum = x.data.reduce((a, v) => a + 2 * v, 0);
  const absolute = x.data.reduce((a, v) => a + 2 * Math.abs(v), 0);
  // A sum of both signs is as exact as the sum of its magnitudes.
  expect(Math.abs(got.sum[0] - sum)).toBeLessThan(TOLERANCE.f32.sum * absolute);
  expectClose(got.squares, [x.data.reduce((a, v) => a + v * v, 0)], TOLERANCE.f32.sum);
});

test('a NaN anywhere is a NaN in the sum', async () => {
  const { gpu } = await testGpu();
  const x = random([1000], 1);
  x.data[777] = Number.NaN;
  const got = await compute(gpu, { x }, (t) => ({ sum: sumAll(t.x), squares: sumAll(t.x, 1, true) }));
  expect(got.sum[0]).toBeNaN();
  expect(got.squares[0]).toBeNaN();
});

test('mean', async () => {
  const { gpu } = await testGpu();
  const x = random([300], 1);
  const { y } = await compute(gpu, { x }, (t) => ({ y: meanOf(t.x, [t.x], () => []) }));
  expectClose(y, [x.data.reduce((a, v) => a + v, 0) / 300], TOLERANCE.f32.sum);
});

test('widths that are no multiple of 4 are refused', async () => {
  const graph = new Graph((await testGpu()).gpu.conditions);
  expect(() => sumRows(graph.input('x', [3, 6]), 6)).toThrow('[3,6] has no rows of 6');
  expect(() => sumRows(graph.input('y', [3, 4]), 8)).toThrow('[3,4] has no rows of 8');
});
