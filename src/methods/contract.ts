/**
 * What the page, the command line and the run records know about a method: one `Method` object per folder, one `Session`
 * per run. Types only; nothing here knows a particular method. Sessions live where the device lives (worker or Node).
 */
import type { Gpu } from '../gpu/device.ts';

export interface RunContext {
  gpu: Gpu;
  seed: number;
  /** Called from inside advance(); must not be awaited on. */
  emit(event: RunEvent): void;
  signal: AbortSignal;
}

/** One stretch of a run, e.g. "tokenizer"; phases follow one another. */
export interface Phase {
  id: string;
  title: string;
  steps: number;
}

export type RunEvent =
  | { kind: 'metrics'; phase: string; step: number; values: Record<string, number> }
  | { kind: 'log'; text: string };

/** advance() returns at the first step boundary after `ms`, or after `steps` steps, whichever comes first. */
export interface Budget {
  ms?: number;
  steps?: number;
}

/** Where a run stands; a method's own state extends it. */
export interface RunState {
  /** Id of the running phase, or of the last one when done. */
  phase: string;
  /** Finished steps of that phase. */
  step: number;
  done: boolean;
}

export interface Checkpoint {
  /** File name, `*.safetensors`. */
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** What a session can be asked to show. `samples`: pictures of what it produces now, beside the truth. */
export type Query = { kind: 'samples' };

/** Rows of equally large pictures, e.g. truth above dream; `rgb` is `[columns, height, width, 3]`. */
export interface View {
  width: number;
  height: number;
  columns: number;
  rows: readonly { title: string; rgb: Uint8Array }[];
}

export interface Session<S extends RunState = RunState> {
  readonly phases: readonly Phase[];
  /** Works for a while. Throws when the run cannot go on (a NaN, a lost device); the message says step and reason. */
  advance(budget: Budget): Promise<'more' | 'done'>;
  state(): S;
  /** Everything that resuming needs: the resumed run is bit-identical. */
  save(): Promise<Checkpoint>;
  load(checkpoint: Checkpoint): Promise<void>;
  /** The weights as they are now, to be used elsewhere. Throws while there is nothing to use. */
  export?(title: string): Promise<Checkpoint>;
  inspect(query: Query): Promise<View>;
  dispose(): void;
}

/** A number that a visitor may change before a run. `key` is a dotted path into the configuration. */
export interface Field {
  key: string;
  label: string;
  hint: string;
  min: number;
  max: number;
  step: number;
}

export interface Method<C, S extends RunState = RunState> {
  id: string;
  title: string;
  presets: Readonly<Record<string, C>>;
  /** Controls that the page generates; values outside the bounds are rejected by create(). */
  fields: readonly Field[];
  create(context: RunContext, config: C): Promise<Session<S>>;
}
