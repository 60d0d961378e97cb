// What crosses the thread between the page of this method and its worker. Types only.

import type { Selector } from '../../../tensor/ops/topk.ts';
import type { DsaConfig } from '../config.ts';
import type { CostPoint } from '../cost.ts';
import type { Probe } from '../inspect.ts';
import type { Quant } from '../ops.ts';
import type { Task } from '../tasks.ts';

export type Answer<T> = { ok: true; value: T } | { ok: false; reason: string };

export interface Opened {
  adapter: string;
  config: DsaConfig;
  /** What the file says about itself. */
  title: string;
  /** Seed of the rows that are shown. */
  rowSeed: number;
}

export interface ProbeRequest {
  task: Task;
  /** Number of the row among those that no training used. */
  index: number;
  quant: Quant;
  hadamard: boolean;
  /** Keys that sparse attention reads; null: dense attention. */
  k: number | null;
}

/** What one selection kernel chose. */
export interface Choice {
  selector: Selector;
  chosen: number[];
}

export interface TrainState {
  phase: string;
  title: string;
  step: number;
  steps: number;
  done: boolean;
  /** Numbers of the last measured step. */
  values: Record<string, number>;
}

export interface DsaApi {
  /** Opens the device and the weights of a checkpoint. */
  open(checkpoint: Uint8Array<ArrayBuffer>): Promise<Answer<Opened>>;
  probe(request: ProbeRequest): Promise<Answer<Probe>>;
  /** Runs every selection kernel on these scores. */
  select(scores: Float32Array<ArrayBuffer>, k: number): Promise<Answer<Choice[]>>;
  cost(position: number, phase: 'decode' | 'prefill', k: number): Promise<Answer<CostPoint>>;
  /** Begins a run of the preset with this seed; its weights take the place of the checkpoint's. */
  start(preset: string, seed: number): Promise<Answer<TrainState>>;
  /** Trains for about this long. */
  advance(ms: number): Promise<Answer<TrainState>>;
}
