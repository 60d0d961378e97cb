/**
 * FrameRenderer: many frames per dispatch on the GPU, byte for byte those of FrameRendererCpu. Results go to RGB bytes
 * (read back), to a float tensor in somebody's GPU buffer, or stay as pixel words for drawing; pages are uploaded once
 * per version, whoever refers to them.
 */
import linkFrame from '../../../shaders/world/frame.wgsl?link';
import linkOutput from '../../../shaders/world/frame-output.wgsl?link';
import type { Gpu } from '../../gpu/device.ts';
import { PAGE_CELLS } from '../pool.ts';
import type { State } from '../state.ts';
import { ATLAS } from '../visual/atlas.ts';
import { FACE_SHADE, LIGHT_LUT } from '../visual/brightness.ts';
import { CRACKS } from '../visual/cracks.ts';
import { ICONS } from '../visual/icons.ts';
import { BOX_RANGE, BOXES, FACE_TILES, INFO, JOINS } from '../visual/materials.ts';
import { REC_WORDS } from './frame-rec.ts';
import type { FrameSpec } from './frame-spec.ts';
import { observeRec } from './observe.ts';
import { CURSOR, OVERLAY_COLOURS } from './overlay.ts';
import { PageStore } from './page-store.ts';

const PAGE_BYTES = PAGE_CELLS * 2;
const SPEC_WORDS = 12;

/** The visual tables back to back, and where each begins, by the names of the shader's override constants. */
export function visualTables(): { words: Uint32Array; at: Record<string, number> } {
  const parts: [string, ArrayLike<number>][] = [
    ['INFO_AT', INFO],
    ['RANGE_AT', BOX_RANGE],
    ['BOXES_AT', BOXES],
    ['TILES_AT', FACE_TILES],
    ['JOINS_AT', JOINS],
    ['LUT_AT', LIGHT_LUT],
    ['SHADE_AT', FACE_SHADE],
    ['CRACKS_AT', CRACKS],
    ['ATLAS_AT', ATLAS],
    ['ICONS_AT', ICONS],
    ['COLOURS_AT', OVERLAY_COLOURS],
    ['CURSOR_AT', CURSOR],
  ];
  const words = new Uint32Array(parts.reduce((n, [, p]) => n + p.length, 0));
  const at: Record<string, number> = {};
  let o = 0;
  for (const [name, part] of parts) {
    at[name] = o;
    words.set(part, o);
    o += part.length;
  }
  return { words, at };
}

/** The frame kernel's uniform struct and workgroups for `count` frames. */
export function frameLaunch(spec: FrameSpec, count: number) {
  const { width, height, viewHeight, ssaa, viewDistance, fogStart16, mipDepth, iconScale } = spec;
  return {
    uniforms: Uint32Array.of(
      width,
      height,
      viewHeight,
      ssaa,
      viewDistance,
      fogStart16,
      mipDepth,
      iconScale,
      count,
      0,
      0,
      0,
    ),
    workgroups: [Math.ceil(width / 8), Math.ceil(height / 8), count] as [number, number, number],
  };
}

export class FrameRenderer {
  readonly spec: FrameSpec;
  readonly pages: PageStore;
  /** Frames of one dispatch; longer batches are cut. */
  readonly maxFrames: number;
  readonly frameBytes: number;
  /** [maxFrames, H, W] words r | g<<8 | b<<16 | 255<<24 of the last dispatch, for drawing without read-back. */
  readonly pixels: GPUBuffer;
  private readonly gpu: Gpu;
  private readonly recs: GPUBuffer;
  private readonly cells: GPUBuffer;
  private readonly uniform: GPUBuffer;
  private readonly rgb: GPUBuffer;
  private readonly staging: GPUBuffer;
  private readonly buffers: GPUBuffer[] = [];
  private readonly frameGroup: GPUBindGroup;
  private readonly rgbGroup: GPUBindGroup;
  private readonly rgbSize: GPUBuffer;
  private readonly framePipeline: GPUComputePipeline;
  private readonly rgbPipeline: GPUComputePipeline;
  private readonly floatPipeline: GPUComputePipeline;
  private readonly tensorGroups = new WeakMap<GPUBuffer, { size: GPUBuffer; group: GPUBindGroup }>();

