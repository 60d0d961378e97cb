/**
 * Weights of a model that is only used, not trained: matrices in bfloat16, one buffer each, as [out, in] rows; vectors in
 * f32. A PackedScope puts them where a model built on Scope asks for its parameters.
 */
import type { Gpu } from '../gpu/device.ts';
import type { Graph, Tensor } from '../tensor/graph.ts';
import { packedEmbedding, packedLinear } from '../tensor/ops/packed-bf16.ts';
import { type Projection, Scope } from './layers.ts';
import { type Init, ParamStore } from './params.ts';

interface Matrix {
  buffer: GPUBuffer;
  rows: number;
  columns: number;
}

export class PackedWeights {
  /** Vectors: declared by the caller, allocated without training buffers. */
  readonly vectors = new ParamStore();
  private readonly gpu: Gpu;
  private readonly matrices = new Map<string, Matrix>();

  constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  /** Bytes of all matrices. */
  get bytes(): number {
    let sum = 0;
    for (const m of this.matrices.values()) sum += m.rows * m.columns * 2;
    return sum;
  }

  /** Makes the buffer of a matrix. Throws when this adapter cannot bind it. */
  declare(name: string, rows: number, columns: number): void {
    const { device } = this.gpu;
    const size = rows * columns * 2;
    const limit = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
    if (columns % 8 !== 0) throw new Error(`${name}: rows of ${columns} numbers are no multiple of 8`);
    if (size > limit) {
      throw new Error(
        `${name} [${rows},${columns}] takes ${Math.ceil(size / 2 ** 20)} MiB, this adapter binds at most ${Math.floor(limit / 2 ** 20)} MiB at once.`,
      );
    }
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    this.matrices.set(name, { buffer: device.createBuffer({ size, usage, label: name }), rows, columns });
  }

  /** Writes bfloat16 rows from row `from` on. */
  write(name: string, from: number, bytes: Uint8Array<ArrayBuffer>): void {
    const m = this.find(name);
    this.gpu.device.queue.writeBuffer(m.buffer, from * m.columns * 2, bytes);
  }

  private find(name: string): Matrix {
    const m = this.matrices.get(name);
    if (!m) throw new Error(`no matrix named ${name}`);
    return m;
  }

  tensor(graph: Graph, name: string): Tensor {
    const m = this.find(name);
    return graph.external(name, [m.rows, m.columns / 2], () => m.buffer);
  }

  dispose(): void {
    for (const m of this.matrices.values()) m.buffer.destroy();
    this.matrices.clear();
    this.vectors.dispose();
  }
}

export class PackedScope extends Scope {
  private readonly weights: PackedWeights;

  constructor(graph: Graph, weights: PackedWeights) {
    super(graph, weights.vectors);
    this.weights = weights;
  }

  override project(name: string, x: Tensor, out: number, options: Projection = {}): Tensor {
    if (options.bias) throw new Error(`${name}: packed weights have no biases`);
    const w = this.weights.tensor(this.graph, `${name}.w`);
    if (w.shape[0] !== out) throw new Error(`${name}: the file gives ${w.shape[0]} outputs, the model wants ${out}`);
    return packedLinear(x, w, options.residual);
  }

  override embed(name: string, ids: Tensor, _shape: [number, number], _init: Init): Tensor {
    return packedEmbedding(ids, this.weights.tensor(this.graph, name));
  }

  override unembed(name: string, x: Tensor, _shape: [number, number], _init: Init): Tensor {
    return packedLinear(x, this.weights.tensor(this.graph, name));
  }
}
