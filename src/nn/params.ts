/**
 * The parameters of a model: declared by name while a program is traced, allocated once, shared by all programs of
 * that model. Values, gradients, both AdamW moments and the moving average are five buffers with one layout.
 */
import type { Gpu } from '../gpu/device.ts';
import { mix32, uniform01 } from '../gpu/rng.ts';
import { type Graph, sizeOf, type Tensor } from '../tensor/graph.ts';
import { alignUp } from '../tensor/plan.ts';

export type Init = { kind: 'normal'; std: number } | { kind: 'zeros' } | { kind: 'ones' };

export interface ParamSpec {
  name: string;
  shape: readonly number[];
  init: Init;
  /** Weight decay applies (matrices). */
  decay: boolean;
  /** Another optimiser than AdamW updates it (train/muon.ts). */
  claimed?: boolean;
  /** Byte offset in each of the five buffers; a multiple of 256. */
  offset: number;
}

export type Slab = 'value' | 'grad' | 'first' | 'second' | 'average';
export const SLABS: Slab[] = ['value', 'grad', 'first', 'second', 'average'];

function hashName(name: string): number {
  let h = 2166136261;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 16777619);
  return h >>> 0;
}

/** Standard normal numbers of a counter-based stream (Box-Muller). */
export function normals(seed: number, stream: number, count: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const u = uniform01(mix32(seed, stream, i, 1));
    const v = uniform01(mix32(seed, stream, i, 2));
    const r = Math.sqrt(-2 * Math.log(1 - u));
    out[i] = r * Math.cos(2 * Math.PI * v);
    if (i + 1 < count) out[i + 1] = r * Math.sin(2 * Math.PI * v);
  }
  return out;
}

export class ParamStore {
  readonly specs = new Map<string, ParamSpec>();
  private bytes = 0;
  private buffers: Record<Slab, GPUBuffer> | null = null;
  private halfBuffer: GPUBuffer | null = null;
  private readonly pairBuffers = new Map<string, { buffer: GPUBuffer; shape: [number, number] }>();
  private blockBuffer: GPUBuffer | null = null;
  private gpu: Gpu | null = null;

  /** Declares a parameter, or finds it again and checks its shape. */
  declare(name: string, shape: readonly number[], init: Init, decay = shape.length > 1): ParamSpec {
    const known = this.specs.get(name);
    if (known) {
      if (known.shape.join() !== shape.join()) {
        throw new Error(`parameter ${name}: declared as [${known.shape}], asked for as [${shape}]`);
      }
      return known;
    }
    if (this.buffers) throw new Error(`parameter ${name} is not part of this model`);
    const spec: ParamSpec = { name, shape, init, decay, offset: this.bytes };
    this.bytes += alignUp(sizeOf(shape) * 4);
    this.specs.set(name, spec);
    return spec;
  }

  /** Total length of each buffer in bytes. */
  get byteLength(): number {
    return this.bytes;
  }

  /** Number of learned numbers. */
  get count(): number {
    let n = 0;
    for (const s of this.specs.values()) n += sizeOf(s.shape);
    return n;
  }

  get allocated(): boolean {
    return this.buffers !== null;
  }

  slab(which: Slab): GPUBuffer {
    if (!this.buffers) throw new Error('parameters are not allocated yet');
    return this.buffers[which];
  }

  /** Per 64 elements: learning rate factor (-1: another optimiser's parameter) and weight decay factor, for adamw.wgsl. */
  blocks(): GPUBuffer {
    if (!this.blockBuffer) throw new Error('parameters are not allocated yet');
    return this.blockBuffer;
  }

  tensor(graph: Graph, name: string, which: Slab = 'value'): Tensor {
    const spec = this.specs.get(name);
    if (!spec) throw new Error(`no parameter named ${name}`);
    return graph.external(name, spec.shape, () => this.slab(which), spec.offset);
  }

  /** The parameters from element `from` to `to` of the buffer as one tensor [to - from]; `from` is a multiple of 128. */
  stretch(graph: Graph, from: number, to: number, which: Slab = 'value'): Tensor {
    return graph.external(`parameters ${which}`, [to - from], () => this.slab(which), from * 4);
  }

  /**
   * Keeps matrices in 16 bits as well, for kernels that read half the bytes: the words of each parameter at half of its place.
   * For values that stay as they are.
   */
  keepHalves(halves: ReadonlyMap<string, Uint16Array<ArrayBuffer>>): void {
    if (!this.gpu) throw new Error('parameters are not allocated yet');
    const size = alignUp(Math.max(256, this.bytes / 2));
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    this.halfBuffer ??= this.gpu.device.createBuffer({ size, usage, label: 'parameters in 16 bits' });
    for (const [name, bits] of halves) {
      const spec = this.specs.get(name);
      if (!spec || bits.length !== sizeOf(spec.shape)) throw new Error(`halves of ${name}: ${bits.length} numbers`);
      this.gpu.device.queue.writeBuffer(this.halfBuffer, spec.offset / 2, bits);
    }
  }

  /** The halves of `stretch` with the same arguments, two to a word; null where none are kept. */
  halfStretch(graph: Graph, from: number, to: number): Tensor | null {
    const buffer = this.halfBuffer;
    return buffer && graph.external('parameters halves', [Math.ceil((to - from) / 2)], () => buffer, from * 2);
  }

