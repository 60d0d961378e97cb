/** Draws a small picture with the presenter into a texture and reads it back: nearest neighbour at any size. */
import type { Gpu } from '../../gpu/device.ts';
import { mix32 } from '../../gpu/rng.ts';
import type { RenderEntry } from '../../tensor/registry/entry.ts';
import { Presenter } from './present.ts';

const [WIDTH, HEIGHT] = [8, 6];
/** Rows of a texture copy are whole multiples of 256 bytes. */
const [TARGET_WIDTH, TARGET_HEIGHT] = [64, 21];

async function check(gpu: Gpu): Promise<string | null> {
  const { device } = gpu;
  const pixels = Uint32Array.from({ length: WIDTH * HEIGHT }, (_, i) => (mix32(i, 1, 2, 3) | 0xff000000) >>> 0);
  const buffer = device.createBuffer({
    size: pixels.byteLength,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, pixels);
  const texture = device.createTexture({
    size: [TARGET_WIDTH, TARGET_HEIGHT],
    format: 'rgba8unorm',
    usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC,
  });
  const staging = device.createBuffer({
    size: TARGET_WIDTH * TARGET_HEIGHT * 4,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const presenter = new Presenter(gpu);
  device.pushErrorScope('validation');
  presenter.draw(
    { getCurrentTexture: () => texture },
    { locate: () => ({ buffer, offset: 0, bytes: pixels.byteLength }) },
    'picture',
    WIDTH,
    HEIGHT,
  );
  const encoder = device.createCommandEncoder();
  encoder.copyTextureToBuffer({ texture }, { buffer: staging, bytesPerRow: TARGET_WIDTH * 4 }, [
    TARGET_WIDTH,
    TARGET_HEIGHT,
  ]);
  device.queue.submit([encoder.finish()]);
  const invalid = await device.popErrorScope();
  let found: string | null = invalid ? `WebGPU: ${invalid.message.split('\n')[0]}` : null;
  if (!found) {
    await staging.mapAsync(GPUMapMode.READ);
    const got = new Uint32Array(staging.getMappedRange().slice(0));
    for (let i = 0; i < got.length && !found; i++) {
      const x = Math.floor((((i % TARGET_WIDTH) + 0.5) / TARGET_WIDTH) * WIDTH);
      const y = Math.floor(((Math.floor(i / TARGET_WIDTH) + 0.5) / TARGET_HEIGHT) * HEIGHT);
      const want = pixels[y * WIDTH + x];
      if (got[i] !== want) found = `pixel ${i} is ${got[i].toString(16)} instead of ${want.toString(16)}`;
    }
  }
  presenter.dispose();
  texture.destroy();
  buffer.destroy();
  staging.destroy();
  return found;
}

export const PRESENT: RenderEntry = {
  name: 'present',
  family: 'dreamer4',
  about: 'Draws RGBA words on a canvas of any size, nearest neighbour: one triangle, one fragment per pixel.',
  file: 'methods/dreamer4/present.wgsl',
  entryPoints: ['corners', 'colour'],
  check,
};
