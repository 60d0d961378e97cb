/** Copies of GPU buffers on the host. The staging buffer is kept: a loop that reads every few steps allocates nothing. */
export class Readback {
  private readonly device: GPUDevice;
  private staging: GPUBuffer | null = null;

  constructor(device: GPUDevice) {
    this.device = device;
  }

  /** Waits for everything submitted so far and copies `bytes` (a multiple of 4) from `offset` on. One call at a time. */
  async read(buffer: GPUBuffer, offset = 0, bytes = buffer.size - offset): Promise<ArrayBuffer> {
    if (!this.staging || this.staging.size < bytes) {
      this.staging?.destroy();
      this.staging = this.device.createBuffer({
        size: bytes,
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      });
    }
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, offset, this.staging, 0, bytes);
    this.device.queue.submit([encoder.finish()]);
    await this.staging.mapAsync(GPUMapMode.READ, 0, bytes);
    const copy = this.staging.getMappedRange(0, bytes).slice(0);
    this.staging.unmap();
    return copy;
  }

  dispose(): void {
    this.staging?.destroy();
    this.staging = null;
  }
}
