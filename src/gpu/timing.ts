/**
 * Time per run of GPU work, measured so that it can be compared: every entrant is warmed up, then the entrants take turns
 * for several rounds in one process, and the figure is the median over rounds with its quartiles. One sample is a batch of
 * runs long enough for the clock. Not a profiler of a program's parts: see Program.runTimed and Program.profile.
 *
 * Clock: timestamp queries around a pass that holds the whole batch, where the adapter has them and every entrant can
 * record itself; else completion of the batch. (Browsers round timestamps to 0.1 ms, hence the length of a batch.)
 * Entrants that were timed by different clocks are never compared: a race has one clock.
 */

/** Someone who can be timed. `turn` counts runs: an entrant with several copies of its inputs takes copy `turn % copies`. */
export interface Entrant {
  name: string;
  /** Dispatches of one run, for the launch-bound mark; 1 if not given. */
  dispatches?: number;
  /** Writes one run into an open pass. */
  record?(pass: GPUComputePassEncoder, turn: number): void;
  /** Or: hands one run to the device's queue by itself, without waiting for the GPU. */
  issue?(turn: number): void | Promise<void>;
  /** After the last `issue` of a batch: hands over what was held back. The queue's completion is awaited after it. */
  flush?(): void | Promise<void>;
}

export type Clock = 'timestamp' | 'completion';

/** Milliseconds per run. */
export interface Timing {
  median: number;
  q1: number;
  q3: number;
  min: number;
  /** Batches measured, and runs per batch. */
  samples: number;
  repeats: number;
  clock: Clock;
  /** More than half of the time is the cost of launching: the figure says little about the kernel. */
  launchBound: boolean;
}

export interface RaceOptions {
  clock?: Clock;
  rounds?: number;
  /** Shortest batch in milliseconds. */
  batchMs?: number;
  /** Most runs of one batch. */
  maxRepeats?: number;
  /** No new round starts after this many milliseconds if there have been three. */
  budgetMs?: number;
  /**
   * Milliseconds for each entrant. Whoever has used them sits out the remaining rounds, after three of them; one whose
   * single run takes longer has one sample.
   */
  entrantMs?: number;
  /** Every entrant has run already: nothing is left to compile, and the first run of a slow one counts. */
  warm?: boolean;
  /** Called before every batch; throw from it to stop the race. */
  onBatch?(name: string, round: number): void;
}

const WARM_UPS = 2;
const LEAST_ROUNDS = 3;

/** Bytes that rotated inputs should cover: more than the last-level cache of most machines. */
export const CACHE_BYTES = 64 << 20;

/**
 * Copies of an input set of `bytes` to rotate, so that a run does not find its inputs in a cache. `mostCopies`: each takes time
 * to make. The default covers CACHE_BYTES with sets of half a MiB or more; smaller ones may stay in a cache (`staysCached`).
 */
export function copiesFor(bytes: number, mostBytes = 256 << 20, mostCopies = 128): number {
  const wanted = Math.ceil(CACHE_BYTES / Math.max(1, bytes));
  return Math.max(1, Math.min(wanted, mostCopies, Math.floor(mostBytes / Math.max(1, bytes))));
}

/** Whether rotated inputs of so many bytes in all may lie in a last-level cache: a time over them says nothing about memory. */
export const staysCached = (bytes: number): boolean => bytes < CACHE_BYTES / 2;

/** Quantile of sorted numbers by linear interpolation. */
export function quantile(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

export function summarise(samples: readonly number[], repeats: number, clock: Clock, launchMs: number): Timing {
  const sorted = [...samples].sort((a, b) => a - b);
  const median = quantile(sorted, 0.5);
  return {
    median,
    q1: quantile(sorted, 0.25),
    q3: quantile(sorted, 0.75),
    min: sorted[0],
    samples: sorted.length,
    repeats,
    clock,
    launchBound: launchMs > median / 2,
  };
}

/** Times batches on one device; keeps the query set. One batch at a time. */
class Stopwatch {
  private readonly device: GPUDevice;
  private readonly queries: { set: GPUQuerySet; resolved: GPUBuffer; staging: GPUBuffer } | null = null;

  constructor(device: GPUDevice, clock: Clock) {
    this.device = device;
    if (clock === 'timestamp') {
      this.queries = {
        set: device.createQuerySet({ type: 'timestamp', count: 2 }),
        resolved: device.createBuffer({ size: 16, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC }),
        staging: device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST }),
      };
    }
  }

  /** Milliseconds of `repeats` runs. */
  async batch(entrant: Entrant, from: number, repeats: number): Promise<number> {
    const { device, queries } = this;
    const start = performance.now();
    if (entrant.record) {
      const encoder = device.createCommandEncoder();
      const timestampWrites = queries
        ? { querySet: queries.set, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 }
        : undefined;
      const pass = encoder.beginComputePass({ timestampWrites });
      for (let i = 0; i < repeats; i++) entrant.record(pass, from + i);
      pass.end();
      if (queries) {
        encoder.resolveQuerySet(queries.set, 0, 2, queries.resolved, 0);
        encoder.copyBufferToBuffer(queries.resolved, 0, queries.staging, 0, 16);
      }
      device.queue.submit([encoder.finish()]);
    } else if (entrant.issue) {
      for (let i = 0; i < repeats; i++) await entrant.issue(from + i);
    }
    await entrant.flush?.();
    await device.queue.onSubmittedWorkDone();
    if (!queries || !entrant.record) return performance.now() - start;
    await queries.staging.mapAsync(GPUMapMode.READ);
    const [begin, end] = new BigInt64Array(queries.staging.getMappedRange());
    const ms = Number(end - begin) / 1e6;
    queries.staging.unmap();
    return ms;
  }

  dispose(): void {
    this.queries?.set.destroy();
    this.queries?.resolved.destroy();
    this.queries?.staging.destroy();
  }
}

