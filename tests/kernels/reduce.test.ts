// Sums at their edges: NaN, the mean, refusals. Values in both texts: registry.test.ts.

import { expect, test } from 'vitest';
import { Graph } from '../../src/tensor/graph.ts';
import { meanOf, sumAll, sumRows } from '../../src/tensor/ops/reduce.ts';
import { compute, random } from '../support/compute.ts';
import { testGpu } from '../support/gpu.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

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
