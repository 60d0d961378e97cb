/**
 * Waiting for the GPU from Node without burning a core. Dawn's Node binding asks for finished work on every turn of the event
 * loop, by the global setImmediate, for as long as any promise of it is pending. On a CPU adapter that loop took a core from
 * the kernels themselves: on two cores a training step of Dreamer 4 micro (`lab rungs --only micro --step --rows 6`) took 0.8 s
 * instead of 0.5 s. So there the thread rests before it asks again. On real GPUs, whose host has nothing better to do, Dawn
 * asks as it likes.
 */
export const inNode = typeof process !== 'undefined' && Boolean(process.versions?.node);

/** A tenth of the time waited so far, within these bounds: every poll takes a kernel's thread off its core for a moment. */
const rest = (waitedMs: number): number => Math.min(Math.max(waitedMs / 10, 0.5), 4);

type Ask = (run: (...args: unknown[]) => void, ...args: unknown[]) => unknown;

/** Dawn's callbacks are native functions without a name. So are a promise's, which may rest too and lose nothing by it. */
const isPoll = (run: (...args: unknown[]) => void): boolean =>
  run.name === '' && Function.prototype.toString.call(run).includes('[native code]');

/** `ask` (setImmediate) with a `sleep` before each poll that a poll asked for; the first one of a wait comes at once. */
export function resting(ask: Ask, sleep: (ms: number) => void, now = () => performance.now()): Ask {
  let polling = false;
  let began = 0;
  return (run, ...args) => {
    if (!isPoll(run)) return ask(run, ...args);
    const again = polling;
    if (!again) began = now();
    // The rest comes before the next poll and not after this one: what this one resolved goes on without it.
    return ask(() => {
      if (again) sleep(rest(now() - began));
      polling = true;
      try {
        run(...args);
      } finally {
        polling = false;
      }
    });
  };
}

const INSTALLED = Symbol.for('tenfold.resting');

/**
 * From now on Dawn's polls in this thread of Node rest, whatever device is opened later. Node's own timers do not go through
 * the global.
 */
export function restBetweenPolls(): void {
  const own = globalThis.setImmediate;
  if (!inNode || INSTALLED in own) return;
  const word = new Int32Array(new SharedArrayBuffer(4));
  const asked = resting(own as unknown as Ask, (ms) => Atomics.wait(word, 0, 0, ms));
  // What util.promisify knows it by, among others.
  const kept = { ...Object.getOwnPropertyDescriptors(own), [INSTALLED]: { value: true } };
  globalThis.setImmediate = Object.defineProperties(asked, kept) as unknown as typeof setImmediate;
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
