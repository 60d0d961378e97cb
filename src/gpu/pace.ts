/**
 * Waiting for the GPU without burning a core. Dawn's Node binding polls in a busy loop while any promise is pending: on a
 * two-core machine with a CPU adapter that took two thirds of the time from the kernels themselves (1.4 s instead of
 * 0.45 s for one training step). So sleep for most of the expected time first, and only then ask.
 */
export const inNode = typeof process !== 'undefined' && Boolean(process.versions?.node);

export class Pacer {
  private expected = 0;

  /** Resolves when all submitted work is done. */
  async wait(device: GPUDevice): Promise<void> {
    const start = performance.now();
    if (inNode && this.expected > 4) await new Promise((resolve) => setTimeout(resolve, this.expected * 0.95));
    const asked = performance.now();
    await device.queue.onSubmittedWorkDone();
    const end = performance.now();
    // Done before we asked: expect less next time. Otherwise follow the measured time, but slowly upwards: a process
    // that was suspended must not sleep for as long afterwards.
    this.expected = end - asked < 2 ? this.expected * 0.85 : Math.min(end - start, this.expected * 1.5 + 20);
  }
}
