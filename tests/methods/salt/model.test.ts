// The networks at toy size: rotations per axis, layer norm, derivatives of every objective against finite differences, what a
// stage may and may not change, and the count of its work.

import { expect, test } from 'vitest';
import type { Gpu } from '../../../src/gpu/device.ts';
import { mix32, uniform01 } from '../../../src/gpu/rng.ts';
import { configure, type SaltConfig } from '../../../src/methods/salt/config.ts';
import { layerNorm, rotatedPerAxis, rotations } from '../../../src/methods/salt/model.ts';
import {
  maskNames,
  matchedSteps,
  type Objective,
  type Stage,
  StageTrainer,
  sizesOf,
  stepFlops,
  stepInputs,
  traceLoss,
} from '../../../src/methods/salt/trainer.ts';
import { Scope } from '../../../src/nn/layers.ts';
import { ParamStore } from '../../../src/nn/params.ts';
import { compile } from '../../../src/tensor/program.ts';
import { backward } from '../../../src/train/optimiser.ts';
import { testGpu } from '../../support/gpu.ts';
import { expectClose } from '../../support/tolerance.ts';

/** 3 x 2 x 2 = 12 tokens. */
const toy: SaltConfig = {
  ...configure('test'),
  frames: 6,
  size: 8,
  patch: 4,
  student: { d: 16, layers: 1, heads: 2 },
  teacher: { d: 24, layers: 1, heads: 2 },
  predictor: { d: 16, layers: 1, heads: 2 },
  batch: 2,
};

async function teacherOf(gpu: Gpu): Promise<ParamStore> {
  const store = new ParamStore();
  new StageTrainer(gpu, toy, stageOf({ kind: 'pixels' }), store, 3).dispose();
  return store;
}

const stageOf = (objective: Objective): Stage => ({
  title: objective.kind,
  objective,
  network: objective.kind === 'pixels' ? toy.teacher : toy.student,
  masks: maskNames(toy, 'mask'),
  steps: 10,
});

test('an even third of a head turns with each axis, and a product depends on distance alone', () => {
  expect([8, 16, 24, 32, 64].map(rotatedPerAxis)).toEqual([2, 4, 8, 10, 20]);
  const grid = { time: 3, height: 4, width: 5 };
  const dim = 16;
  const table = rotations(grid, dim, 2);
  const tokens = 60;
  expect(table.subarray(tokens * dim)).toEqual(table.subarray(0, tokens * dim));
  // The last four channels stay.
  for (let token = 0; token < tokens; token++) {
    expect([...table.subarray(token * dim + 12, token * dim + 16)]).toEqual([1, 0, 1, 0]);
  }
  const at = (t: number, y: number, x: number): Float32Array => {
    const token = (t * 4 + y) * 5 + x;
    const out = new Float32Array(dim);
    for (let i = 0; i < dim; i += 2) {
      const [q0, q1] = [uniform01(mix32(i, 1, 0, 0)), uniform01(mix32(i, 2, 0, 0))];
      const [c, s] = [table[token * dim + i], table[token * dim + i + 1]];
      out[i] = q0 * c - q1 * s;
      out[i + 1] = q0 * s + q1 * c;
    }
    return out;
  };
  const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, v, i) => sum + v * b[i], 0);
  expect(dot(at(0, 1, 2), at(1, 3, 3))).toBeCloseTo(dot(at(1, 0, 1), at(2, 2, 2)), 5);
  expect(dot(at(0, 0, 0), at(0, 0, 1))).not.toBeCloseTo(dot(at(0, 0, 0), at(0, 1, 0)), 3);
});

test('layer norm: mean 0, deviation 1, as in float64', async () => {
  const { gpu } = await testGpu();
  const [rows, d] = [7, 24];
  const x = Float32Array.from({ length: rows * d }, (_, i) => 3 + 2 * uniform01(mix32(i, 0, 0, 5)));
  const program = compile(gpu, (graph) => graph.output('y', layerNorm(graph.input('x', [rows, d]))));
  program.run({ x });
  const want = Array.from({ length: rows }, (_, r) => {
    const row = [...x.subarray(r * d, (r + 1) * d)];
    const mean = row.reduce((a, b) => a + b) / d;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / d;
    return row.map((v) => (v - mean) / Math.sqrt(variance + 1e-6));
  }).flat();
  expectClose(await program.read('y'), want, 1e-4);
  program.dispose();
});

