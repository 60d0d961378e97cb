// What crosses the thread between the page of this method and its worker: types, and one word.

import type { Problem, Verdict } from '../../../lm/tasks/task.ts';
import type { Learn2pdConfig } from '../config.ts';
import type { FilterWeights } from '../filter.ts';
import type { CacheKind, Eotp } from '../policy.ts';
import type { Similarity } from '../similarity.ts';
import type { StepTrace } from '../trace.ts';
import type { Accuracy, FilterGrade, Grown, TrainRequest, TrainState } from './grow.ts';
import type { PeekResult } from './peek.ts';
import type { RefitRequest, RefitState } from './refit.ts';

export type Answer<T> = { ok: true; value: T } | { ok: false; reason: string; advice: string };

/** Where the weights come from. */
export type Source = 'shipped' | 'file' | 'tab';

export interface Model {
  source: Source;
  /** What the file says about itself. */
  title: string;
  config: Learn2pdConfig;
  parameters: number;
  tokens: readonly string[];
  /** Canvas lengths that it was trained at. */
  canvases: readonly number[];
  filter: FilterWeights | null;
  /** It was learned in this tab, on these weights. */
  ownFilter: boolean;
  tasks: readonly { id: string; title: string; tag: string; levels: readonly number[] }[];
}

export interface Opened {
  adapter: string;
  /** Runs on the processor. */
  software: boolean;
  model: Model;
}

/** A policy without weights: the worker adds the filter. */
export type PolicyChoice =
  | { kind: 'static'; perStep: number }
  | { kind: 'threshold'; tau: number }
  | { kind: 'egp' }
  | { kind: 'learn2pd'; tau: number }
  | { kind: 'margin'; m: number }
  | { kind: 'random'; tau: number };

export interface SpecChoice {
  policy: PolicyChoice;
  eotp: Eotp;
  cache: CacheKind;
}

export interface DecodeRequest extends SpecChoice {
  /** Comes back with the passes that are reported meanwhile. */
  id: string;
  problem: Problem;
  canvas: number;
}

export interface Decoded {
  /** Canvas tokens that were kept, and their text up to the end token. */
  tokens: Uint32Array<ArrayBuffer>;
  text: string;
  nfe: number;
  full: number;
  answerLength: number;
  byPolicy: number;
  byTop: number;
  cut: number;
  guarded: number;
  trace: StepTrace[];
  /** Wall time of the decode, read-back included; `cold`: pipelines were built in it. */
  wallMs: number;
  cold: boolean;
  /** Passes done and milliseconds gone after each submission. */
  marks: { passes: number; ms: number }[];
}

/** One problem under one policy, timed on its own (batch 1) with everything compiled. */
export interface Outcome {
  nfe: number;
  wallMs: number;
  answerLength: number;
  length: number;
  right: boolean;
  /** Share of the static answer's positions with the same token. */
  agreement: number;
  /** Share of the passes on blocks behind the end of the text. */
  waste: number;
  task: string;
  prompt: string;
  text: string;
}

/** Keys and values of every pass of a decode without a cache. */
export interface SimilarityRequest {
  /** Comes back with the passes that are reported meanwhile, and names it to whoever gives it up. */
  id: string;
  policy: PolicyChoice;
  eotp: Eotp;
  problem: Problem;
  canvas: number;
}

export interface MeasureRequest extends SpecChoice {
  canvas: number;
  /** Test problems number `from` .. `from + count - 1`. */
  from: number;
  count: number;
}

/** Reason of what was given up. */
export const CANCELLED = 'Cancelled.';

export type HostEvent =
  | { kind: 'passes'; id: string; trace: StepTrace[]; ms: number }
  | { kind: 'compared'; id: string; passes: number }
  | { kind: 'rebuilt'; reason: string };

export interface Learn2pdApi {
  /** Events come over this port from now on. */
  listen(port: MessagePort): Promise<void>;
  /** Opens the device and the weights of a checkpoint. If they cannot be used, those before stay. */
  open(checkpoint: Uint8Array<ArrayBuffer>, source: Source): Promise<Answer<Opened>>;
  /** Test problem number `index` of a task. */
  problem(task: string, index: number): Promise<Answer<Problem>>;
  decode(request: DecodeRequest): Promise<Answer<Decoded>>;
  /** Whether a text solves a problem. Takes no turn of the device: it may run long beside whatever decodes. */
  judge(problem: Problem, text: string): Promise<Answer<Verdict>>;
  similarity(request: SimilarityRequest): Promise<Answer<Similarity>>;
  /** Gives up that comparison, whether it waits or is at work: it is answered with CANCELLED within a pass. */
  cancel(id: string): Promise<void>;
  measure(request: MeasureRequest): Promise<Answer<Outcome[]>>;
  /** A training as asked for, or the one that a training checkpoint holds. */
  train(request: TrainRequest, resume: Uint8Array<ArrayBuffer> | null): Promise<Answer<TrainState>>;
  /** Trains for about this long. */
  advance(ms: number): Promise<Answer<TrainState>>;
  saveTraining(): Promise<Answer<Uint8Array<ArrayBuffer>>>;
  look(): Promise<Answer<PeekResult>>;
  /** Of the weights as they would ship now, on a few unseen problems of each task. */
  accuracy(): Promise<Answer<Accuracy>>;
  result(): Promise<Answer<Grown>>;
  /** A new filter for the open weights, from records of fresh prompts. */
  refit(request: RefitRequest): Promise<Answer<RefitState>>;
  advanceRefit(ms: number): Promise<Answer<RefitState>>;
  /** The new filter takes the place of the one before, until other weights are opened. */
  adoptFilter(): Promise<Answer<Adopted>>;
  /** Gives up the training of a filter, if there is one, and frees what it holds. */
  endRefit(): Promise<Answer<void>>;
}

export interface Adopted extends FilterGrade {
  model: Model;
}
