// Elementwise kernels at their edges: extreme arguments, NaN, aliases, refusals, huge tensors. Values: registry.test.ts.

import { expect, test } from 'vitest';
import { Graph } from '../../src/tensor/graph.ts';
import { add, affine, mul, sigmoid, silu, square, swiglu, tanh } from '../../src/tensor/ops/pointwise.ts';
import { compute, given, random } from '../support/compute.ts';
import { testGpu } from '../support/gpu.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

test('extreme arguments stay finite where the function is', async () => {
  const { gpu } = await testGpu();
  const x = given([4], [-1000, -88, 88, 1000]);
  const out = await compute(gpu, { x }, ({ x: t }) => ({ tanh: tanh(t), sigmoid: sigmoid(t), silu: silu(t) }));
  expectClose(out.tanh, [-1, -1, 1, 1], TOLERANCE.f32.map);
  expectClose(out.sigmoid, [0, 0, 1, 1], TOLERANCE.f32.map);
  expectClose(out.silu, [0, 0, 88, 1000], TOLERANCE.f32.map);
});

test('NaN passes through maps and stays in its element', async () => {
  const { gpu } = await testGpu();
  const x = given([5], [1, Number.NaN, 2, 3, 4]);
  const out = await compute(gpu, { x }, ({ x: t }) => ({ affine: affine(t, 2), square: square(t), sum: add(t, t) }));
  for (const y of Object.values(out)) expect(Array.from(y, Number.isNaN)).toEqual([false, true, false, false, false]);
});

test('a tensor plus and times itself', async () => {
  const { gpu } = await testGpu();
  const a = random([5, 3], 1);
  const out = await compute(gpu, { a }, (t) => ({ add: add(t.a, t.a, 2, 0.5), mul: mul(t.a, t.a) }));
  expectClose(
    out.add,
    Array.from(a.data, (v) => 2.5 * v),
    TOLERANCE.f32.rounding,
  );
  expectClose(
    out.mul,
    Array.from(a.data, (v) => v * v),
    TOLERANCE.f32.rounding,
  );
});

test('a row that does not repeat is refused with both shapes', async () => {
  const { gpu } = await testGpu();
  const graph = new Graph(gpu.conditions);
  const a = graph.input('a', [6, 6]);
  expect(() => add(a, graph.input('b', [6]))).toThrow('[6] does not repeat over [6,6]');
  expect(() => mul(a, graph.input('c', [8]))).toThrow('[8] does not repeat over [6,6]');
  expect(() => swiglu(a)).toThrow('[6,6]');
});

test('a tensor with more elements than one row of workgroups covers', async () => {
  const { gpu } = await testGpu();
  // 65535 workgroups of 64 threads of four elements, and some more.
  const n = 65535 * 64 * 4 + 1001;
  const data = new Float32Array(n);
  for (let i = 0; i < n; i += 997) data[i] = i % 1013;
  const { y } = await compute(gpu, { x: { shape: [n], data } }, ({ x }) => ({ y: affine(x, 1, 1) }));
  let wrong = 0;
  for (let i = 0; i < n; i++) if (y[i] !== data[i] + 1) wrong++;
  expect(wrong).toBe(0);
});
