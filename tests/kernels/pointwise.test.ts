// Elementwise kernels, SwiGLU and row blending against float64, at ragged sizes and at size 1.

import { expect, test } from 'vitest';
import { blendRows } from '../../src/methods/dreamer4/ops.ts';
import { Graph, type Tensor } from '../../src/tensor/graph.ts';
import { add, affine, clamp, mul, sigmoid, silu, square, swiglu, tanh } from '../../src/tensor/ops/pointwise.ts';
import { compute, given, random } from '../support/compute.ts';
import { testGpu } from '../support/gpu.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

const sigma = (x: number): number => 1 / (1 + Math.exp(-x));
const SIZES = [[1], [3], [4], [5, 3], [257]];

const MAPS: Record<string, [(x: Tensor) => Tensor, (x: number) => number]> = {
  affine: [(x) => affine(x, 1.7, 0.3), (x) => 1.7 * x + 0.3],
  tanh: [tanh, Math.tanh],
  sigmoid: [sigmoid, sigma],
  silu: [silu, (x) => x * sigma(x)],
  square: [square, (x) => x * x],
  clamp: [(x) => clamp(x, -0.5, 0.75), (x) => Math.min(0.75, Math.max(-0.5, x))],
};

test('maps of one tensor', async () => {
  const { gpu } = await testGpu();
  for (const shape of SIZES) {
    const x = random(shape, 1);
    // Steep and saturated arguments as well.
    const wide = { shape, data: x.data.map((v) => v * 8) };
    const out = await compute(gpu, { x: wide }, (t) =>
      Object.fromEntries(Object.entries(MAPS).map(([name, [op]]) => [name, op(t.x)])),
    );
    for (const [name, [, reference]] of Object.entries(MAPS)) {
      expectClose(out[name], Array.from(wide.data, reference), TOLERANCE.f32.map);
    }
  }
});

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

test('sums and products of two tensors', async () => {
  const { gpu } = await testGpu();
  for (const shape of SIZES) {
    const a = random(shape, 1);
    const b = random(shape, 2);
    const out = await compute(gpu, { a, b }, (t) => ({ add: add(t.a, t.b, 0.5, -2), mul: mul(t.a, t.b) }));
    expectClose(
      out.add,
      Array.from(a.data, (v, i) => 0.5 * v - 2 * b.data[i]),
      TOLERANCE.f32.rounding,
    );
    expectClose(
      out.mul,
      Array.from(a.data, (v, i) => v * b.data[i]),
      TOLERANCE.f32.rounding,
    );
  }
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

test('a row repeats over a tensor', async () => {
  const { gpu } = await testGpu();
  for (const [rows, d] of [
    [1, 4],
    [7, 4],
    [6, 12],
    [3, 20],
  ]) {
    const a = random([rows, d], 1);
    const b = random([d], 2);
    const out = await compute(gpu, { a, b }, (t) => ({ add: add(t.a, t.b), mul: mul(t.a, t.b) }));
    expectClose(
      out.add,
      Array.from(a.data, (v, i) => v + b.data[i % d]),
      TOLERANCE.f32.rounding,
    );
    expectClose(
      out.mul,
      Array.from(a.data, (v, i) => v * b.data[i % d]),
      TOLERANCE.f32.rounding,
    );
  }
});

test('a row that does not repeat is refused with both shapes', async () => {
  const { gpu } = await testGpu();
  const graph = new Graph(gpu.conditions);
  const a = graph.input('a', [6, 6]);
  expect(() => add(a, graph.input('b', [6]))).toThrow('[6] does not repeat over [6,6]');
  expect(() => mul(a, graph.input('c', [8]))).toThrow('[8] does not repeat over [6,6]');
  expect(() => swiglu(a)).toThrow('[6,6]');
});

test('SwiGLU and its derivative', async () => {
  const { gpu } = await testGpu();
  for (const [rows, h] of [
    [1, 4],
    [3, 12],
    [65, 20],
  ]) {
    const gu = random([rows, 2 * h], 1);
    const want: number[] = [];
    for (let r = 0; r < rows; r++) {
      for (let i = 0; i < h; i++) {
        const g = gu.data[r * 2 * h + i];
        want.push(g * sigma(g) * gu.data[r * 2 * h + h + i]);
      }
    }
    const out = await compute(gpu, { gu }, (t) => ({ h: swiglu(t.gu) }));
    expectClose(out.h, want, TOLERANCE.f32.map);
  }
});

test('rows blend with a vector', async () => {
  const { gpu } = await testGpu();
  for (const [rows, d] of [
    [1, 4],
    [5, 8],
    [33, 12],
  ]) {
    const x = random([rows, d], 1);
    const v = random([d], 2);
    const keep = given(
      [rows],
      Array.from({ length: rows }, (_, r) => (r % 3 === 1 ? 0 : 1)),
    );
    const out = await compute(gpu, { x, v, keep }, (t) => ({ y: blendRows(t.x, t.keep, t.v) }));
    expect(Array.from(out.y)).toEqual(
      Array.from(x.data, (value, i) => (Math.floor(i / d) % 3 === 1 ? v.data[i % d] : value)),
    );
  }
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
