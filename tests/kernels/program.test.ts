// Compiled programs: what they say about wrong inputs, lost devices and GPU errors; timing, reuse, and no growth.

import { describe, expect, test } from 'vitest';
import { type Gpu, openGpu } from '../../src/gpu/device.ts';
import { PipelineCache } from '../../src/gpu/pipelines.ts';
import type { Graph } from '../../src/tensor/graph.ts';
import { affine, mul, square } from '../../src/tensor/ops/pointwise.ts';
import { sumAll } from '../../src/tensor/ops/reduce.ts';
import { compile, type Program, SharedArena } from '../../src/tensor/program.ts';
import { testGpu } from '../support/gpu.ts';

function small(gpu: Gpu): Program {
  return compile(gpu, (graph) => {
    const x = graph.input('x', [6]);
    graph.output('y', affine(square(x), 2, 1));
  });
}

/** A device of its own, for tests that break it. */
async function another(): Promise<Gpu> {
  await testGpu();
  const opened = await openGpu();
  if (!opened.ok) throw new Error(opened.reason);
  return opened.gpu;
}

describe('inputs and outputs', () => {
  test('a wrong size names the input and both sizes', async () => {
    const program = small((await testGpu()).gpu);
    expect(() => program.run({ x: new Float32Array(5) })).toThrow('input x takes 24 bytes, 20 were given');
    expect(() => program.write('x', new Float32Array(7))).toThrow('input x takes 24 bytes, 28 were given');
    program.dispose();
  });

  test('an unknown name lists the known ones', async () => {
    const program = small((await testGpu()).gpu);
    expect(() => program.run({ z: new Float32Array(6) })).toThrow('no input or output named z; there are x, y');
    await expect(program.read('w')).rejects.toThrow('named w');
    program.dispose();
  });

  test('what is not given again stays', async () => {
    const program = small((await testGpu()).gpu);
    program.run({ x: Float32Array.of(0, 1, 2, 3, 4, 5) });
    const first = await program.read('y');
    expect([...first]).toEqual([1, 3, 9, 19, 33, 51]);
    program.run();
    expect(await program.read('y')).toEqual(first);
    program.dispose();
  });

  test('programs that share an arena take turns: constants come back, memory is that of the largest', async () => {
    const { gpu } = await testGpu();
    const times = (n: number, factor: number) => (graph: Graph) => {
      const data = () => new Float32Array(n).fill(factor);
      graph.output('y', mul(graph.input('x', [n]), graph.table('factor', [n], data)));
    };
    const shared = new SharedArena(gpu);
    shared.reserve([times(6, 2), times(600, 3)]);
    const { bytes } = shared;
    const [two, three] = [times(6, 2), times(600, 3)].map((build) => compile(gpu, build, [], shared));
    for (let round = 0; round < 3; round++) {
      two.run({ x: new Float32Array(6).fill(5) });
      expect([...(await two.read('y'))]).toEqual(new Array(6).fill(10));
      three.run({ x: new Float32Array(600).fill(7) });
      expect(new Set(await three.read('y'))).toEqual(new Set([21]));
    }
    expect(shared.bytes).toBe(bytes);
    for (const program of [two, three]) program.dispose();
    shared.dispose();
  });

  test('an arena for a tensor that the adapter cannot bind is refused before anything is allocated', async () => {
    const { gpu } = await testGpu();
    const n = gpu.device.limits.maxStorageBufferBindingSize / 4 + 64;
    const shared = new SharedArena(gpu);
    expect(() => shared.reserve([(graph) => graph.output('y', square(graph.input('x', [n])))])).toThrow(
      'binds at most',
    );
    expect(shared.bytes).toBe(0);
  });

  test('reads at the same time do not disturb each other', async () => {
    const program = small((await testGpu()).gpu);
    program.run({ x: Float32Array.of(1, 1, 1, 1, 1, 1) });
    const [a, b, x] = await Promise.all([program.read('y'), program.read('y'), program.read('x')]);
    expect([...a]).toEqual([3, 3, 3, 3, 3, 3]);
    expect(b).toEqual(a);
    expect([...x]).toEqual([1, 1, 1, 1, 1, 1]);
    program.dispose();
  });

  test('a tensor bound twice in one dispatch is refused when the program is made', async () => {
    const { gpu } = await testGpu();
    expect(() =>
      compile(gpu, (graph) => {
        const x = graph.input('x', [4]);
        const [y] = graph.add({
          name: 'twice',
          inputs: [x],
          outputs: [[4]],
          dispatch: ([out]) => [
            {
              label: 'twice',
              code: '',
              entryPoint: 'main',
              bindings: [x, x, out],
              uniforms: new Uint32Array(4),
              workgroups: [1, 1, 1],
              flops: 0,
              bytes: 0,
            },
          ],
        });
        graph.output('y', y);
      }),
    ).toThrow('twice: the same tensor is bound twice in one dispatch');
  });

  test('a tensor that no adapter can bind is refused with its size', async () => {
    const { gpu } = await testGpu();
    expect(() => compile(gpu, (graph) => graph.output('y', square(graph.input('x', [2 ** 31]))))).toThrow(
      /takes 8192 MiB, this adapter binds at most \d+ MiB/,
    );
  });
});

