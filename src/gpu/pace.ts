/**
 * Keeping the GPU fed from Node without burning a core. Dawn's Node binding polls in a busy loop while any promise is
 * pending: on a two-core machine with a CPU adapter that loop took most of a core from the kernels themselves (1.4 s for
 * a training step that takes 0.6 s without it). So a run is paced: sleep for about as long as it will take, and ask the
 * device only now and then, which also corrects the estimate. In a browser, waiting costs nothing and is done every time.
 */
export const inNode = typeof process !== 'undefined' && Boolean(process.versions?.node);

/** Every so many runs the device is really waited for. */
const ASK_EVERY = 8;

export class Pacer {
  private expected = 0;
  private runs = 0;
  private since = performance.now();

  /** Call after each submission. Returns when the work is nearly done; in a browser, when it is done. */
  async pace(device: GPUDevice): Promise<void> {
    if (this.runs === 0) this.since = performance.now();
    this.runs += 1;
    if (inNode && this.runs < ASK_EVERY && this.expected > 0) {
      await new Promise((resolve) => setTimeout(resolve, this.expected * 0.9));
      return;
    }
    const asked = performance.now();
    await device.queue.onSubmittedWorkDone();
    const now = performance.now();
    const measured = (now - this.since) / this.runs;
    // The run submitted last is still to be waited for unless the device has been idle: then the sleeps were too long,
    // and the time measured is the time slept.
    this.expected = now - asked < this.expected / 2 ? Math.min(measured, this.expected) * 0.6 : measured;
    this.runs = 0;
  }
}
