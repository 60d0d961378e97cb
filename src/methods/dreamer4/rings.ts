/**
 * Key/value rings of a model's time layers: buffers that outlive the programs that read and write them. One clock per
 * window length says where the next frame goes and how many are valid.
 */
import { type Conditions, type Gpu, halfCache } from '../../gpu/device.ts';
import type { Graph } from '../../tensor/graph.ts';
import { hasRowBlocks } from '../../tensor/kernel.ts';
import { type Half, type Heads, type Ring, ropeTable } from '../../tensor/ops/attention.ts';

/**
 * The 16 bits that a dream keeps its past in, with a new frame in f32: where that is faster and the adapter has such numbers, or
 * where f16 was asked for.
 */
export function dreamsInHalves(c: Conditions): Half | undefined {
  if (halfCache(c) || (hasRowBlocks(c) && c.f16)) return 'f16';
  return c.software && c.subgroupSize === 4 ? 'bf16' : undefined;
}

export class RingSet {
  private readonly gpu: Gpu;
  private readonly streams: number;
  /** Frames that the next one sees, itself included. */
  readonly window: number;
  private readonly heads: Heads;
  private readonly half?: Half;
  private readonly data = new Map<string, GPUBuffer>();
  private readonly clock: GPUBuffer;
  /** Frames written since the last reset. */
  private frames = 0;

  /** `window` frames are visible including the new one, so window - 1 past frames are read. `half`: the 16 bits of keys and values. */
  constructor(gpu: Gpu, streams: number, window: number, heads: Heads, half?: Half) {
    this.gpu = gpu;
    this.streams = streams;
    this.window = window;
    this.heads = heads;
    this.half = half;
    this.clock = gpu.device.createBuffer({ size: 256, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
    this.reset();
  }

  get bytes(): number {
    let sum = 0;
    for (const b of this.data.values()) sum += b.size;
    return sum;
  }

  /** Past frames that the next frame can see. */
  get fill(): number {
    return Math.min(this.frames, this.window - 1);
  }

  /** The ring of one layer with `slots` sequences per stream. */
  ring(graph: Graph, layer: string, slots: number): Ring {
    const rows = this.streams * slots;
    const { kvHeads, dim } = this.heads;
    const shape = [rows, kvHeads, this.window, 2, this.half ? dim / 2 : dim];
    const bytes = shape.reduce((a, b) => a * b, 4);
    if (!this.data.has(layer)) {
      this.data.set(
        layer,
        this.gpu.device.createBuffer({ size: bytes, usage: GPUBufferUsage.STORAGE, label: `ring ${layer}` }),
      );
    }
    return {
      data: graph.external(`ring ${layer}`, shape, () => this.data.get(layer) as GPUBuffer),
      clock: graph.external(`clock ${this.window}`, [2], () => this.clock),
      table: graph.table(`ages ${this.window} ${dim}`, [this.window, dim], () => ropeTable(this.window, dim)),
      half: this.half,
      capacity: this.window,
      window: this.window,
    };
  }

  reset(): void {
    this.frames = 0;
    this.tick();
  }

  /** Call after a program that wrote a frame. */
  advance(): void {
    this.frames += 1;
    this.tick();
  }

  /** Sets the counter as if `frames` frames had been written: for tests of very long play. */
  seek(frames: number): void {
    this.frames = frames;
    this.tick();
  }

  private tick(): void {
    this.gpu.device.queue.writeBuffer(
      this.clock,
      0,
      new Uint32Array([this.frames % this.window, Math.min(this.frames, this.window)]),
    );
  }

  dispose(): void {
    for (const b of this.data.values()) b.destroy();
    this.clock.destroy();
  }
}
