// The clock of the benchmarks: known work takes known multiples of time, and the statistics are what they say.

import { expect, test } from 'vitest';
import {
  CACHE_BYTES,
  copiesFor,
  type Entrant,
  launchCost,
  quantile,
  race,
  staysCached,
  summarise,
} from '../../src/gpu/timing.ts';
import { testGpu } from '../support/gpu.ts';

/** Work of `steps` dependent multiply-adds in one workgroup of 64, bound to a buffer of its own. */
async function spinner(name: string, steps: number): Promise<Entrant & { runs: number[]; issue(turn: number): void }> {
  const { device } = await testGpu();
  const code = `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
      var x = y[i];
      for (var s = 0u; s < ${steps}u; s++) { x = x * 0.999 + 1.0; }
      y[i] = x;
    }`;
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
  });
  const buffer = device.createBuffer({ size: 256, usage: GPUBufferUsage.STORAGE });
  const bind = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer } }],
  });
  const runs: number[] = [];
  const record = (pass: GPUComputePassEncoder, turn: number): void => {
    runs.push(turn);
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bind);
    pass.dispatchWorkgroups(1);
  };
  const issue = (turn: number): void => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    record(pass, turn);
    pass.end();
    device.queue.submit([encoder.finish()]);
  };
  return { name, record, issue, runs };
}

// Times that are compared are measured one after the other: other work on the machine between them can part the two.
const UNDISTURBED = { retry: 4 };

test('eight times the work takes about eight times as long, by either clock', UNDISTURBED, async () => {
  const { device } = await testGpu();
  const small = await spinner('small', 20_000);
  const large = await spinner('large', 160_000);
  for (const clock of ['timestamp', 'completion'] as const) {
    if (clock === 'timestamp' && !device.features.has('timestamp-query')) continue;
    const [a, b] = await race(device, [small, large], { clock, rounds: 5, batchMs: 15 });
    expect(a.clock).toBe(clock);
    expect(b.median / a.median, clock).toBeGreaterThan(4);
    expect(b.median / a.median, clock).toBeLessThan(16);
    expect(a.q1).toBeLessThanOrEqual(a.median);
    expect(a.q3).toBeGreaterThanOrEqual(a.median);
    expect(a.min).toBeLessThanOrEqual(a.q1);
  }
  // Turns count up without gaps, so that rotated inputs really rotate.
  small.runs.forEach((turn, i) => {
    if (i > 0 && turn !== 0) expect(turn).toBe(small.runs[i - 1] + 1);
  });
});

test('entrants take turns, and one that cannot record itself is timed by completion with all others', async () => {
  const { device } = await testGpu();
  const order: string[] = [];
  const a = await spinner('a', 1000);
  const { issue } = await spinner('b', 1000);
  const options = {
    rounds: 4,
    batchMs: 1,
    onBatch: (name: string, round: number) => void order.push(`${round}${name}`),
  };
  const timings = await race(device, [a, { name: 'b', issue }], options);
  expect(timings.map((t) => t.clock)).toEqual(['completion', 'completion']);
  expect(timings.map((t) => t.samples)).toEqual([4, 4]);
  expect(order).toEqual(['-1a', '-1b', '0a', '0b', '1b', '1a', '2a', '2b', '3b', '3a']);
  await expect(race(device, [{ name: 'b', issue }], { clock: 'timestamp' })).rejects.toThrow('record');
});

test('an empty kernel is marked as launch-bound, long work is not', UNDISTURBED, async () => {
  const { device } = await testGpu();
  const cost = await launchCost(device);
  expect(cost.dispatchMs).toBeGreaterThan(0);
  expect(cost.submitMs).toBeGreaterThan(0);
  const [empty, long] = await race(device, [await spinner('empty', 1), await spinner('long', 400_000)], { rounds: 3 });
  expect(empty.launchBound).toBe(true);
  expect(long.launchBound).toBe(false);
});

test('medians, quartiles and copies', () => {
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
  expect(quantile([7], 0.75)).toBe(7);
  const t = summarise([5, 1, 3, 2, 4], 10, 'completion', 1.6);
  expect([t.min, t.q1, t.median, t.q3, t.samples, t.repeats]).toEqual([1, 2, 3, 4, 5, 10]);
  expect(t.launchBound).toBe(true);
  expect(summarise([3], 1, 'timestamp', 1.4).launchBound).toBe(false);
  expect(copiesFor(1 << 30)).toBe(1);
  expect(copiesFor(32 << 20)).toBe(2);
  // 256 x 256 matrices leave the cache, what is smaller may not.
  expect(copiesFor(512 << 10) * (512 << 10)).toBe(CACHE_BYTES);
  expect(copiesFor(1000)).toBe(128);
  expect(copiesFor(1000, 1 << 20, 16)).toBe(16);
  expect([16_000, 20 << 20, 40 << 20].map(staysCached)).toEqual([true, true, false]);
});
