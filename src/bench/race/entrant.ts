/** What the race asks of an engine: `Team` is the engine, `Contestant` one of its ways to do one workload. */
import type { Gpu } from '../../gpu/device.ts';
import type { InputSet, Workload } from './workloads.ts';

export interface Contestant {
  /** How the engine is called here, in one sentence. */
  how: string;
  /** Dispatches of one run, where the engine tells. */
  dispatches?: number;
  /**
   * Training steps, once there is a result: milliseconds from the start of tracing to the first loss, compilation included.
   * Pipelines that other rows of the race made on this device are not compiled again.
   */
  firstStepMs?: number;
  /** One run on input set `turn % sets`; a training step moves on to the next state. Does not wait for the GPU. */
  issue(turn: number): void | Promise<void>;
  flush?(): void | Promise<void>;
  /**
   * The result on input set 0 as it lies in memory; for training steps the losses of steps on the sets 0..updates from
   * the initial parameters, and then it is called before any `issue`.
   */
  result(): Promise<Float32Array>;
  dispose(): void;
}

export interface Team {
  name: string;
  version: string;
  /** Null: this engine does not do that workload, for a reason that `without` tells. */
  prepare(w: Workload, sets: readonly InputSet[]): Promise<Contestant | null>;
  /** Why a workload is left out. */
  without(w: Workload): string;
  close(): void;
}

/** Loads the engine and puts it on the race's device. */
export type OpenTeam = (gpu: Gpu) => Promise<Team>;
