// AdamW with clipping, decoupled decay and averaged weights, against float64 over several steps; the learning rate schedule.

import { describe, expect, test } from 'vitest';
import { Scope } from '../../src/nn/layers.ts';
import { ParamStore } from '../../src/nn/params.ts';
import type { Tensor } from '../../src/tensor/graph.ts';
import { rowLoss } from '../../src/tensor/ops/loss.ts';
import { add } from '../../src/tensor/ops/pointwise.ts';
import { compile } from '../../src/tensor/program.ts';
import { type AdamW, adamw, backward, hyper } from '../../src/train/optimiser.ts';
import { adamwReference } from '../../src/train/registry.ts';
import { learningRate } from '../../src/train/schedule.ts';
import { random } from '../support/compute.ts';
import { testGpu } from '../support/gpu.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

const OPTIMISER: AdamW = { beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.1, clip: 1, ema: 0.9 };

/** Parameters of ragged sizes; vectors do not decay. */
const SHAPES: Record<string, number[]> = { matrix: [9, 7], vector: [5], wide: [3, 100], last: [1, 1] };

describe.each([
  ['clipped', 40],
  ['not clipped', 0.02],
])('AdamW, gradients %s', (_, size) => {
  test('six steps equal the float64 optimiser', async () => {
    const { gpu } = await testGpu();
    const store = new ParamStore();
    const targets: Record<string, Float32Array<ArrayBuffer>> = {};
    const program = compile(gpu, (graph) => {
      const scope = new Scope(graph, store);
      let loss: Tensor | null = null;
      for (const [name, shape] of Object.entries(SHAPES)) {
        const p = scope.get(name, shape, { kind: 'normal', std: 1 });
        const target = graph.input(`target ${name}`, shape);
        const weight = graph.input(`weight ${name}`, [1]);
        // size / 2 * sum (p - target)^2: the gradient is size * (p - target).
        const [l] = rowLoss('squared', p, target, weight);
        loss = loss ? add(loss, l) : l;
      }
      const norm2 = backward(graph, loss as Tensor, scope.used(), store);
      graph.output('norm2', norm2);
      adamw(graph, store, norm2);
      store.allocate(gpu, 5);
    });
    const value = new Map([...(await store.read('value'))].map(([n, v]) => [n, Float64Array.from(v)]));
    const average = new Map([...value].map(([n, v]) => [n, v.slice()]));
    const zero = (): Map<string, Float64Array> => new Map([...value].map(([n, v]) => [n, new Float64Array(v.length)]));
    const first = zero();
    const second = zero();
    expect([...(await store.read('average'))]).toEqual([...(await store.read('value'))]);
    for (let t = 1; t <= 6; t++) {
      const lr = 0.01 * t;
      const inputs: Record<string, Float32Array<ArrayBuffer>> = {
        one: new Float32Array([1]),
        hyper: hyper(OPTIMISER, t, lr),
      };
      Object.entries(SHAPES).forEach(([name, shape], i) => {
        targets[name] = random(shape, 10 * t + i).data;
        inputs[`target ${name}`] = targets[name];
        inputs[`weight ${name}`] = new Float32Array([(size * targets[name].length) / 2]);
      });
      program.run(inputs);
      let norm2 = 0;
      const grads = new Map<string, number[]>();
      for (const [name, v] of value) {
        const g = Array.from(v, (x, i) => size * (x - targets[name][i]));
        for (const x of g) norm2 += x * x;
        grads.set(name, g);
      }
      expectClose(await program.read('norm2'), [norm2], TOLERANCE.f32.sum);
      expect(Math.sqrt(norm2) > OPTIMISER.clip).toBe(size > 1);
      for (const [name, v] of value) {
        const [m, s, a] = [first, second, average].map((x) => x.get(name) as Float64Array);
        const decay = SHAPES[name].length > 1 ? 1 : 0;
        const before = { value: v, first: m, second: s, average: a };
        const after = adamwReference(OPTIMISER, t, lr, before, grads.get(name) as number[], norm2, () => decay);
        for (const slab of ['value', 'first', 'second', 'average'] as const) before[slab].set(after[slab]);
      }
      for (const [slab, want] of [
        ['value', value],
        ['first', first],
        ['second', second],
        ['average', average],
      ] as const) {
        for (const [name, got] of await store.read(slab)) {
          // Small gradients meet large ones in one norm; six steps add up their roundings.
          expectClose(got, want.get(name) as Float64Array, 10 * TOLERANCE.f32.sum);
        }
      }
    }
    program.dispose();
    store.dispose();
  });
});

test('a parameter that the loss does not reach keeps its value but for decay', async () => {
  const { gpu } = await testGpu();
  const store = new ParamStore();
  const program = compile(gpu, (graph) => {
    const scope = new Scope(graph, store);
    const used = scope.get('used', [1, 4], { kind: 'ones' });
    scope.get('idle vector', [4], { kind: 'ones' });
    scope.get('idle matrix', [2, 2], { kind: 'ones' });
    const [loss] = rowLoss('squared', used, graph.input('target', [4]), graph.input('weight', [1]));
    adamw(graph, store, backward(graph, loss, scope.used(), store));
    store.allocate(gpu, 1);
  });
  program.run({
    one: new Float32Array([1]),
    target: new Float32Array(4),
    weight: new Float32Array([1]),
    hyper: hyper(OPTIMISER, 1, 0.1),
  });
  const value = await store.read('value');
  expectClose(value.get('idle vector') as Float32Array, [1, 1, 1, 1], 0);
  expectClose(value.get('idle matrix') as Float32Array, [0.99, 0.99, 0.99, 0.99], TOLERANCE.f32.rounding);
  expectClose(value.get('used') as Float32Array, [0.89, 0.89, 0.89, 0.89], TOLERANCE.f32.map);
  program.dispose();
  store.dispose();
});

describe('learning rate', () => {
  const rate = (t: number): number => learningRate(t, 200, 1, 0.05, 0.1);
  test('rises in the first twentieth, falls in the last tenth, never to zero', () => {
    expect([1, 5, 10, 11, 100, 181].map(rate)).toEqual([0.1, 0.5, 1, 1, 1, 1]);
    expect(rate(191)).toBeCloseTo(0.5, 10);
    expect(rate(200)).toBeCloseTo(0.05, 10);
    for (let t = 1; t <= 200; t++) expect(rate(t)).toBeGreaterThan(0);
  });
  test('a run of one step has a rate', () => {
    expect(learningRate(1, 1, 1e-3, 0.05, 0.1)).toBe(1e-3);
  });
});
