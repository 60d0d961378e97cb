/**
 * Waiting for the GPU from Node without burning a core. Dawn's Node binding polls in a busy loop while any promise is
 * pending: on a two-core machine with a CPU adapter that loop took most of a core from the kernels themselves (1.4 s for
 * a training step that took 0.6 s without it). So sleep for most of the shortest time that a recent run took, and only
 * then ask. The shortest, because sleeping too long leaves the device idle, and a first run contains the compilation.
 */
export const inNode = typeof process !== 'undefined' && Boolean(process.versions?.node);

const REMEMBERED = 8;

export class Pacer {
  private readonly recent: number[] = [];

  /** Call after a submission: resolves when the device is done. In a browser, waiting costs nothing and is plain. */
  async wait(device: GPUDevice): Promise<void> {
    const start = performance.now();
    const nap = inNode && this.recent.length > 1 ? Math.min(...this.recent) * 0.9 : 0;
    if (nap > 2) await new Promise((resolve) => setTimeout(resolve, nap));
    await device.queue.onSubmittedWorkDone();
    // A run that was over before we asked took at most the nap; a little less next time finds out.
    this.recent.push(performance.now() - start);
    if (this.recent.length > REMEMBERED) this.recent.shift();
  }
}

/** Submissions that may wait on a real GPU while the host prepares the next one. */
const AHEAD = 3;
const backlog = new WeakMap<GPUDevice, Promise<unknown>[]>();

/**
 * Call after a submission of a loop: resolves when at most `AHEAD` submissions are unfinished, so that the device never
 * idles while the host builds the next batch, and the host never runs away from it.
 */
export async function throttle(device: GPUDevice): Promise<void> {
  const waiting = backlog.get(device) ?? [];
  backlog.set(device, waiting);
  // A lost device is told of by whoever uses it next, not by a promise that nobody may be waiting for.
  waiting.push(device.queue.onSubmittedWorkDone().catch(() => undefined));
  if (waiting.length > AHEAD) await waiting.shift();
}
