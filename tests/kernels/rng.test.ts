// The random generator: the WGSL module and its TypeScript twin give the same bits, and the bits look random.

import { expect, test } from 'vitest';
import link from '../../shaders/lib/rng.wgsl?link';
import { mix32, uniform01 } from '../../src/gpu/rng.ts';
import { testGpu } from '../support/gpu.ts';

const COUNT = 4096;

const KERNEL = `
@group(0) @binding(0) var<storage, read_write> hashes: array<u32>;
@group(0) @binding(1) var<storage, read_write> uniforms: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  let h = mix32(i, i * 0x9e3779b9u, ~i, i >> 3u);
  hashes[i] = h;
  uniforms[i] = uniform01(h);
}
`;

test('WGSL and TypeScript agree bit for bit', async () => {
  const { device } = await testGpu();
  const module = device.createShaderModule({ code: link() + KERNEL });
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
  const size = COUNT * 4;
  const outputs = [0, 1].map(() =>
    device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC }),
  );
  const staging = device.createBuffer({ size: 2 * size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: outputs.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(COUNT / 64);
  pass.end();
  for (const [i, buffer] of outputs.entries()) encoder.copyBufferToBuffer(buffer, 0, staging, i * size, size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const bytes = staging.getMappedRange().slice(0);
  const hashes = new Uint32Array(bytes, 0, COUNT);
  const uniforms = new Float32Array(bytes, size, COUNT);
  const expected = Uint32Array.from({ length: COUNT }, (_, i) => mix32(i, Math.imul(i, 0x9e3779b9), ~i, i >>> 3));
  expect(hashes).toEqual(expected);
  expect(uniforms).toEqual(Float32Array.from(expected, uniform01));
});

test('known values: the twin cannot drift together with the shader', () => {
  // By hand: all counters zero leave h = 0, and both rounds map 0 to 0.
  expect(mix32(0, 0, 0, 0)).toBe(0);
  // h = 1: (1 ^ 0) * 0x85ebca6b; ^ >> 13 = 0x85ebca6b ^ 0x00042f5e = 0x85efe535; * 0xc2b2ae35 mod 2^32; ^ >> 16.
  const second = Number((0x85efe535n * 0xc2b2ae35n) & 0xffffffffn);
  expect(mix32(0, 0, 0, 1)).toBe((second ^ (second >>> 16)) >>> 0);
  expect(uniform01(0)).toBe(0);
  expect(uniform01(0xffffffff)).toBe(1 - 2 ** -24);
  expect(Math.fround(uniform01(0x12345678))).toBe(uniform01(0x12345678));
});

test('every counter reaches every output bit about half of the time', () => {
  const flips = new Float64Array(32);
  let trials = 0;
  for (let base = 0; base < 200; base++) {
    const counters: [number, number, number, number] = [base, base * 7 + 1, base * 13 + 2, base * 29 + 3];
    const plain = mix32(...counters);
    for (let which = 0; which < 4; which++) {
      for (let bit = 0; bit < 16; bit++) {
        const changed: typeof counters = [...counters];
        changed[which] ^= 1 << bit;
        const difference = plain ^ mix32(...changed);
        for (let out = 0; out < 32; out++) flips[out] += (difference >>> out) & 1;
        trials++;
      }
    }
  }
  for (const flipped of flips) expect(flipped / trials).toBeCloseTo(0.5, 1);
});

test('uniform numbers have the mean and variance of a uniform distribution', () => {
  const n = 100_000;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const u = uniform01(mix32(i, 1, 2, 3));
    sum += u;
    squares += u * u;
  }
  const mean = sum / n;
  // Standard errors: 0.0009 for the mean, 0.0002 for the variance; five of each.
  expect(Math.abs(mean - 1 / 2)).toBeLessThan(0.0046);
  expect(Math.abs(squares / n - mean * mean - 1 / 12)).toBeLessThan(0.0012);
});
