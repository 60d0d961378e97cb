// Losses and the loss normaliser against float64, values and derivatives.

import { describe, expect, test } from 'vitest';
import { Graph } from '../../src/tensor/graph.ts';
import { normaliseLoss, rowLoss, softmaxCrossEntropy } from '../../src/tensor/ops/loss.ts';
import { add } from '../../src/tensor/ops/pointwise.ts';
import { compile } from '../../src/tensor/program.ts';
import { compute, given, random, words } from '../support/compute.ts';
import { testGpu } from '../support/gpu.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

const one = given([1], [1]);

describe.each(['squared', 'absolute'] as const)('%s row loss', (kind) => {
  test.each([
    [1, 1],
    [6, 10],
    [300, 7],
  ])('%i rows of %i', async (rows, c) => {
    const { gpu } = await testGpu();
    const p = random([rows, c], 1);
    const t = random([rows, c], 2);
    const w = given(
      [rows],
      Array.from({ length: rows }, (_, r) => (r * 7) % 4),
    );
    const losses = new Float64Array(rows);
    const dp = new Float64Array(rows * c);
    for (let i = 0; i < rows * c; i++) {
      const r = Math.floor(i / c);
      const d = p.data[i] - t.data[i];
      losses[r] += ((w.data[r] as number) * (kind === 'squared' ? d * d : Math.abs(d))) / c;
      dp[i] = ((w.data[r] as number) * (kind === 'squared' ? 2 * d : Math.sign(d))) / c / rows;
    }
    const got = await compute(gpu, { p, t, w, one }, (x, graph) => {
      const [loss, each] = rowLoss(kind, x.p, x.t, x.w);
      const [grad] = graph.gradients(loss, [x.p], x.one, add);
      return { loss, each, dp: grad as NonNullable<typeof grad> };
    });
    expectClose(got.each, losses, TOLERANCE.f32.sum);
    expectClose(got.loss, [losses.reduce((a, b) => a + b, 0) / rows], TOLERANCE.f32.sum);
    expectClose(got.dp, dp, TOLERANCE.f32.sum);
  });

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

describe('softmax cross-entropy', () => {
  test.each([
    [1, 2, 1],
    [8, 6, 1],
    [130, 64, 30],
  ])('%i rows of %i classes, logits of size %i', async (rows, vocab, size) => {
    const { gpu } = await testGpu();
    const raw = random([rows, vocab], 1);
    const x = { shape: raw.shape, data: raw.data.map((v) => v * size) };
    // The last row has no class: it counts in the mean and receives nothing.
    const ids = Array.from({ length: rows }, (_, r) => (r > 0 && r === rows - 1 ? vocab + 5 : (r * 5) % vocab));
    let loss = 0;
    const dx = new Float64Array(rows * vocab);
    ids.forEach((id, r) => {
      if (id >= vocab) return;
      const row = Array.from(x.data.subarray(r * vocab, (r + 1) * vocab));
      const top = Math.max(...row);
      const total = row.reduce((s, v) => s + Math.exp(v - top), 0);
      loss += (top + Math.log(total) - row[id]) / rows;
      row.forEach((v, i) => {
        dx[r * vocab + i] = (Math.exp(v - top) / total - (i === id ? 1 : 0)) / rows;
      });
    });
    const got = await compute(gpu, { x, ids: words([rows], ids), one }, (t, graph) => {
      const y = softmaxCrossEntropy(t.x, t.ids);
      const [grad] = graph.gradients(y, [t.x], t.one, add);
      return { y, dx: grad as NonNullable<typeof grad> };
    });
    expectClose(got.y, [loss], TOLERANCE.f32.sum);
    // exp(logit - lse) with an lse near 100 keeps five digits.
    expectClose(got.dx, dx, 3e-5);
  });
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