  constructor(gpu: Gpu, spec: FrameSpec, options: { maxFrames?: number; pages?: PageStore } = {}) {
    this.gpu = gpu;
    this.spec = spec;
    this.maxFrames = options.maxFrames ?? 16;
    this.pages = options.pages ?? new PageStore();
    const { STORAGE, COPY_DST, COPY_SRC, UNIFORM, MAP_READ } = GPUBufferUsage;
    const pixelCount = spec.width * spec.height;
    this.frameBytes = pixelCount * 3;
    const { words, at } = visualTables();
    const tables = this.upload('frame tables', words);
    const depth1 = this.upload('frame depth', spec.depth1);
    this.recs = this.buffer('frame records', this.maxFrames * REC_WORDS * 4, STORAGE | COPY_DST);
    this.cells = this.buffer('frame pages', this.pages.capacity * PAGE_BYTES, STORAGE | COPY_DST);
    this.pixels = this.buffer('frame pixels', this.maxFrames * pixelCount * 4, STORAGE | COPY_SRC);
    this.rgb = this.buffer('frame rgb', this.maxFrames * this.frameBytes, STORAGE | COPY_SRC);
    this.staging = this.buffer('frame staging', this.maxFrames * this.frameBytes, MAP_READ | COPY_DST);
    this.uniform = this.buffer('frame spec', SPEC_WORDS * 4, UNIFORM | COPY_DST);
    this.rgbSize = this.buffer('frame rgb size', 16, UNIFORM | COPY_DST);

    const code = linkFrame();
    const output = linkOutput();
    this.framePipeline = gpu.pipelines.get({
      code,
      entryPoint: 'main',
      storage: 5,
      constants: at,
      label: 'world frame',
    });
    this.rgbPipeline = gpu.pipelines.get({ code: output, entryPoint: 'rgb', storage: 2, label: 'frame to rgb' });
    this.floatPipeline = gpu.pipelines.get({
      code: output,
      entryPoint: 'floats',
      storage: 2,
      label: 'frame to tensor',
    });
    this.frameGroup = this.group(5, [this.recs, this.cells, tables, depth1, this.pixels], this.uniform);
    this.rgbGroup = this.group(2, [this.pixels, this.rgb], this.rgbSize);
  }

  /** Record of what the player of `s` sees now, for render(). */
  observe(s: State, out: Uint32Array, at: number): void {
    observeRec(s, out, at, this.spec, this.pages);
  }

  /** RGB bytes [count, H, W, 3] of records made with this spec and page store. */
  async render(recs: Uint32Array): Promise<Uint8Array> {
    const count = recs.length / REC_WORDS;
    const out = new Uint8Array(count * this.frameBytes);
    for (let first = 0; first < count; first += this.maxFrames) {
      const n = Math.min(this.maxFrames, count - first);
      const encoder = this.encodeFrames(recs, first, n);
      const words = (n * this.frameBytes) / 4;
      this.gpu.device.queue.writeBuffer(this.rgbSize, 0, outputLaunch(words).uniforms);
      const pass = encoder.beginComputePass();
      pass.setPipeline(this.rgbPipeline);
      pass.setBindGroup(0, this.rgbGroup);
      pass.dispatchWorkgroups(...outputLaunch(words).workgroups);
      pass.end();
      encoder.copyBufferToBuffer(this.rgb, 0, this.staging, 0, n * this.frameBytes);
      this.gpu.device.queue.submit([encoder.finish()]);
      await this.staging.mapAsync(GPUMapMode.READ, 0, n * this.frameBytes);
      out.set(new Uint8Array(this.staging.getMappedRange(0, n * this.frameBytes)), first * this.frameBytes);
      this.staging.unmap();
    }
    this.pages.nextBatch();
    return out;
  }

