// Everything that crosses a thread on a training page. Types only.
//
//   page --Comlink--> train worker  (TrainApi)       commands
//   train worker --MessagePort--> page              (TrainMessage) what happens while a run goes on

import type { Checkpoint, Field, Phase, View } from '../../methods/contract.ts';
import type { Outcome } from '../playground/protocol.ts';

export interface MethodCard {
  title: string;
  presets: readonly { name: string; values: Record<string, number> }[];
  fields: readonly Field[];
}

export interface RunRequest {
  preset: string;
  seed: number;
  /** Changed fields, by dotted key. */
  set: Record<string, number>;
}

export interface RunOpened {
  phases: readonly Phase[];
  adapter: string;
}

export type RunStatus = 'running' | 'paused' | 'done' | 'failed';

export type TrainMessage =
  | { kind: 'metrics'; phase: string; step: number; values: Record<string, number> }
  | { kind: 'log'; text: string }
  | { kind: 'progress'; status: RunStatus; phase: string; step: number; workMs: number };

export interface TrainApi {
  describe(): Promise<Outcome<MethodCard>>;
  start(request: RunRequest, events: MessagePort): Promise<Outcome<RunOpened>>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** One training step, then paused. */
  step(): Promise<void>;
  stop(): Promise<void>;
  save(): Promise<Outcome<Checkpoint>>;
  /** The weights alone, for the playground. */
  export(title: string): Promise<Outcome<Checkpoint>>;
  /** Resumes from a saved file; the run has to be open with the same preset. */
  load(bytes: Uint8Array<ArrayBuffer>): Promise<Outcome<null>>;
  samples(): Promise<Outcome<View>>;
}
