// What models do not use yet of the matmul kernels (accumulation, SiLU, batches), NaN, plans and templates.
// Products of all forms and sizes: registry.test.ts.

import { beforeAll, describe, expect, test } from 'vitest';
import { type MatmulForm, type MatmulOptions, type MatmulPlan, planMatmul } from '../../src/tensor/kernels/matmul.ts';
import { unroll } from '../../src/tensor/kernels/unroll.ts';
import { matmulReference } from '../../src/tensor/reference/matmul.ts';
import { random } from '../../src/tensor/registry/entry.ts';
import { testGpu } from '../support/gpu.ts';

let device: GPUDevice;
let subgroup = 0;

beforeAll(async () => {
  const { device: opened, features } = await testGpu();
  device = opened;
  const info = device.adapterInfo;
  if (features.has('subgroups') && info.subgroupMinSize === info.subgroupMaxSize) subgroup = info.subgroupMinSize;
});

type Operands = Record<'a' | 'b' | 'c' | 'bias' | 'residual', Float32Array<ArrayBuffer>>;

function operands({ M, N, K, batch = 1 }: MatmulOptions): Operands {
  return {
    a: random([batch * M * K], 1).data,
    b: random([batch * K * N], 2).data,
    c: random([batch * M * N], 3).data,
    bias: random([N], 4).data,
    residual: random([batch * M * N], 5).data,
  };
}

const GUARD = 64;

/** Compiling is most of the time of these tests. */
const pipelines = new Map<string, GPUComputePipeline>();

function pipelineOf(plan: MatmulPlan): GPUComputePipeline {
  let pipeline = pipelines.get(plan.key);
  if (!pipeline) {
    const module = device.createShaderModule({ code: plan.code });
    const compute = { module, entryPoint: plan.entryPoint, constants: plan.constants };
    pipeline = device.createComputePipeline({ layout: 'auto', compute });
    pipelines.set(plan.key, pipeline);
  }
  return pipeline;
}

