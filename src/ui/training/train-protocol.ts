// Everything that crosses a thread on a training page. Types only.
//
//   page --Comlink--> train worker  (TrainApi)       commands
//   train worker --MessagePort--> page              (TrainMessage) what happens while a run goes on
//   sim worker --MessagePort--> train worker        (TruthMessage) true frames for the dream that is played meanwhile

import type { Checkpoint, Field, Phase, View } from '../../methods/contract.ts';
import type { DreamInfo } from '../../methods/dreamer4/play-contract.ts';
import type { DreamReport, GpuApi, Outcome } from '../playground/protocol.ts';
import type { Point } from './series.ts';

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

/** One per run, for its kept copy and its record: a run that is reopened is still the same. */
export interface RunIdentity {
  id: string;
  /** When it began, milliseconds since 1970; shown, never used in a result. */
  at: number;
}

export interface RunOpened extends RunIdentity {
  request: RunRequest;
  phases: readonly Phase[];
  adapter: string;
  status: RunStatus;
  phase: string;
  step: number;
  /** Milliseconds of work so far, and the lines measured so far by `<phase>/<metric>`: a reopened run has some. */
  workMs: number;
  lines: Readonly<Record<string, readonly Point[]>>;
}

/** A run that this browser kept. */
export interface KeptRun extends RunIdentity {
  preset: string;
  seed: number;
  /** Title of its phase, how far that was, and of how many steps. */
  title: string;
  step: number;
  steps: number;
  done: boolean;
}

export type RunStatus = 'running' | 'paused' | 'done' | 'failed';

export type TrainMessage =
  | { kind: 'metrics'; phase: string; step: number; values: Record<string, number> }
  | { kind: 'log'; text: string }
  /** `dreamSteps`: training steps behind the weights that a dream would have now; 0 while there is nothing to dream with. */
  | { kind: 'progress'; status: RunStatus; phase: string; step: number; workMs: number; dreamSteps: number }
  /** The run as it was at that step outlives the tab; `problem`: why it does not. */
  | { kind: 'kept'; phase: string; step: number; problem: string };

/** A dreamed frame, and how many training steps the weights that dreamed it have seen. */
export type LiveReport = DreamReport & { weightSteps: number };

/** A dream with the weights that are being trained, between slices of the training; as in the playground otherwise. */
export interface LiveDreamApi extends Pick<GpuApi, 'dreamFromTruth' | 'rebuild'> {
  openDream(canvas: OffscreenCanvas | null, truth: MessagePort): Promise<Outcome<DreamInfo>>;
  dream(...step: Parameters<GpuApi['step']>): Promise<Outcome<LiveReport>>;
  /** The training has all the time again. */
  closeDream(): Promise<void>;
}

export interface TrainApi extends LiveDreamApi {
  describe(): Promise<Outcome<MethodCard>>;
  start(request: RunRequest, identity: RunIdentity, events: MessagePort): Promise<Outcome<RunOpened>>;
  /** Runs that this browser kept, the newest first. */
  kept(): Promise<readonly KeptRun[]>;
  /** Goes on with one of them; a finished one is only opened. */
  reopen(id: string, events: MessagePort): Promise<Outcome<RunOpened>>;
  forget(id: string): Promise<Outcome<null>>;
  /** Stands still; the run is kept. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** One training step, then paused. */
  step(): Promise<void>;
  /** Ends the training. The run is kept and stays open for save() and export() until another one begins. */
  stop(): Promise<void>;
  /** The run as it is now; of a failed one the last good copy. */
  save(): Promise<Outcome<Checkpoint>>;
  /** The weights alone, for the playground. */
  export(title: string): Promise<Outcome<Checkpoint>>;
  /** Resumes from a saved file; the run has to be open with the same preset. */
  load(bytes: Uint8Array<ArrayBuffer>): Promise<Outcome<null>>;
  samples(): Promise<Outcome<View>>;
}
