// The lab worker's half of the GPU tab: owns a device of its own and runs one job at a time. Every call answers with an
// Outcome; after a lost or broken device the next call opens another one.

import type { Finding } from '../../bench/doctor.ts';
import type { Job } from '../../bench/jobs.ts';
import { type AdapterReport, type Gpu, type GpuResult, isBroken, type TileTable } from '../../gpu/device.ts';
import { type KernelEntry, lackOf } from '../../tensor/registry/entry.ts';
import type { Failure, Outcome } from '../playground/protocol.ts';
import type { KernelCard, LabApi, LabMessage, LabOpened } from './lab-protocol.ts';

export interface LabHostParts {
  openGpu(): Promise<GpuResult>;
  /** The registry and the jobs; loaded once the device is there. */
  bench(): Promise<{
    KERNELS: readonly KernelEntry[];
    proofPlan: typeof import('../../bench/proof.ts').proofPlan;
    examine: typeof import('../../bench/doctor.ts').examine;
    runJob: typeof import('../../bench/jobs.ts').runJob;
  }>;
  /** Keeps the tiles that a job has chosen; not needed where nothing is kept. */
  keepTiles?(report: AdapterReport, tiles: TileTable): Promise<void>;
}

function card(entry: KernelEntry, gpu: Gpu): KernelCard {
  return {
    name: entry.name,
    family: entry.family,
    about: entry.about,
    bindings: entry.bindings,
    uniform: entry.uniform,
    dispatch: entry.dispatch,
    flops: entry.flops,
    bytes: entry.bytes,
    bench: entry.bench.name,
    cases: entry.cases.length,
    ladder: entry.variants.some((v) => v.idea),
    variants: entry.variants.map((v) => ({
      name: v.name,
      when: v.when,
      files: v.files,
      idea: v.idea ?? '',
      lost: v.lost ?? '',
      used: v.chosen(gpu.conditions),
      lacks: lackOf(v, gpu.conditions),
    })),
  };
}

export class LabHost implements LabApi {
  readonly #parts: LabHostParts;
  #gpu: Gpu | null = null;
  #abort: AbortController | null = null;

  constructor(parts: LabHostParts) {
    this.#parts = parts;
  }

  async open(): Promise<Outcome<LabOpened>> {
    const device = await this.#device();
    if (!device.ok) return device;
    const gpu = device.value;
    const { KERNELS, proofPlan } = await this.#parts.bench();
    return {
      ok: true,
      value: {
        report: gpu.report,
        conditions: gpu.conditions,
        kernels: KERNELS.filter((k) => k.exists?.(gpu.conditions) ?? true).map((k) => card(k, gpu)),
        checks: proofPlan(gpu.conditions).length,
      },
    };
  }

  async examine(): Promise<Outcome<Finding[]>> {
    const device = await this.#device();
    if (!device.ok) return device;
    const { examine } = await this.#parts.bench();
    try {
      return { ok: true, value: await examine(device.value) };
    } catch (error) {
      return this.#failure(error);
    }
  }

  async run(job: Job, events: MessagePort): Promise<Outcome<'done' | 'stopped'>> {
    const device = await this.#device();
    if (!device.ok) return device;
    const { runJob } = await this.#parts.bench();
    const abort = new AbortController();
    this.#abort = abort;
    const emit = (message: LabMessage): void => events.postMessage(message);
    try {
      await runJob(device.value, job, emit, abort.signal);
      const { report, conditions } = device.value;
      // A page without storage measures anew at the next visit.
      if (job.kind === 'tiles' && conditions.tiles) {
        await this.#parts.keepTiles?.(report, conditions.tiles).catch(() => undefined);
      }
      return { ok: true, value: abort.signal.aborted ? 'stopped' : 'done' };
    } catch (error) {
      return this.#failure(error);
    } finally {
      this.#abort = null;
      emit({ kind: 'end' });
      events.close();
    }
  }

  async stop(): Promise<void> {
    this.#abort?.abort();
  }

  async #device(): Promise<Outcome<Gpu>> {
    if (this.#gpu && !isBroken(this.#gpu)) return { ok: true, value: this.#gpu };
    // One with a full memory would still hold it.
    this.#gpu?.dispose();
    const opened = await this.#parts.openGpu();
    if (!opened.ok) return { ok: false, code: 'no-webgpu', reason: opened.reason, advice: opened.advice };
    this.#gpu = opened.gpu;
    return { ok: true, value: opened.gpu };
  }

  #failure(error: unknown): Failure {
    const reason = error instanceof Error ? error.message : String(error);
    const broken = this.#gpu !== null && isBroken(this.#gpu);
    return {
      ok: false,
      code: broken ? 'device-lost' : 'internal',
      reason,
      advice: broken
        ? 'A new device is opened with the next run.'
        : 'This is a defect of the lab; the console may say more.',
    };
  }
}
