// The arithmetic of shortcut forcing and of change weights, against float64 (dreamer4 4.3, 6.1, 6.2, 6.5).

import { describe, expect, test } from 'vitest';
import { bootstrapTarget, changeWeights, corrupt, euler } from '../../src/methods/dreamer4/ops.ts';
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

  test('corrupted latents', async () => {
    const { gpu } = await testGpu();
    const { y } = await compute(gpu, { x, z, signal }, (t) => ({ y: corrupt(t.x, t.z, t.signal) }));
    expectClose(
      y,
      each((i, tau) => (1 - tau) * z.data[i] + tau * x.data[i]),
      TOLERANCE.f32.rounding,
    );
  });

  test.each([1, 0.5])('an Euler step of %f d', async (fraction) => {
    const { gpu } = await testGpu();
    const { y } = await compute(gpu, { z, x, signal }, (t) => ({ y: euler(t.z, t.x, t.signal, fraction) }));
    const want = each((i, tau, d) => z.data[i] + ((x.data[i] - z.data[i]) / (1 - tau)) * d * fraction);
    expectClose(y, want, TOLERANCE.f32.map);
  });

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

  test('is the x-space form of the mean of two half steps', async () => {
    const want = each((i, tau) => z.data[i] + (1 - tau) * 0.5 * (b1[i] + b2[i]));
    expectClose(await target(), want, TOLERANCE.f32.sum);
  });

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
});

test('changed patches weigh more, the mean of a frame is one', async () => {
  const { gpu } = await testGpu();
  const [batch, time, patches, width, extra] = [2, 3, 4, 5, 4];
  const data = new Float32Array(batch * time * patches * width).fill(0.5);
  const change = (frame: number, patch: number, value: number): void => {
    data[(frame * patches + patch) * width + width - 1] = value;
  };
  // Frame 1 of row 0: patch 2 changes; frame 2: patch 2 changes back and patch 0 changes. Row 1 starts differently: no change.
  change(1, 2, 0.6);
  change(2, 0, 0.1);
  for (let f = 3; f < 6; f++) change(f, 1, 0.9);
  const frames = given([batch * time, patches, width], data);
  const { w } = await compute(gpu, { frames }, (t) => ({ w: changeWeights(t.frames, time, extra) }));
  const flat = [1, 1, 1, 1];
  const one = [1, 1, 5, 1].map((v) => v / 2);
  const two = [5, 1, 5, 1].map((v) => v / 3);
  expectClose(w, [...flat, ...one, ...two, ...flat, ...flat, ...flat], TOLERANCE.f32.rounding);
  expect(w.length).toBe(batch * time * patches);
});