/** Runs the plan; C lies between guard words that must survive. */
async function multiply(o: MatmulOptions, x: Operands): Promise<Float32Array> {
  const plan = planMatmul(o);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const size = x.c.length + 2 * GUARD;
  const buffers: GPUBuffer[] = [];
  const upload = (data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>, use: number) => {
    const buffer = device.createBuffer({ size: data.byteLength, usage: use });
    device.queue.writeBuffer(buffer, 0, data);
    buffers.push(buffer);
    return buffer;
  };
  const guarded = new Float32Array(size).fill(777);
  guarded.set(x.c, GUARD);
  const c = upload(guarded, usage);
  device.pushErrorScope('validation');
  const pipeline = pipelineOf(plan);
  const entries = plan.bindings.map((name, binding) => ({
    binding,
    resource:
      name === 'c' ? { buffer: c, offset: 4 * GUARD, size: 4 * x.c.length } : { buffer: upload(x[name], usage) },
  }));
  const uniforms = upload(new Uint32Array(plan.uniforms), GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
  entries.push({ binding: entries.length, resource: { buffer: uniforms } });
  const read = device.createBuffer({ size: 4 * size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  buffers.push(read);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(...plan.workgroups);
  pass.end();
  encoder.copyBufferToBuffer(c, 0, read, 0, 4 * size);
  device.queue.submit([encoder.finish()]);
  const error = await device.popErrorScope();
  if (error) throw new Error(`${error.message}\n${plan.code}`);
  await read.mapAsync(GPUMapMode.READ);
  const out = new Float32Array(read.getMappedRange().slice(0));
  for (const buffer of buffers) buffer.destroy();
  for (const i of [0, GUARD - 1, size - GUARD, size - 1]) expect(out[i]).toBe(777);
  return out.subarray(GUARD, size - GUARD);
}

/** Largest error in units of f32 rounding of a sum of K products of numbers below 1. */
function worst(got: Float32Array, want: Float64Array, K: number): number {
  expect(got.length).toBe(want.length);
  let most = 0;
  for (let i = 0; i < want.length; i++) {
    const error = Math.abs(got[i] - want[i]);
    if (!(error <= most)) most = error;
  }
  return most / (2 ** -23 * (K + 8));
}

const KERNELS: [string, () => Pick<MatmulOptions, 'software' | 'subgroup'>][] = [
  ['software', () => ({ software: true, subgroup })],
  ['software without subgroups', () => ({ software: true, subgroup: 0 })],
  ['GPU', () => ({ software: false })],
];
const FORMS = ['nn', 'nt', 'tn'] as const;
const EXTRAS: Partial<MatmulOptions>[] = [
  { bias: true },
  { residual: true },
  { accumulate: true },
  { act: 'silu' },
  { batch: 3 },
];

describe.each(KERNELS)('%s', (name, kernel) => {
  async function check(o: MatmulOptions): Promise<void> {
    const x = operands(o);
    expect(worst(await multiply(o, x), matmulReference(o, x), o.K)).toBeLessThan(1);
  }

  // Every text takes a CPU adapter seconds to compile, the tile of the GPU most. Both ways of access, all forms; the forms
  // without extras are in the registry.
  const everything: [MatmulForm, number, number, number][] = [
    ['nt', 11, 21, 5],
    ['nn', 36, 40, 24],
    ['tn', 11, 21, 5],
  ];
  test.each(name === 'GPU' ? everything.slice(0, 1) : everything)(
    'everything around a batch of %s %i x %i x %i',
    async (form, M, N, K) => {
      const extras = { bias: true, residual: true, accumulate: true, act: 'silu' as const, batch: 3 };
      await check({ form, M, N, K, rows: 8, ...extras, ...kernel() });
    },
  );

  test('every extra alone', async () => {
    // The end of a sum is the same text in all of them but the one for quads, where accumulating changes the bounds.
    const shared = name === 'GPU' || (name === 'software' && subgroup !== 4);
    for (const extra of shared ? EXTRAS.slice(-1) : EXTRAS) {
      await check({ form: 'nn', M: 9, N: 8, K: 12, rows: 8, ...extra, ...kernel() });
    }
  });

  test.each(FORMS)('%s of tokens against tokens leaves out what lies above the diagonal', async (form) => {
    const [tokens, share, width] = [76, 2, 8];
    const [M, N, K] = {
      nt: [tokens * share, tokens, width],
      nn: [tokens * share, width, tokens],
      tn: [tokens, width, tokens * share],
    }[form];
    const o = { form, M, N, K, batch: 2, ...kernel() };
    const x = operands(o);
    // A of nn [M, K] and of tn [K, M] has a row for every row of tokens.
    if (form !== 'nt')
      x.a.forEach((_, i) => {
        if (i % tokens > Math.floor((i % (tokens * share * tokens)) / tokens / share)) x.a[i] = 0;
      });
    const [all, causal] = [await multiply(o, x), await multiply({ ...o, causal: share }, x)];
    const wanted = (i: number): boolean => form !== 'nt' || i % tokens <= Math.floor((i % (M * N)) / N / share);
    expect(all.every((v, i) => !wanted(i) || v === causal[i])).toBe(true);
    // C was not empty before: what was left out is still there.
    const kept = all.some((v, i) => v !== causal[i]);
    expect(kept).toBe(form === 'nt' && kernel().software);
  });

  test('a NaN stays in its row', async () => {
    const o = { form: 'nn' as const, M: 40, N: 8, K: 8, rows: 8, ...kernel() };
    const x = operands(o);
    x.a[5 * 8 + 3] = Number.NaN;
    const c = await multiply(o, x);
    const rows = new Set(
      Array.from(c.keys())
        .filter((i) => Number.isNaN(c[i]))
        .map((i) => Math.floor(i / 8)),
    );
    expect([...rows]).toEqual([5]);
  });
});

describe('plan', () => {
  const base: MatmulOptions = { form: 'nn', M: 8, N: 8, K: 8, software: true };

  test('equal keys mean equal code, and different code different keys', () => {
    const codes = new Map<string, string>();
    for (const form of FORMS) {
      for (const M of [1, 8, 20, 33, 64]) {
        for (const extra of [{}, { bias: true }, { residual: true }, { accumulate: true }, { act: 'silu' as const }]) {
          for (const subgroup of [0, 4, 8]) {
            for (const software of [true, false]) {
              const plan = planMatmul({ ...base, form, M, N: M + (M % 2), software, subgroup, ...extra });
              const known = codes.get(plan.key);
              if (known !== undefined) expect(plan.code).toBe(known);
              codes.set(plan.key, plan.code);
            }
          }
        }
      }
    }
    expect(new Set(codes.values()).size).toBe(codes.size);
  });

  test('counts work and memory', () => {
    const plan = planMatmul({ ...base, M: 3, N: 5, K: 7, batch: 2, bias: true, residual: true });
    expect(plan.flops).toBe(2 * 2 * 3 * 5 * 7);
    expect(plan.bytes).toBe(4 * (2 * (21 + 35 + 2 * 15) + 5));
    expect(plan.bindings).toEqual(['a', 'b', 'c', 'bias', 'residual']);
  });

  test('where loads go one number at a time a tile on quads has 16 cells at most, also when more are asked for', () => {
    // Two indexer heads: SwiftShader compiled their gradient on a tile of 32 rows for minutes, until memory was gone.
    for (const [form, M, N, K] of [
      ['nn', 640, 2, 64],
      ['nt', 640, 64, 2],
      ['tn', 64, 2, 640],
      ['nn', 640, 101, 64],
    ] as const) {
      for (const asked of [{}, { rows: 32, blocks: 4 }]) {
        const { workgroups, key } = planMatmul({ form, M, N, K, software: true, subgroup: 4, ...asked });
        expect(key).toContain('scalar');
        const [across, down] = workgroups;
        expect((Math.ceil(M / down) * Math.ceil(N / across)) / 16, `${form} ${M}x${N}x${K}`).toBeLessThanOrEqual(16);
        expect(down).toBeGreaterThanOrEqual(M / 16);
      }
    }
    const whole = planMatmul({ form: 'nn', M: 640, N: 64, K: 64, software: true, subgroup: 4, rows: 32, blocks: 4 });
    expect(whole.workgroups).toEqual([1, 20, 1]);
  });

  test('refuses sizes that are not positive integers', () => {
    expect(() => planMatmul({ ...base, K: 0 })).toThrow('K = 0');
    expect(() => planMatmul({ ...base, M: 1.5 })).toThrow('M = 1.5');
  });
});

describe('unroll', () => {
  const lists = { row: [{ ROW: 0 }, { ROW: 7 }] };

  test('repeats, renames and fills in', () => {
    const text = ['// about', 'var c_0 = a_ROW + x_0; // each row', 'let a_05 = c_0;'].join('\n');
    expect(unroll(text, { flags: [], lists }).split('\n')).toEqual([
      'var c_0 = a_0 + x_0;',
      'var c_1 = a_7 + x_1;',
      'let a_05 = c_0;',
    ]);
  });

  test('keeps a line only when all its conditions hold', () => {
    const text = ['one // if a', 'two // if a, if b c', 'three // each row, if b c', 'four // some note'].join('\n');
    expect(unroll(text, { flags: ['a'], lists })).toBe('one\nfour // some note');
    expect(unroll(text, { flags: ['a', 'b c'], lists })).toBe('one\ntwo\nthree\nthree\nfour // some note');
  });

  test('refuses an unknown list', () => {
    expect(() => unroll('x // each column', { flags: [], lists })).toThrow("'column'");
  });
});
