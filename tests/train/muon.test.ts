// Muon against float64 over several steps, and what its iteration does to singular values.

import { expect, test } from 'vitest';
import { Scope } from '../../src/nn/layers.ts';
import { ParamStore } from '../../src/nn/params.ts';
import type { Tensor } from '../../src/tensor/graph.ts';
import { rowLoss } from '../../src/tensor/ops/loss.ts';
import { add } from '../../src/tensor/ops/pointwise.ts';
import { compile } from '../../src/tensor/program.ts';
import { claim, muon, orthogonalise } from '../../src/train/muon.ts';
import { type AdamW, adamw, backward, hyper } from '../../src/train/optimiser.ts';
import { compute, random } from '../support/compute.ts';
import { testGpu } from '../support/gpu.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

type Matrix = number[][];
const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, v, k) => sum + v * b[k][j], 0)));
const turned = (a: Matrix): Matrix => a[0].map((_, j) => a.map((row) => row[j]));
const combine = (a: Matrix, b: Matrix, x: number, y: number): Matrix =>
  a.map((row, i) => row.map((v, j) => x * v + y * b[i][j]));
const matrixOf = (v: ArrayLike<number>, [rows, columns]: readonly number[]): Matrix =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => v[i * columns + j]));

/** The definition: X <- a X + (b G + c G G) X with G = X X^T, five times, X of unit norm and at least as wide as high. */
function reference(u: Matrix): Matrix {
  const flip = u.length > u[0].length;
  const norm = Math.sqrt(u.flat().reduce((sum, v) => sum + v * v, 0));
  let x = (flip ? turned(u) : u).map((row) => row.map((v) => v / norm));
  for (let i = 0; i < 5; i++) {
    const gram = product(x, turned(x));
    x = combine(x, product(combine(gram, product(gram, gram), -4.775, 2.0315), x), 3.4445, 1);
  }
  return flip ? turned(x) : x;
}

test.each([
  [12, 20],
  [20, 12],
  [16, 16],
])('a %i x %i matrix comes out as the definition says, with singular values near one', async (rows, columns) => {
  const { gpu } = await testGpu();
  const x = random([rows, columns], 4);
  const norm = Math.hypot(...x.data);
  const unit = { shape: [1, ...x.shape], data: x.data.map((v) => v / norm) };
  const { y } = await compute(gpu, { x: unit }, (t) => ({ y: orthogonalise(t.x) }));
  const want = reference(matrixOf(unit.data, x.shape));
  expectClose(y, want.flat(), TOLERANCE.f32.network);
  // The trace of the Gram matrix is the sum of squared singular values.
  const short = Math.min(rows, columns);
  const energy = y.reduce((sum, v) => sum + v * v, 0) / short;
  expect(energy).toBeGreaterThan(0.5);
  expect(energy).toBeLessThan(1.4);
});

test('claimed matrices follow Muon, the rest follows AdamW as without it', async () => {
  const { gpu } = await testGpu();
  const optimiser: AdamW = { beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.1, clip: 1e9, ema: 0.9 };
  const shapes: Record<string, number[]> = {
    hidden: [8, 12],
    tall: [12, 4],
    second: [8, 12],
    embedding: [5, 8],
    gain: [8],
  };
  const train = async (claimed: string[]): Promise<Map<string, Float32Array>[]> => {
    const store = new ParamStore();
    const program = compile(gpu, (graph) => {
      const scope = new Scope(graph, store);
      let loss: Tensor | null = null;
      for (const [name, shape] of Object.entries(shapes)) {
        const p = scope.get(name, shape, { kind: 'normal', std: 1 });
        const [l] = rowLoss('squared', p, graph.input(`target ${name}`, shape), graph.input(`weight ${name}`, [1]));
        loss = loss ? add(loss, l) : l;
      }
      const norm2 = backward(graph, loss as Tensor, scope.used(), store);
      claim(store, claimed);
      adamw(graph, store, norm2);
      if (claimed.length > 0) muon(graph, store);
      store.allocate(gpu, 5);
    });
    const history = [await store.read('value')];
    for (let t = 1; t <= 3; t++) {
      const inputs: Record<string, Float32Array<ArrayBuffer>> = {
        one: new Float32Array([1]),
        hyper: hyper(optimiser, t, 0.01),
      };
      Object.entries(shapes).forEach(([name, shape], i) => {
        const target = random(shape, 10 * t + i).data;
        inputs[`target ${name}`] = target;
        // The gradient is p - target.
        inputs[`weight ${name}`] = new Float32Array([target.length / 2]);
      });
      program.run(inputs);
      history.push(await store.read('value'));
    }
    const averages = await store.read('average');
    program.dispose();
    store.dispose();
    return [...history, averages];
  };
  const plain = await train([]);
  const mixed = await train(['hidden', 'tall', 'second']);
  for (const name of ['embedding', 'gain']) expect(mixed[3].get(name)).toEqual(plain[3].get(name));
  Object.entries(shapes).forEach(([name, shape], i) => {
    if (!['hidden', 'tall', 'second'].includes(name)) return;
    let value = matrixOf(mixed[0].get(name) as Float32Array, shape);
    let average = value;
    let m: Matrix = value.map((row) => row.map(() => 0));
    for (let t = 1; t <= 3; t++) {
      const g = combine(value, matrixOf(random(shape, 10 * t + i).data, shape), 1, -1);
      m = combine(g, m, 1, 0.95);
      const x = reference(combine(g, m, 1, 0.95));
      const scale = 0.2 * Math.sqrt(Math.max(...shape));
      value = combine(value, combine(x, value, scale, 0.1), 1, -0.01);
      expectClose(mixed[t].get(name) as Float32Array, value.flat(), TOLERANCE.f32.network);
      const keep = Math.min(0.9, (t - 1) / (t + 9));
      average = combine(average, value, keep, 1 - keep);
    }
    expectClose(mixed[4].get(name) as Float32Array, average.flat(), TOLERANCE.f32.network);
  });
});

test('only matrices of the model can be claimed', () => {
  const store = new ParamStore();
  store.declare('v', [4], { kind: 'zeros' });
  expect(() => claim(store, ['v'])).toThrow('no matrix');
  expect(() => claim(store, ['w'])).toThrow('no matrix');
});
