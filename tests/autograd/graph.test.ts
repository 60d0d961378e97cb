// Differentiation itself: gradients that meet, constants, views, and what cannot be differentiated.

import { expect, test } from 'vitest';
import { Graph, type Tensor } from '../../src/tensor/graph.ts';
import { add, affine, mul, square } from '../../src/tensor/ops/pointwise.ts';
import { sumAll } from '../../src/tensor/ops/reduce.ts';
import { compute, given, pullBack, random } from '../support/compute.ts';
import { testGpu } from '../support/gpu.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

const N = 12;
const x = random([N], 1);
const probe = random([N], 2);

/** d sum(y * probe) / dx of a graph of one tensor. */
async function gradient(build: (t: Tensor, graph: Graph) => Tensor): Promise<Float32Array> {
  const { gpu } = await testGpu();
  const { dx } = await compute(gpu, { x, probe }, (t, graph) => ({
    dx: pullBack(graph, build(t.x, graph), t.probe, [t.x])[0],
  }));
  return dx;
}

const want = (slope: (v: number) => number): number[] => Array.from(x.data, (v, i) => probe.data[i] * slope(v));

test('a tensor that is used twice, or by one node twice, receives both gradients', async () => {
  expectClose(
    await gradient((t) => add(square(t), affine(t, 3))),
    want((v) => 2 * v + 3),
    TOLERANCE.f32.sum,
  );
  expectClose(
    await gradient((t) => mul(t, affine(t, 2))),
    want((v) => 4 * v),
    TOLERANCE.f32.sum,
  );
  expectClose(
    await gradient((t) => add(t, t)),
    want(() => 2),
    TOLERANCE.f32.sum,
  );
  expectClose(
    await gradient((t) => mul(t, t)),
    want((v) => 2 * v),
    TOLERANCE.f32.sum,
  );
});

test('two paths whose gradients are one and the same tensor', async () => {
  // Both summands hand the upstream gradient on unchanged.
  expectClose(
    await gradient((t) => add(add(t, square(t)), t)),
    want((v) => 2 + 2 * v),
    TOLERANCE.f32.sum,
  );
});

test('long chains and wide fans', async () => {
  const dx = await gradient((t) => {
    let sum = affine(t, 1);
    for (let i = 2; i <= 10; i++) sum = add(sum, affine(t, i));
    return sum;
  });
  expectClose(
    dx,
    want(() => 55),
    TOLERANCE.f32.sum,
  );
});

test('a constant passes values on and stops gradients', async () => {
  const dx = await gradient((t, graph) =>
    mul(
      t,
      graph.constant(() => square(t)),
    ),
  );
  expectClose(
    dx,
    want((v) => v * v),
    TOLERANCE.f32.sum,
  );
  // Constants within constants, and after an error inside.
  const graph = new Graph((await testGpu()).gpu.conditions);
  const t = graph.input('t', [4]);
  expect(() =>
    graph.constant(() => {
      throw new Error('inside');
    }),
  ).toThrow('inside');
  graph.constant(() => graph.constant(() => square(t)));
  const outside = square(t);
  expect(outside.storage.producer?.backward).not.toBeNull();
});

test('a view has the gradient of what it shows', async () => {
  const dx = await gradient((t, graph) => {
    const view = graph.reshape(t, [3, 4]);
    return graph.reshape(mul(view, graph.reshape(affine(t, 2), [3, 4])), [N]);
  });
  expectClose(
    dx,
    want((v) => 4 * v),
    TOLERANCE.f32.sum,
  );
});

test('what the loss does not reach has no gradient', async () => {
  const { gpu } = await testGpu();
  const graph = new Graph(gpu.conditions);
  const a = graph.input('a', [8]);
  const b = graph.input('b', [8]);
  const one = graph.input('one', [1]);
  const loss = graph.reshape(graph.input('loss', [1]), [1]);
  expect(graph.gradients(loss, [a, b], one, add)).toEqual([null, null]);
});

test('only one number can be differentiated', async () => {
  const graph = new Graph((await testGpu()).gpu.conditions);
  const a = graph.input('a', [8]);
  expect(() => graph.gradients(square(a), [a], graph.input('one', [1]), add)).toThrow('it is [8]');
});

test('a rule that returns a gradient of another size is caught, with names and shapes', async () => {
  const graph = new Graph((await testGpu()).gpu.conditions);
  const a = graph.input('a', [8]);
  const [loss] = graph.add({
    name: 'odd',
    inputs: [a],
    outputs: [[1]],
    dispatch: () => [],
    backward: ([g]) => [g],
  });
  expect(() => graph.gradients(loss, [a], graph.input('one', [1]), add)).toThrow(
    'odd: gradient 0 has [1], its input has [8]',
  );
});

test('inputs have one name each, tables may be asked for again, empty tensors do not exist', async () => {
  const { gpu } = await testGpu();
  const graph = new Graph(gpu.conditions);
  graph.input('a', [3]);
  expect(() => graph.input('a', [3])).toThrow('input a declared twice');
  const table = graph.table('t', [2], () => Float32Array.of(1, 2));
  expect(graph.table('t', [2], () => Float32Array.of(9, 9))).toBe(table);
  expect(() => graph.input('none', [3, 0, 2])).toThrow('none [3,0,2] has no elements');
  const got = await compute(gpu, { x: given([4], [1, 2, 3, 4]) }, (t, g) => ({
    sum: sumAll(
      add(
        t.x,
        g.table('t', [4], () => Float32Array.of(10, 20, 30, 40)),
      ),
    ),
  }));
  expect(got.sum[0]).toBe(110);
});