describe('captures', () => {
  /** y = 2 x^2; offers x^2, and the sum of x^3, which nothing else needs. */
  const build =
    (offer: boolean) =>
    (graph: Graph): void => {
      const x = graph.input('x', [6]);
      const squared = square(x);
      graph.output('y', affine(squared, 2));
      if (!offer) return;
      graph.capture('squared', graph.reshape(squared, [2, 3]));
      graph.capture('sum', sumAll(mul(squared, x)));
    };
  const x = Float32Array.of(0, 1, 2, 3, 4, 5);

  test('what nobody asks for costs nothing and cannot be read', async () => {
    const { gpu } = await testGpu();
    const bare = compile(gpu, build(false));
    const program = compile(gpu, build(true));
    expect(program.stats).toEqual(bare.stats);
    expect(program.stats.dispatches).toBe(2);
    program.run({ x });
    await expect(program.read('squared')).rejects.toThrow('no input or output named squared; there are x, y');
    bare.dispose();
    program.dispose();
  });

  test('what is asked for has the values of the run, and the result does not change', async () => {
    const { gpu } = await testGpu();
    const program = compile(gpu, build(true), ['sum', 'squared']);
    expect(program.stats.dispatches).toBeGreaterThan(2);
    for (const sign of [1, -1]) {
      program.run({ x: x.map((v) => v * sign) });
      expect([...(await program.read('squared'))]).toEqual([0, 1, 4, 9, 16, 25]);
      expect([...(await program.read('sum'))]).toEqual([225 * sign]);
      expect([...(await program.read('y'))]).toEqual([0, 2, 8, 18, 32, 50]);
    }
    program.dispose();
    // One of them alone brings nothing of the other.
    const one = compile(gpu, build(true), ['squared']);
    expect(one.stats.dispatches).toBe(2);
    one.dispose();
  });

  test('an unknown name lists those that are offered', async () => {
    const { gpu } = await testGpu();
    expect(() => compile(gpu, build(true), ['cubed'])).toThrow('no capture named cubed; there are squared, sum');
  });
});

test('stages are timed, or the adapter cannot', async () => {
  const { gpu } = await testGpu();
  const program = compile(gpu, (graph) => {
    const x = graph.input('x', [50_000]);
    const before = affine(x, 2);
    graph.mark('first');
    const y = square(before);
    graph.mark('second');
    graph.output('sum', sumAll(y));
  });
  const x = new Float32Array(50_000).fill(1);
  const times = await program.runTimed({ x });
  expect((await program.read('sum'))[0]).toBe(200_000);
  if (gpu.device.features.has('timestamp-query')) {
    expect(Object.keys(times ?? {})).toEqual(['first', 'second']);
    for (const ms of Object.values(times ?? {})) {
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThan(60_000);
    }
  } else expect(times).toBeNull();
  const rows = await program.profile();
  expect(rows.map((r) => r.label)).toEqual(['scale', 'square', 'sum', 'sum']);
  expect(program.stats.flops).toBe(rows.reduce((s, r) => s + r.flops, 0));
  program.dispose();
});

