// Token assembly and embedding rows: pure copies, so equality is exact.

import { expect, test } from 'vitest';
import { Graph } from '../../src/tensor/graph.ts';
import { embedding } from '../../src/tensor/ops/embedding.ts';
import { joinSlots, takeSlots } from '../../src/tensor/ops/slots.ts';
import { compute, pullBack, random, words } from '../support/compute.ts';
import { testGpu } from '../support/gpu.ts';
import { expectClose, TOLERANCE } from '../support/tolerance.ts';

const row = (x: Float32Array, at: number, d: number): number[] => Array.from(x.subarray(at * d, (at + 1) * d));

test.each([
  [1, 4],
  [3, 8],
  [5, 12],
])('parts of %i frames of width %i side by side, and out again', async (frames, d) => {
  const { gpu } = await testGpu();
  const a = random([frames, 2, d], 1);
  const table = random([3, d], 2);
  const b = random([frames, 1, d], 3);
  const got = await compute(gpu, { a, table, b }, (t) => {
    const whole = joinSlots([t.a, t.table, t.b], frames, d);
    return { whole, first: takeSlots(whole, 0, 2), shared: takeSlots(whole, 2, 3), last: takeSlots(whole, 5, 1) };
  });
  const want: number[] = [];
  const shared: number[] = [];
  for (let f = 0; f < frames; f++) {
    want.push(...row(a.data, 2 * f, d), ...row(a.data, 2 * f + 1, d), ...table.data, ...row(b.data, f, d));
    shared.push(...table.data);
  }
  expect(Array.from(got.whole)).toEqual(want);
  expect(Array.from(got.first)).toEqual(Array.from(a.data));
  expect(Array.from(got.shared)).toEqual(shared);
  expect(Array.from(got.last)).toEqual(Array.from(b.data));
});

test('the derivative of a join goes to the parts, that of a shared table is its sum over frames', async () => {
  const { gpu } = await testGpu();
  const [frames, d] = [4, 8];
  const a = random([frames, 2, d], 1);
  const table = random([3, d], 2);
  const probe = random([frames, 5, d], 3);
  const got = await compute(gpu, { a, table, probe }, (t, graph) => {
    const [da, dt] = pullBack(graph, joinSlots([t.a, t.table], frames, d), t.probe, [t.a, t.table]);
    return { da, dt };
  });
  const da: number[] = [];
  const dt = new Float64Array(3 * d);
  for (let f = 0; f < frames; f++) {
    da.push(...row(probe.data, 5 * f, d), ...row(probe.data, 5 * f + 1, d));
    for (let i = 0; i < 3 * d; i++) dt[i] += probe.data[(5 * f + 2) * d + i];
  }
  expect(Array.from(got.da)).toEqual(da);
  expectClose(got.dt, dt, TOLERANCE.f32.sum);
});

test('the derivative of a take is zero outside of its slots', async () => {
  const { gpu } = await testGpu();
  const x = random([3, 5, 4], 1);
  const probe = random([3, 2, 4], 2);
  const { dx } = await compute(gpu, { x, probe }, (t, graph) => ({
    dx: pullBack(graph, takeSlots(t.x, 1, 2), t.probe, [t.x])[0],
  }));
  const want: number[] = [];
  for (let f = 0; f < 3; f++) {
    want.push(0, 0, 0, 0, ...row(probe.data, 2 * f, 4), ...row(probe.data, 2 * f + 1, 4), 0, 0, 0, 0, 0, 0, 0, 0);
  }
  expect(Array.from(dx)).toEqual(want);
});

test('embedding rows; ids beyond the table take its last row', async () => {
  const { gpu } = await testGpu();
  const ids = [3, 1, 4, 1, 5, 99, 0];
  const table = random([6, 8], 1);
  const probe = random([7, 8], 2);
  const got = await compute(gpu, { ids: words([7], ids), table, probe }, (t, graph) => {
    const y = embedding(t.ids, t.table);
    return { y, dt: pullBack(graph, y, t.probe, [t.table])[0] };
  });
  expect(Array.from(got.y)).toEqual(ids.flatMap((id) => row(table.data, Math.min(id, 5), 8)));
  const dt = new Float64Array(48);
  ids.forEach((id, i) => {
    if (id < 6) for (let c = 0; c < 8; c++) dt[id * 8 + c] += probe.data[i * 8 + c];
  });
  expectClose(got.dt, dt, TOLERANCE.f32.sum);
});

test('slots outside of a tensor and parts of another width are refused', async () => {
  const graph = new Graph((await testGpu()).gpu.conditions);
  const x = graph.input('x', [3, 5, 8]);
  expect(() => takeSlots(x, 4, 2)).toThrow('4..6 is outside [3,5,8]');
  expect(() => joinSlots([x, graph.input('y', [3, 1, 6])], 3, 8)).toThrow('part 1 is [3,1,6]');
  expect(() => graph.reshape(x, [3, 5, 7])).toThrow('[3,5,8] has 120 elements, [3,5,7] does not');
});
