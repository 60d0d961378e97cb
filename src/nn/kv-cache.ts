/**
 * Keys and values of every layer of a model, addressed by sequence and position; they outlive the programs that use them.
 * Nothing has to be cleared: a row sees only the positions that its bounds name.
 */
import { fromHalf } from '../data/safetensors.ts';
import { type Gpu, halfCache } from '../gpu/device.ts';
import { Readback } from '../gpu/readback.ts';
import type { Graph, Tensor } from '../tensor/graph.ts';
import type { Heads } from '../tensor/ops/attention.ts';

export class KvCache {
  readonly sequences: number;
  /** Positions per sequence. */
  readonly capacity: number;
  private readonly gpu: Gpu;
  private readonly heads: Heads;
  private readonly layers = new Map<string, GPUBuffer>();

  constructor(gpu: Gpu, sequences: number, capacity: number, heads: Heads) {
    this.gpu = gpu;
    this.sequences = sequences;
    this.capacity = capacity;
    this.heads = heads;
  }

  private get shape(): number[] {
    const words = this.heads.dim / (halfCache(this.gpu.conditions) ? 2 : 1);
    return [this.sequences, this.capacity, 2, this.heads.kvHeads, words];
  }

  /** Bytes of one layer. */
  get layerBytes(): number {
    return this.shape.reduce((a, b) => a * b, 4);
  }

  get bytes(): number {
    return this.layerBytes * this.layers.size;
  }

  /** [sequences, capacity, 2, G, words of a head] of the named layer, made when first asked for. */
  layer(graph: Graph, name: string): Tensor {
    const { device } = this.gpu;
    const limit = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
    if (this.layerBytes > limit) {
      throw new Error(
        `KV cache: ${this.sequences} sequences of ${this.capacity} positions take ${Math.ceil(this.layerBytes / 2 ** 20)} MiB per layer, this adapter binds at most ${Math.floor(limit / 2 ** 20)} MiB. Use fewer or shorter sequences.`,
      );
    }
    if (!this.layers.has(name)) {
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      this.layers.set(name, device.createBuffer({ size: this.layerBytes, usage, label: `cache ${name}` }));
    }
    return graph.external(`cache ${name}`, this.shape, () => this.layers.get(name) as GPUBuffer);
  }

  /** Keys and values of every layer as they are now, [sequences, capacity, 2, G, dh] each. */
  async read(): Promise<Map<string, Float32Array<ArrayBuffer>>> {
    const readback = new Readback(this.gpu.device);
    const half = halfCache(this.gpu.conditions);
    const out = new Map<string, Float32Array<ArrayBuffer>>();
    for (const [name, buffer] of this.layers) {
      const bytes = await readback.read(buffer);
      out.set(name, half ? Float32Array.from(new Uint16Array(bytes), fromHalf) : new Float32Array(bytes));
    }
    readback.dispose();
    return out;
  }

  dispose(): void {
    for (const b of this.layers.values()) b.destroy();
    this.layers.clear();
  }
}
