/**
 * The race as the page runs it, in a worker with a device of its own: our engine, jax-js and TensorFlow.js, which are
 * fetched when the race starts. onnxruntime-web runs headless only: its WebAssembly would be 25 MB of this page.
 */
import { type Gpu, type GpuResult, isBroken } from '../../gpu/device.ts';
import { openJax } from './jax.ts';
import { runRace, SETTINGS } from './run.ts';
import type { RaceReport, RaceRow } from './table.ts';
import { type Field, openField } from './teams.ts';
import { openTensorflow } from './tensorflow.ts';
import { idOf, shapeOf, titleOf, workloads } from './workloads.ts';

export interface RaceChoice {
  id: string;
  title: string;
}

export type RaceOutcome = { ok: true; report: RaceReport } | { ok: false; reason: string };

export interface RaceApi {
  /** Whether the device of the last race can have another one. The libraries keep it for ever: without it they need a new worker. */
  sound(): Promise<boolean>;
  /** What can be raced on this adapter. */
  rows(): Promise<RaceChoice[]>;
  /** Runs the rows with these ids; the callbacks tell how it goes. */
  start(
    ids: string[],
    onProgress: (done: number, of: number, words: string) => void,
    onRow: (row: RaceRow) => void,
  ): Promise<RaceOutcome>;
  /** Ends the race at the next batch; `start` resolves with the rows so far. */
  stop(): Promise<void>;
}

export class RaceSession {
  private readonly openGpu: () => Promise<GpuResult>;
  private gpu: Gpu | null = null;
  private field: Field | null = null;
  private stopped = false;

  constructor(openGpu: () => Promise<GpuResult>) {
    this.openGpu = openGpu;
  }

  sound(): boolean {
    return this.gpu !== null && !isBroken(this.gpu);
  }

  async rows(): Promise<RaceChoice[]> {
    const result = await this.open();
    const list = result.ok ? workloads(!result.gpu.report.software) : [];
    return list.map((w) => ({ id: idOf(w), title: `${titleOf(w)}, ${shapeOf(w)}` }));
  }

  async start(
    ids: readonly string[],
    onProgress: (done: number, of: number, words: string) => void,
    onRow: (row: RaceRow) => void,
  ): Promise<RaceOutcome> {
    const result = await this.open();
    if (!result.ok) return { ok: false, reason: result.reason };
    const { gpu } = result;
    this.stopped = false;
    try {
      onProgress(0, ids.length, 'Fetching jax-js and TensorFlow.js');
      // Both libraries keep one device for ever: who has started is not opened again.
      this.field = await openField(gpu, { 'jax-js': openJax, 'TensorFlow.js': openTensorflow }, this.field);
      const { teams, absent } = this.field;
      const list = workloads(!gpu.report.software).filter((w) => ids.includes(idOf(w)));
      const events = { progress: onProgress, row: onRow, stopped: () => this.stopped };
      const report = await runRace(gpu, teams, list, SETTINGS, events, absent);
      return { ok: true, report };
    } catch (error) {
      this.field = null;
      return { ok: false, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  stop(): void {
    this.stopped = true;
  }

  private async open(): Promise<GpuResult> {
    if (this.gpu && !isBroken(this.gpu)) return { ok: true, gpu: this.gpu };
    this.gpu?.dispose();
    this.field = null;
    const result = await this.openGpu();
    this.gpu = result.ok ? result.gpu : null;
    return result;
  }
}
