// The second WebGPU stack: the engine's modules run in Chromium, a kernel gives the bits that Node gives,
// and a WebGPU canvas can be photographed.

import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mix32, uniform01 } from '../../src/gpu/rng.ts';
import { launchBrowser, type OpenPage, openSources } from '../support/browser.ts';

type Device = typeof import('../../src/gpu/device.ts');
type Shader = typeof import('../../shaders/lib/rng.wgsl?link');

const COUNT = 1024;

const KERNEL = `
@group(0) @binding(0) var<storage, read_write> bits: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let h = mix32(id.x, 2u, 3u, 4u);
  bits[2u * id.x] = h;
  bits[2u * id.x + 1u] = bitcast<u32>(uniform01(h));
}
`;

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser('pictures');
});

afterAll(() => browser?.close());

test('the engine opens a device and a kernel gives the same bits as the TypeScript twin', async () => {
  const { page, errors, close } = await openSources(browser);
  const { bits, software } = await page.evaluate(
    async ({ kernel, count }) => {
      const { openGpu } = await window.loadModule<Device>('/src/gpu/device.ts');
      const { default: link } = await window.loadModule<Shader>('/shaders/lib/rng.wgsl?import&link');
      const opened = await openGpu();
      if (!opened.ok) throw new Error(opened.reason);
      const { device } = opened.gpu;
      const size = count * 8;
      const data = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
      const back = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
      const module = device.createShaderModule({ code: link() + kernel });
      const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
      const group = device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [{ binding: 0, resource: { buffer: data } }],
      });
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(count / 64);
      pass.end();
      encoder.copyBufferToBuffer(data, 0, back, 0, size);
      device.queue.submit([encoder.finish()]);
      await back.mapAsync(GPUMapMode.READ);
      return { bits: [...new Uint32Array(back.getMappedRange())], software: opened.gpu.report.software };
    },
    { kernel: KERNEL, count: COUNT },
  );
  await close();
  const floats = new Float32Array(1);
  const asBits = (value: number) => {
    floats[0] = value;
    return new Uint32Array(floats.buffer)[0];
  };
  const expected = Array.from({ length: COUNT }, (_, i) => mix32(i, 2, 3, 4)).flatMap((h) => [h, asBits(uniform01(h))]);
  expect(bits).toEqual(expected);
  expect(software).toBe(true);
  expect(errors).toEqual([]);
});

test('a WebGPU canvas appears in a screenshot', async () => {
  const { page, close } = await openSources(browser, '<canvas width="64" height="64"></canvas>');
  await page.evaluate(async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter?.requestDevice();
    const context = document.querySelector('canvas')?.getContext('webgpu');
    if (!device || !context) throw new Error('no WebGPU canvas');
    context.configure({ device, format: navigator.gpu.getPreferredCanvasFormat() });
    const encoder = device.createCommandEncoder();
    const clearValue = { r: 1, g: 0, b: 1, a: 1 };
    const view = context.getCurrentTexture().createView();
    encoder.beginRenderPass({ colorAttachments: [{ view, clearValue, loadOp: 'clear', storeOp: 'store' }] }).end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  });
  const picture = await page.locator('canvas').screenshot();
  // The browser reads its own picture: the middle pixel, as [red, green, blue, alpha].
  const pixel = await page.evaluate(async (base64) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob());
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
    context?.drawImage(image, 0, 0);
    return [...(context?.getImageData(image.width / 2, image.height / 2, 1, 1).data ?? [])];
  }, picture.toString('base64'));
  await close();
  expect(pixel).toEqual([255, 0, 255, 255]);
});

async function reasonIn(opened: OpenPage): Promise<{ reason: string; advice: string }> {
  const answer = await opened.page.evaluate(async () => {
    const { openGpu } = await window.loadModule<Device>('/src/gpu/device.ts');
    const result = await openGpu();
    return result.ok ? { reason: 'opened', advice: '' } : { reason: result.reason, advice: result.advice };
  });
  await opened.close();
  return answer;
}

test('without WebGPU the engine says so, and names browsers and the secure context', async () => {
  const { reason, advice } = await reasonIn(await openSources(browser, '', { insecure: true }));
  expect(reason).toMatch(/no WebGPU/);
  expect(advice).toMatch(/Chrome.*https or localhost/s);
});

test('without an adapter the engine says so, and what to turn on', async () => {
  const bare = await launchBrowser('no-adapter');
  const { reason, advice } = await reasonIn(await openSources(bare));
  await bare.close();
  expect(reason).toMatch(/no adapter/);
  expect(advice).toMatch(/graphics acceleration.*update the driver/s);
});
