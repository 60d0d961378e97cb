// Losses: upstream factors, refusals, the normaliser over several steps. Values and derivatives: registry.test.ts.

import { describe, expect, test } from 'vitest';
import { Graph } from '../../src/tensor/graph.ts';
import { normaliseLoss, rowLoss } from '../../src/tensor/ops/loss.ts';
import { add } from '../../src/tensor/ops/pointwise.ts';
import { compile } from '../../src/tensor/program.ts';
import { compute, given, random } from '../support/compute.ts';
import { testGpu } from '../support/gpu.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

describe.each(['squared', 'absolute'] as const)('%s row loss', (kind) => {
  test('an upstream factor scales the derivative', async () => {
    const { gpu } = await testGpu();
    const p = random([4, 5], 1);
    const t = random([4, 5], 2);
    const w = given([4], [1, 1, 1, 1]);
    const gradient = async (factor: number): Promise<Float32Array> => {
      const got = await compute(gpu, { p, t, w, up: given([1], [factor]) }, (x, graph) => {
        const [grad] = graph.gradients(rowLoss(kind, x.p, x.t, x.w)[0], [x.p], x.up, add);
        return { dp: grad as NonNullable<typeof grad> };
      });
      return got.dp;
    };
    expect(await gradient(4)).toEqual((await gradient(1)).map((v) => 4 * v));
  });
});

test('weights that do not divide the prediction are refused', async () => {
  const graph = new Graph((await testGpu()).gpu.conditions);
  const p = graph.input('p', [4, 5]);
  expect(() => rowLoss('squared', p, graph.input('t', [4, 5]), graph.input('w', [3]))).toThrow('3 weights');
  expect(() => rowLoss('squared', p, graph.input('u', [5, 5]), graph.input('v', [4]))).toThrow('[5,5]');
});

test('the normaliser divides by a running root mean square', async () => {
  const { gpu } = await testGpu();
  const state = gpu.device.createBuffer({ size: 256, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const [weight, rho] = [0.2, 0.9];
  const program = compile(gpu, (graph) => {
    const loss = graph.input('loss', [1]);
    const y = normaliseLoss(
      loss,
      graph.external('state', [2], () => state),
      weight,
      rho,
    );
    const [grad] = graph.gradients(y, [loss], graph.input('one', [1]), add);
    graph.output('y', y);
    graph.output('gradient', grad as NonNullable<typeof grad>);
  });
  let mean = 0;
  for (const [i, loss] of [3, 0.5, 0.25, 10, 0.1].entries()) {
    mean = rho * mean + (1 - rho) * loss * loss;
    const factor = weight / Math.sqrt(mean / (1 - rho ** (i + 1)));
    program.run({ loss: new Float32Array([loss]), one: new Float32Array([1]) });
    expectClose(await program.read('y'), [loss * factor], TOLERANCE.f32.sum);
    // The running mean is a constant to differentiation.
    expectClose(await program.read('gradient'), [factor], TOLERANCE.f32.sum);
  }
  program.dispose();
  state.destroy();
});

test('a loss of zero is not divided by zero', async () => {
  const { gpu } = await testGpu();
  const state = gpu.device.createBuffer({ size: 256, usage: GPUBufferUsage.STORAGE });
  const program = compile(gpu, (graph) => {
    graph.output(
      'y',
      normaliseLoss(
        graph.input('loss', [1]),
        graph.external('s', [2], () => state),
        1,
      ),
    );
  });
  program.run({ loss: new Float32Array([0]) });
  expect((await program.read('y'))[0]).toBe(0);
  program.dispose();
});