  /** Writes f32 [count, H, W, 3] in 0..1 into `target` (STORAGE usage) from float `firstFloat`; nothing is read back. */
  renderTensor(recs: Uint32Array, target: GPUBuffer, firstFloat = 0): void {
    const count = recs.length / REC_WORDS;
    let entry = this.tensorGroups.get(target);
    if (!entry) {
      const size = this.buffer('frame tensor size', 16, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
      entry = { size, group: this.group(2, [this.pixels, target], size) };
      this.tensorGroups.set(target, entry);
    }
    for (let first = 0; first < count; first += this.maxFrames) {
      const n = Math.min(this.maxFrames, count - first);
      const encoder = this.encodeFrames(recs, first, n);
      const pixelCount = (n * this.frameBytes) / 3;
      const at = firstFloat + first * this.frameBytes;
      this.gpu.device.queue.writeBuffer(entry.size, 0, outputLaunch(pixelCount, at).uniforms);
      const pass = encoder.beginComputePass();
      pass.setPipeline(this.floatPipeline);
      pass.setBindGroup(0, entry.group);
      pass.dispatchWorkgroups(...outputLaunch(pixelCount).workgroups);
      pass.end();
      this.gpu.device.queue.submit([encoder.finish()]);
    }
    this.pages.nextBatch();
  }

  /** Draws at most maxFrames records into `pixels` and submits; for presenting on a canvas. */
  renderPixels(recs: Uint32Array): void {
    const count = recs.length / REC_WORDS;
    if (count > this.maxFrames) throw new Error(`${count} frames at once, at most ${this.maxFrames}`);
    this.gpu.device.queue.submit([this.encodeFrames(recs, 0, count).finish()]);
    this.pages.nextBatch();
  }

  dispose(): void {
    for (const b of this.buffers) b.destroy();
  }

  private encodeFrames(recs: Uint32Array, first: number, count: number): GPUCommandEncoder {
    const { device } = this.gpu;
    const { queue } = device;
    for (const slot of this.pages.takeDirty())
      queue.writeBuffer(
        this.cells,
        slot * PAGE_BYTES,
        this.pages.cells as Uint16Array<ArrayBuffer>,
        slot * PAGE_CELLS,
        PAGE_CELLS,
      );
    queue.writeBuffer(this.recs, 0, recs as Uint32Array<ArrayBuffer>, first * REC_WORDS, count * REC_WORDS);
    const { uniforms, workgroups } = frameLaunch(this.spec, count);
    queue.writeBuffer(this.uniform, 0, uniforms);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(this.framePipeline);
    pass.setBindGroup(0, this.frameGroup);
    pass.dispatchWorkgroups(...workgroups);
    pass.end();
    return encoder;
  }

  private buffer(label: string, size: number, flags: number): GPUBuffer {
    const b = this.gpu.device.createBuffer({ label, size, usage: flags });
    this.buffers.push(b);
    return b;
  }

  private upload(label: string, words: Uint32Array): GPUBuffer {
    const b = this.buffer(label, words.byteLength, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST);
    this.gpu.device.queue.writeBuffer(b, 0, words as Uint32Array<ArrayBuffer>);
    return b;
  }

  private group(storage: number, buffers: GPUBuffer[], uniform: GPUBuffer): GPUBindGroup {
    return this.gpu.device.createBindGroup({
      layout: this.gpu.pipelines.layout(storage).bind,
      entries: [...buffers, uniform].map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
  }
}

/**
 * The output kernels' uniform struct and workgroups for `count` work items, written from element `first`. A dispatch may not
 * exceed 65535 workgroups of 64 in one dimension: items are folded into rows.
 */
export function outputLaunch(count: number, first = 0) {
  const row = Math.min(Math.ceil(count / 64), 32768) * 64;
  return {
    uniforms: Uint32Array.of(count, row, first, 0),
    workgroups: [row / 64, Math.ceil(count / row), 1] as [number, number, number],
  };
}
