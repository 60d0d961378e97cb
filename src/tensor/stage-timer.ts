/** GPU time of the stages of one submission, by timestamp queries. */
export class StageTimer {
  private readonly set: GPUQuerySet;
  private readonly resolved: GPUBuffer;
  private readonly staging: GPUBuffer;
  private readonly stages: number;

  constructor(device: GPUDevice, stages: number) {
    this.stages = stages;
    this.set = device.createQuerySet({ type: 'timestamp', count: stages * 2 });
    const size = stages * 16;
    this.resolved = device.createBuffer({ size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    this.staging = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  }

  writes(stage: number): GPUComputePassTimestampWrites {
    return { querySet: this.set, beginningOfPassWriteIndex: stage * 2, endOfPassWriteIndex: stage * 2 + 1 };
  }

  resolve(encoder: GPUCommandEncoder): void {
    encoder.resolveQuerySet(this.set, 0, this.stages * 2, this.resolved, 0);
    encoder.copyBufferToBuffer(this.resolved, 0, this.staging, 0, this.stages * 16);
  }

  /** Milliseconds per stage; waits for the submission. */
  async read(): Promise<number[]> {
    await this.staging.mapAsync(GPUMapMode.READ);
    const t = new BigInt64Array(this.staging.getMappedRange().slice(0));
    this.staging.unmap();
    return Array.from({ length: this.stages }, (_, i) => Number(t[2 * i + 1] - t[2 * i]) / 1e6);
  }

  dispose(): void {
    this.set.destroy();
    this.resolved.destroy();
    this.staging.destroy();
  }
}