/** The clock that a race of these entrants gets. */
export function clockFor(device: GPUDevice, entrants: readonly Entrant[]): Clock {
  return device.features.has('timestamp-query') && entrants.every((e) => e.record) ? 'timestamp' : 'completion';
}

/**
 * Time per run of every entrant, in the order given. Throws what an entrant throws: whoever races strangers catches their
 * errors before they come here, with one run of each.
 */
export async function race(
  device: GPUDevice,
  entrants: readonly Entrant[],
  options: RaceOptions = {},
): Promise<Timing[]> {
  const { rounds = 9, budgetMs = Number.POSITIVE_INFINITY, entrantMs = Number.POSITIVE_INFINITY, onBatch } = options;
  const clock = options.clock ?? clockFor(device, entrants);
  if (clock === 'timestamp' && entrants.some((e) => !e.record)) {
    throw new Error('race: timestamps need entrants that record themselves');
  }
  const launch = await launchCost(device);
  const watch = new Stopwatch(device, clock);
  try {
    const runners: Runner[] = [];
    for (const entrant of entrants) {
      onBatch?.(entrant.name, -1);
      runners.push(await prepare(watch, entrant, options));
    }
    const start = performance.now();
    for (let round = 0; round < rounds; round++) {
      if (round >= LEAST_ROUNDS && performance.now() - start > budgetMs) break;
      // Every other round backwards: whoever runs after a heavy neighbour is not always the same one.
      for (const runner of round % 2 === 0 ? runners : [...runners].reverse()) {
        const { samples, repeats, usedMs } = runner;
        if (usedMs > entrantMs && samples.length >= (samples[0] > entrantMs ? 1 : LEAST_ROUNDS)) continue;
        onBatch?.(runner.entrant.name, round);
        const ms = await watch.batch(runner.entrant, runner.turn, repeats);
        runner.turn += repeats;
        runner.usedMs += ms;
        samples.push(ms / repeats);
      }
    }
    return runners.map(({ entrant, samples, repeats }) => {
      const submission = entrant.record ? 0 : launch.submitMs;
      return summarise(samples, repeats, clock, submission + launch.dispatchMs * (entrant.dispatches ?? 1));
    });
  } finally {
    watch.dispose();
  }
}

interface Runner {
  entrant: Entrant;
  repeats: number;
  turn: number;
  samples: number[];
  usedMs: number;
}

/** First runs (compilation, first touch of memory), then as many runs per batch as the clock needs. */
async function prepare(watch: Stopwatch, entrant: Entrant, options: RaceOptions): Promise<Runner> {
  const { batchMs = 30, maxRepeats = 1000, entrantMs = Number.POSITIVE_INFINITY, warm = false } = options;
  const runner: Runner = { entrant, repeats: 1, turn: 0, samples: [], usedMs: 0 };
  let ms = 0;
  // The batch grows until it fills the time: a single run of a small kernel is mostly the way to the GPU and back.
  for (let i = 0; i < WARM_UPS || (ms < batchMs && runner.repeats < maxRepeats && i < 8); i++) {
    if (i >= WARM_UPS) {
      const wanted = Math.ceil((runner.repeats * batchMs * 1.1) / Math.max(ms, 0.01));
      runner.repeats = Math.min(maxRepeats, Math.max(runner.repeats + 1, Math.min(wanted, runner.repeats * 10)));
    }
    ms = await watch.batch(entrant, runner.turn, runner.repeats);
    runner.turn += runner.repeats;
    if (warm && ms > entrantMs) {
      runner.samples.push(ms);
      runner.usedMs = ms;
      break;
    }
  }
  return runner;
}

export interface LaunchCost {
  /** One more dispatch of an empty kernel in a pass, and one more submission of such a pass: milliseconds. */
  dispatchMs: number;
  submitMs: number;
}

const launchCosts = new WeakMap<GPUDevice, Promise<LaunchCost>>();

/** Measured once per device. */
export function launchCost(device: GPUDevice): Promise<LaunchCost> {
  let known = launchCosts.get(device);
  if (!known) {
    known = measureLaunch(device);
    launchCosts.set(device, known);
  }
  return known;
}

async function measureLaunch(device: GPUDevice): Promise<LaunchCost> {
  const module = device.createShaderModule({ code: '@compute @workgroup_size(1) fn main() {}', label: 'empty' });
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } });
  const record = (pass: GPUComputePassEncoder): void => {
    pass.setPipeline(pipeline);
    pass.dispatchWorkgroups(1);
  };
  const issue = (): void => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    record(pass);
    pass.end();
    device.queue.submit([encoder.finish()]);
  };
  const cost = async (entrant: Entrant, repeats: number): Promise<number> => {
    const watch = new Stopwatch(device, clockFor(device, [entrant]));
    const samples: number[] = [];
    for (let i = 0; i < 5; i++) {
      const ms = await watch.batch(entrant, 0, repeats);
      if (i > 0) samples.push(ms / repeats);
    }
    watch.dispose();
    return Math.min(...samples);
  };
  return {
    dispatchMs: await cost({ name: 'dispatch', record }, 1000),
    submitMs: await cost({ name: 'submit', issue }, 100),
  };
}