test.each(['pixels', 'frozen', 'average', 'self', 'open'] as const)(
  'derivative of the loss against %s targets is that of finite differences',
  async (kind) => {
    const { gpu } = await testGpu();
    const teacher = await teacherOf(gpu);
    const objective: Objective =
      kind === 'frozen'
        ? { kind, teacher, network: toy.teacher }
        : kind === 'self' || kind === 'open'
          ? { kind: 'self', stopGradient: kind === 'self' }
          : { kind };
    const stage = stageOf(objective);
    const sizes = sizesOf(toy, stage);
    const store = new ParamStore();
    const program = compile(gpu, (graph) => {
      const scope = new Scope(graph, store);
      const loss = traceLoss(scope, toy, stage, sizes);
      graph.output('loss', loss);
      graph.output('norm2', backward(graph, loss, scope.used(), store));
      store.allocate(gpu, 7);
    });
    const inputs = { ...stepInputs(toy, stage, sizes, 4, 1), one: new Float32Array([1]) };
    const lossNow = async (): Promise<number> => {
      program.run(inputs);
      return (await program.read('loss'))[0];
    };
    expect(await lossNow()).toBeGreaterThan(0.1);
    const [grads, values] = [await store.read('grad'), await store.read('value')];
    // Stopped gradients are no part of the difference where the target moves with the weights: there only the predictor is tried.
    const moves = kind === 'self' ? (name: string) => name.startsWith('pred') : () => true;
    for (const [name, g] of grads) {
      if (!moves(name)) continue;
      const length = Math.sqrt(g.reduce((sum, v) => sum + v * v, 0));
      if (length < 1e-3) continue;
      const base = values.get(name) as Float32Array<ArrayBuffer>;
      const step = 5e-4;
      const along = async (sign: number): Promise<number> => {
        store.write(
          'value',
          name,
          base.map((v, i) => v + (sign * step * g[i]) / length),
        );
        return lossNow();
      };
      const slope = ((await along(1)) - (await along(-1))) / (2 * step);
      store.write('value', name, base);
      // The loss is rounded to about 1e-7, which a step of this size makes 1e-4 of slope.
      expect(Math.abs(slope - length), `${name}: ${slope} instead of ${length}`).toBeLessThan(0.02 * length + 3e-4);
    }
    program.dispose();
    store.dispose();
    teacher.dispose();
  },
);

test('stage 2 leaves the teacher bit for bit as it is; the moving average moves by its rule', async () => {
  const { gpu } = await testGpu();
  const teacher = await teacherOf(gpu);
  const before = await teacher.read('value');
  const store = new ParamStore();
  const stage = stageOf({ kind: 'frozen', teacher, network: toy.teacher });
  const trainer = new StageTrainer(gpu, toy, stage, store, 1);
  for (let i = 0; i < 3; i++) await trainer.advance();
  await trainer.metrics();
  expect(await teacher.read('value')).toEqual(before);
  trainer.dispose();
  store.dispose();
  teacher.dispose();

  const own = new ParamStore();
  const average = new StageTrainer(gpu, toy, stageOf({ kind: 'average' }), own, 1);
  const old = await own.read('average');
  expect(old).toEqual(await own.read('value'));
  for (let i = 0; i < 2; i++) {
    const [was, m] = [await own.read('average'), toy.momentum];
    await average.advance();
    const now = await own.read('value');
    for (const [name, a] of await own.read('average')) {
      const [a0, v] = [was.get(name) as Float32Array, now.get(name) as Float32Array];
      expectClose(
        a,
        [...a0].map((x, k) => m * x + (1 - m) * v[k]),
        1e-6,
      );
    }
  }
  average.dispose();
  own.dispose();
});

test('work is counted before anything is compiled, and the baseline gets as much as both stages', async () => {
  const { gpu } = await testGpu();
  const teacher = new ParamStore();
  const stages = {
    teacher: stageOf({ kind: 'pixels' }),
    student: stageOf({ kind: 'frozen', teacher, network: toy.teacher }),
    average: stageOf({ kind: 'average' }),
  };
  const flops = Object.fromEntries(
    Object.entries(stages).map(([name, stage]) => [name, stepFlops(gpu, toy, stage)]),
  ) as Record<keyof typeof stages, number>;
  const store = new ParamStore();
  const trainer = new StageTrainer(gpu, toy, stages.teacher, store, 1);
  expect(trainer.program.stats.flops).toBe(flops.teacher);
  trainer.dispose();
  store.dispose();
  const c = { ...toy, steps: { teacher: 100, student: 500, untrained: 0, control: 0 } };
  const steps = matchedSteps(gpu, c, stages);
  const both = 100 * flops.teacher + 500 * flops.student;
  expect(Math.abs(steps * flops.average - both)).toBeLessThanOrEqual(flops.average / 2);
});

test('the matrix products of a step are what the formulas say', async () => {
  const { gpu } = await testGpu();
  const c = configure('test');
  const stage: Stage = { ...stageOf({ kind: 'pixels' }), network: c.teacher, masks: maskNames(c, 'mask') };
  // Forward 2 FLOPs per multiply-add, backward twice as much; patches have no gradient.
  const layer = (rows: number, d: number, hidden: number): number => 2 * rows * (4 * d * d + 3 * d * hidden);
  const scores = (rows: number, d: number): number => 4 * rows * rows * d;
  const [d, p, width] = [c.teacher.d, c.predictor.d, 216];
  let wanted = 0;
  for (const { context, target } of sizesOf(c, stage)) {
    const all = context + target;
    wanted += 2 * 2 * context * width * d + c.teacher.layers * (3 * layer(context, d, 128) + 4.5 * scores(context, d));
    wanted += 3 * 2 * context * d * p + c.predictor.layers * (3 * layer(all, p, 84) + 4.5 * scores(all, p));
    wanted += 3 * 2 * target * p * width;
  }
  const got = stepFlops(gpu, c, stage);
  // Norms, rotations, the optimiser and the loss are the rest.
  expect(got).toBeGreaterThan(wanted * c.batch);
  expect(got).toBeLessThan(wanted * c.batch * 1.2);
});