  /** Keeps a matrix [K, N] with two columns in a word as well (tensor/ops/paired-product.ts). For values that stay as they are. */
  keepPairs(name: string, words: Uint32Array<ArrayBuffer>): void {
    if (!this.gpu) throw new Error('parameters are not allocated yet');
    const [k, n] = this.specs.get(name)?.shape ?? [];
    if (words.length !== ((k + 1) * n) / 2) throw new Error(`pairs of ${name}: ${words.length} words`);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    const buffer = this.gpu.device.createBuffer({ size: words.byteLength, usage, label: `${name} in pairs` });
    this.gpu.device.queue.writeBuffer(buffer, 0, words);
    this.pairBuffers.get(name)?.buffer.destroy();
    this.pairBuffers.set(name, { buffer, shape: [k + 1, n / 2] });
  }

  /** Those words, or null where none are kept. */
  pairs(graph: Graph, name: string): Tensor | null {
    const kept = this.pairBuffers.get(name);
    return kept ? graph.external(`${name} pairs`, kept.shape, () => kept.buffer) : null;
  }

  /** What the values start from with this seed: the whole buffer. */
  initial(seed: number): Float32Array<ArrayBuffer> {
    const data = new Float32Array(this.bytes / 4);
    for (const spec of this.specs.values()) {
      const n = sizeOf(spec.shape);
      const at = spec.offset / 4;
      if (spec.init.kind === 'ones') data.fill(1, at, at + n);
      if (spec.init.kind === 'normal') {
        const z = normals(seed, hashName(spec.name), n);
        for (let i = 0; i < n; i++) data[at + i] = z[i] * spec.init.std;
      }
    }
    return data;
  }

  /** Makes the buffers; values start from `init` with this seed, the average equals them, the rest is zero. */
  allocate(gpu: Gpu, seed: number, training = true): void {
    if (this.buffers) return;
    this.gpu = gpu;
    const make = (used: boolean): GPUBuffer =>
      gpu.device.createBuffer({
        size: used ? Math.max(256, this.bytes) : 256,
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
        label: 'parameters',
      });
    this.buffers = {
      value: make(true),
      grad: make(training),
      first: make(training),
      second: make(training),
      average: make(training),
    };
    const data = this.initial(seed);
    gpu.device.queue.writeBuffer(this.buffers.value, 0, data);
    if (training) gpu.device.queue.writeBuffer(this.buffers.average, 0, data);
    this.blockBuffer = gpu.device.createBuffer({
      size: alignUp(Math.max(256, training ? this.bytes / 32 : 0)),
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
      label: 'rates',
    });
    if (training) this.setRates(() => 1);
  }

  /** Copies one buffer to the host: name -> values. */
  async read(which: Slab): Promise<Map<string, Float32Array<ArrayBuffer>>> {
    const gpu = this.gpu;
    if (!gpu) throw new Error('parameters are not allocated yet');
    const staging = gpu.device.createBuffer({
      size: Math.max(256, this.bytes),
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    const encoder = gpu.device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.slab(which), 0, staging, 0, this.bytes);
    gpu.device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const all = new Float32Array(staging.getMappedRange().slice(0));
    staging.destroy();
    const out = new Map<string, Float32Array<ArrayBuffer>>();
    for (const spec of this.specs.values()) {
      out.set(spec.name, all.slice(spec.offset / 4, spec.offset / 4 + sizeOf(spec.shape)));
    }
    return out;
  }

  write(which: Slab, name: string, values: Float32Array<ArrayBuffer>): void {
    const spec = this.specs.get(name);
    if (!spec || !this.gpu) throw new Error(`no parameter named ${name}`);
    if (values.length !== sizeOf(spec.shape)) {
      throw new Error(`parameter ${name} takes ${sizeOf(spec.shape)} numbers, ${values.length} were given`);
    }
    this.gpu.device.queue.writeBuffer(this.slab(which), spec.offset, values);
  }

  /** Learning rate of every parameter as a factor of the optimiser's; 0 freezes it. */
  setRates(factor: (name: string) => number): void {
    if (!this.gpu) throw new Error('parameters are not allocated yet');
    const blocks = new Float32Array((this.bytes / 256) * 2);
    for (const spec of this.specs.values()) {
      const end = spec.offset + alignUp(sizeOf(spec.shape) * 4);
      for (let b = spec.offset / 256; b < end / 256; b++) {
        blocks[2 * b] = spec.claimed ? -1 : factor(spec.name);
        blocks[2 * b + 1] = spec.decay ? 1 : 0;
      }
    }
    this.gpu.device.queue.writeBuffer(this.blocks(), 0, blocks);
  }

  /**
   * Forgets gradients and both AdamW moments: a new optimiser begins on weights that another one has trained. Gradients of
   * parameters that it does not touch must not count in its norm.
   */
  clearMoments(): void {
    if (!this.gpu) throw new Error('parameters are not allocated yet');
    const encoder = this.gpu.device.createCommandEncoder();
    for (const slab of ['grad', 'first', 'second'] as const) encoder.clearBuffer(this.slab(slab));
    this.gpu.device.queue.submit([encoder.finish()]);
  }

  dispose(): void {
    if (this.buffers) for (const b of Object.values(this.buffers)) b.destroy();
    this.blockBuffer?.destroy();
    this.halfBuffer?.destroy();
    for (const { buffer } of this.pairBuffers.values()) buffer.destroy();
    this.buffers = null;
  }
}
