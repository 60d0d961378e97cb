// What shortcut forcing promises (dreamer4 6.1, 6.2, 6.5): where Euler steps end, and x-space against v-space. Values: registry.test.ts.

import { describe, expect, test } from 'vitest';
import { bootstrapTarget, euler } from '../../src/methods/dreamer4/ops.ts';
import type { Tensor } from '../../src/tensor/graph.ts';
import { compute, given, random } from '../support/compute.ts';
import { testGpu } from '../support/gpu.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

const K_MAX = 32;

/** Every (tau, d) of the grid with d > 1/kMax: what bootstrap rows draw from. */
function grid(): [tau: number, d: number][] {
  const out: [number, number][] = [];
  for (let e = 0; e < Math.log2(K_MAX); e++) for (let j = 0; j < 2 ** e; j++) out.push([j * 2 ** -e, 2 ** -e]);
  return out;
}

const levels = grid();
const rows = levels.length;
const c = 6;
const signal = given([rows, 2], levels.flat());
const each = (f: (i: number, tau: number, d: number) => number): number[] =>
  Array.from({ length: rows * c }, (_, i) => f(i, ...levels[Math.floor(i / c)]));

describe('noise and steps', () => {
  const z = random([rows, c], 1);
  const x = random([rows, c], 2);

  test('the last Euler step returns the prediction', async () => {
    const { gpu } = await testGpu();
    for (let k = 1; k <= K_MAX; k *= 2) {
      const last = given(
        [rows, 2],
        levels.flatMap(() => [(k - 1) / k, 1 / k]),
      );
      const { y } = await compute(gpu, { z, x, last }, (t) => ({ y: euler(t.z, t.x, t.last) }));
      expectClose(y, x.data, TOLERANCE.f32.rounding);
    }
  });

  test('K steps towards a fixed prediction end there', async () => {
    const { gpu } = await testGpu();
    const k = 8;
    const inputs = Object.fromEntries(
      Array.from({ length: k }, (_, i) => [
        `s${i}`,
        given(
          [rows, 2],
          levels.flatMap(() => [i / k, 1 / k]),
        ),
      ]),
    );
    const { y } = await compute(gpu, { z, x, ...inputs }, (t: Record<string, Tensor>) => {
      let at = t.z;
      for (let i = 0; i < k; i++) at = euler(at, t.x, t[`s${i}`]);
      return { y: at };
    });
    expectClose(y, x.data, TOLERANCE.f32.rounding);
  });
});

describe('bootstrap target', () => {
  const z = random([rows, c], 1);
  const x1 = random([rows, c], 2);
  const x2 = random([rows, c], 3);
  const b1 = each((i, tau) => (x1.data[i] - z.data[i]) / (1 - tau));
  const zHalf = each((i, _, d) => z.data[i] + (b1[i] * d) / 2);
  const b2 = each((i, tau, d) => (x2.data[i] - zHalf[i]) / (1 - tau - d / 2));

  async function target(): Promise<Float32Array> {
    const { gpu } = await testGpu();
    const { goal } = await compute(gpu, { z, x1, x2, signal }, (t) => {
      const half = euler(t.z, t.x1, t.signal, 0.5);
      return { goal: bootstrapTarget(t.z, half, t.x1, t.x2, t.signal) };
    });
    return goal;
  }

  test('gives the loss of the v-space form', async () => {
    const goal = await target();
    const student = random([rows, c], 4).data;
    const xForm = each((i) => (student[i] - goal[i]) ** 2);
    const vForm = each((i, tau) => {
      const v = (student[i] - z.data[i]) / (1 - tau);
      return (1 - tau) ** 2 * (v - (b1[i] + b2[i]) / 2) ** 2;
    });
    expectClose(xForm, vForm, TOLERANCE.f32.sum);
  });

  test('of the exact flow of a fixed point is that point', async () => {
    // If the teacher always predicts x1, both half steps lie on one line to x1.
    const { gpu } = await testGpu();
    const same = { ...x1 };
    const { goal } = await compute(gpu, { z, x1, same, signal }, (t) => ({
      goal: bootstrapTarget(t.z, euler(t.z, t.x1, t.signal, 0.5), t.x1, t.same, t.signal),
    }));
    expectClose(goal, x1.data, TOLERANCE.f32.sum);
  });

  /**
   * For data N(mean, deviation^2) the latents at signal level tau are normal too, and the flow between two levels is the affine map
   * that keeps their quantiles.
   */
  test('of two exact half steps of a Gaussian is the exact whole step', async () => {
    const { gpu } = await testGpu();
    const mean = (i: number): number => (i % c) - 2;
    const deviation = (i: number): number => 0.3 + 0.4 * (i % c);
    const spread = (i: number, tau: number): number => Math.hypot(1 - tau, tau * deviation(i));
    const flow = (i: number, at: number, tau: number, to: number): number =>
      to * mean(i) + (spread(i, to) / spread(i, tau)) * (at - tau * mean(i));
    /** What a step from `tau` of size `d` must predict to end where the flow does. */
    const prediction = (i: number, at: number, tau: number, d: number): number =>
      at + ((1 - tau) / d) * (flow(i, at, tau, tau + d) - at);
    const start = each((i, tau) => tau * mean(i) + spread(i, tau) * z.data[i]);
    const middle = each((i, tau, d) => flow(i, start[i], tau, tau + d / 2));
    const first = each((i, tau, d) => prediction(i, start[i], tau, d / 2));
    const second = each((i, tau, d) => prediction(i, middle[i], tau + d / 2, d / 2));
    const tensor = (values: number[]) => given([rows, c], values);
    const inputs = { start: tensor(start), first: tensor(first), second: tensor(second), signal };
    const { half, goal } = await compute(gpu, inputs, (t) => {
      const half = euler(t.start, t.first, t.signal, 0.5);
      return { half, goal: bootstrapTarget(t.start, half, t.first, t.second, t.signal) };
    });
    expectClose(half, middle, TOLERANCE.f32.sum);
    const whole = each((i, tau, d) => prediction(i, start[i], tau, d));
    expectClose(goal, whole, TOLERANCE.f32.sum);
    // The flow bends, so it is not what the first half alone would say.
    expect(Math.max(...each((i) => Math.abs(whole[i] - first[i])))).toBeGreaterThan(0.1);
  });
});