test('equal kernels share one pipeline across programs; nothing is made while a program runs', async () => {
  const gpu = await another();
  const a = small(gpu);
  expect(a.stats).toMatchObject({ dispatches: 2, pipelines: 2 });
  const made = gpu.pipelines.size;
  const b = small(gpu);
  expect(gpu.pipelines.size).toBe(made);
  let buffers = 0;
  const { createBuffer, createBindGroup } = gpu.device;
  gpu.device.createBuffer = (d) => {
    buffers += 1;
    return createBuffer.call(gpu.device, d);
  };
  gpu.device.createBindGroup = (d) => {
    buffers += 1;
    return createBindGroup.call(gpu.device, d);
  };
  const x = new Float32Array(6);
  b.run({ x });
  await b.read('y');
  // The first read makes the staging buffer; after it, a thousand runs and twenty reads make nothing.
  expect(buffers).toBe(1);
  for (let i = 0; i < 1000; i++) {
    b.run({ x });
    if (i % 50 === 0) await b.read('y');
  }
  await b.read('y');
  expect(buffers).toBe(1);
  a.dispose();
  b.dispose();
  gpu.dispose();
});

test('pipelines differ by text, entry point, constants and number of buffers', async () => {
  const { device } = await testGpu();
  const cache = new PipelineCache(device);
  const code = `
    override N: u32 = 1;
    @group(0) @binding(0) var<storage, read_write> x: array<u32>;
    @compute @workgroup_size(1) fn a() { x[0] = N; }
    @compute @workgroup_size(1) fn b() { x[0] = N + 1u; }`;
  const spec = { code, entryPoint: 'a', storage: 1 };
  const first = cache.get(spec);
  expect(cache.get({ ...spec, label: 'other' })).toBe(first);
  expect(cache.get({ ...spec, constants: {} })).toBe(first);
  const others = [
    cache.get({ ...spec, entryPoint: 'b' }),
    cache.get({ ...spec, constants: { N: 3 } }),
    cache.get({ ...spec, storage: 2 }),
    cache.get({ ...spec, code: `${code} ` }),
  ];
  expect(new Set([first, ...others]).size).toBe(5);
  expect(cache.size).toBe(5);
});

describe('a device that fails', () => {
  test('lost: every later run says so and why', async () => {
    const gpu = await another();
    const program = small(gpu);
    program.run({ x: new Float32Array(6) });
    await program.read('y');
    gpu.device.destroy();
    await gpu.lost;
    expect(gpu.lostReason).toBeTruthy();
    const message = `The GPU device was lost: ${gpu.lostReason}`;
    expect(() => program.run({ x: new Float32Array(6) })).toThrow(message);
    await expect(program.runTimed({})).rejects.toThrow('The GPU device was lost');
  });

  test('a broken shader is reported when a result is read', async () => {
    const gpu = await another();
    const program = compile(gpu, (graph) => {
      const [y] = graph.add({
        name: 'broken',
        inputs: [],
        outputs: [[4]],
        dispatch: ([out]) => [
          {
            label: 'broken',
            code: '@compute @workgroup_size(1) fn main() { nonsense }',
            entryPoint: 'main',
            bindings: [out],
            uniforms: new Uint32Array(4),
            workgroups: [1, 1, 1],
            flops: 0,
            bytes: 0,
          },
        ],
      });
      graph.output('y', y);
    });
    program.run();
    await expect(program.read('y')).rejects.toThrow(/^WebGPU: /);
    gpu.dispose();
  });
});
