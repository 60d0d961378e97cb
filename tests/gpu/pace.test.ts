import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { restBetweenPolls, resting } from '../../src/gpu/pace.ts';
import { testGpu } from '../support/gpu.ts';

/** What a callback of Dawn looks like from here: native and without a name. */
const native = (run: () => void): (() => void) => Object.defineProperty(run.bind(null), 'name', { value: '' });

describe('polls of Dawn on a CPU adapter', () => {
  const setup = () => {
    const log: string[] = [];
    const queue: (() => void)[] = [];
    let ms = 0;
    const ask = resting(
      (run, ...args) => queue.push(() => (run as (...a: unknown[]) => void)(...args)),
      (nap) => {
        log.push(`rest ${nap}`);
        ms += nap;
      },
      () => ms,
    );
    const turn = (): void => queue.shift()?.();
    return { log, queue, ask, turn };
  };

  it('come at once, then rest before they ask again', () => {
    const { log, queue, ask, turn } = setup();
    let left = 3;
    const poll = native(() => {
      log.push('poll');
      if (--left > 0) ask(poll);
    });
    ask(poll);
    expect(log).toEqual([]);
    for (let i = 0; i < 3; i++) turn();
    expect(log).toEqual(['poll', 'rest 0.5', 'poll', 'rest 0.5', 'poll']);
    expect(queue).toEqual([]);
    // A new wait begins without a rest.
    left = 1;
    ask(poll);
    turn();
    expect(log.slice(5)).toEqual(['poll']);
  });

  it('rest a tenth of the time waited so far, up to 4 ms', () => {
    const { log, ask, turn } = setup();
    let left = 60;
    const poll = native(() => {
      if (--left > 0) ask(poll);
    });
    ask(poll);
    for (let i = 0; i < 60; i++) turn();
    const rests = log.map((line) => Number(line.split(' ')[1]));
    expect(rests[0]).toBe(0.5);
    expect(rests.at(-1)).toBe(4);
    const before = rests.map((_, i) => rests.slice(0, i).reduce((a, b) => a + b, 0));
    for (const [i, nap] of rests.entries()) expect(nap).toBeCloseTo(Math.min(Math.max(before[i] / 10, 0.5), 4));
  });

  it('leave everyone else alone, arguments and all', () => {
    const { log, ask, turn } = setup();
    const plain = (...args: unknown[]): void => {
      log.push(args.join(' '));
    };
    (ask as (run: (...args: never[]) => void, ...args: unknown[]) => unknown)(plain, 'a', 1);
    const nested = native(() => ask(plain as () => void, 'inside'));
    ask(nested);
    for (let i = 0; i < 3; i++) turn();
    expect(log).toEqual(['a 1', 'inside']);
  });

  it('go through a setImmediate that is for everyone else what it was, however often it is installed', async () => {
    restBetweenPolls();
    const installed = setImmediate;
    restBetweenPolls();
    expect(setImmediate).toBe(installed);
    expect(await promisify(setImmediate)('value')).toBe('value');
    const seen = await new Promise((resolve) => setImmediate((a, b) => resolve([a, b]), 1, 2));
    expect(seen).toEqual([1, 2]);
    // A promise's own callback looks like one of Dawn's.
    expect(await new Promise((resolve) => setImmediate(resolve, 'value'))).toBe('value');
    const dropped = setImmediate(() => expect.unreachable());
    clearImmediate(dropped);
    await promisify(setImmediate)();
  });

  it('leave no rest behind a poll that threw', () => {
    const { log, ask, turn } = setup();
    ask(
      native(() => {
        throw new Error('lost');
      }),
    );
    expect(turn).toThrow('lost');
    ask(native(() => log.push('poll')));
    turn();
    expect(log).toEqual(['poll']);
  });

  it('are recognised: while a CPU adapter works, the event loop turns less than once in a tenth of a millisecond', async () => {
    const { device, gpu } = await testGpu();
    if (!gpu.report.software) return;
    const code = `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
      @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {
        var v = f32(id.x);
        for (var i = 0u; i < 20000u; i++) { v = v * 0.5 + 1.0; }
        x[id.x] = v;
      }`;
    const module = device.createShaderModule({ code });
    const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } });
    const buffer = device.createBuffer({ size: 4 * 4096, usage: GPUBufferUsage.STORAGE });
    const entries = [{ binding: 0, resource: { buffer } }];
    const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    const work = (): Promise<undefined> => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(4096);
      pass.end();
      device.queue.submit([encoder.finish()]);
      return device.queue.onSubmittedWorkDone();
    };
    await work();
    let polls = 0;
    const before = globalThis.setImmediate;
    globalThis.setImmediate = ((run: () => void, ...args: unknown[]) => {
      polls += 1;
      return (before as unknown as (...a: unknown[]) => unknown)(run, ...args);
    }) as unknown as typeof setImmediate;
    const start = performance.now();
    await work();
    const ms = performance.now() - start;
    globalThis.setImmediate = before;
    buffer.destroy();
    expect(ms).toBeGreaterThan(5);
    expect(polls).toBeLessThan(10 * ms);
    expect(polls).toBeGreaterThan(0);
  });
});
