/**
 * Compute pipelines, made once per (code, entry point, constants) and shared by every program of a device.
 * The binding convention of the whole engine: group 0 holds the storage buffers of a kernel at bindings 0..n-1, all
 * `read_write` (tensors live in one arena buffer, and WebGPU forbids mixing access modes of one buffer in a dispatch),
 * followed by one uniform struct at binding n.
 */

export interface PipelineSpec {
  code: string;
  entryPoint: string;
  /** Number of storage bindings; the uniform struct follows them. */
  storage: number;
  constants?: Record<string, number>;
  label?: string;
}

export class PipelineCache {
  private readonly layouts = new Map<number, { bind: GPUBindGroupLayout; pipeline: GPUPipelineLayout }>();
  private readonly modules = new Map<string, GPUShaderModule>();
  private readonly pipelines = new Map<string, GPUComputePipeline>();
  private readonly device: GPUDevice;

  constructor(device: GPUDevice) {
    this.device = device;
  }

  /** Number of distinct pipelines made so far. */
  get size(): number {
    return this.pipelines.size;
  }

  layout(storage: number): { bind: GPUBindGroupLayout; pipeline: GPUPipelineLayout } {
    let entry = this.layouts.get(storage);
    if (!entry) {
      const entries: GPUBindGroupLayoutEntry[] = [];
      for (let i = 0; i < storage; i++) {
        entries.push({ binding: i, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'storage' } });
      }
      entries.push({ binding: storage, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'uniform' } });
      const bind = this.device.createBindGroupLayout({ entries });
      entry = { bind, pipeline: this.device.createPipelineLayout({ bindGroupLayouts: [bind] }) };
      this.layouts.set(storage, entry);
    }
    return entry;
  }

  get(spec: PipelineSpec): GPUComputePipeline {
    const constants = spec.constants ?? {};
    const key = `${spec.entryPoint}|${spec.storage}|${JSON.stringify(constants)}|${spec.code}`;
    let pipeline = this.pipelines.get(key);
    if (!pipeline) {
      let module = this.modules.get(spec.code);
      if (!module) {
        module = this.device.createShaderModule({ code: spec.code, label: spec.label });
        this.modules.set(spec.code, module);
      }
      pipeline = this.device.createComputePipeline({
        label: spec.label,
        layout: this.layout(spec.storage).pipeline,
        compute: { module, entryPoint: spec.entryPoint, constants },
      });
      this.pipelines.set(key, pipeline);
    }
    return pipeline;
  }
}
