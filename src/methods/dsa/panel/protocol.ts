// What crosses the thread between the page of this method and its worker. Types only.

import type { Selector } from '../../../tensor/ops/topk.ts';
import type { Phase } from '../../contract.ts';
import type { Scores } from '../arm.ts';
import type { CodedRow } from '../codes.ts';
import type { DsaConfig } from '../config.ts';
import type { CostPoint } from '../cost.ts';
import type { ResultTable } from '../eval.ts';
import type { Probe } from '../inspect.ts';
import type { Isolation } from '../isolation.ts';
import type { Quant } from '../ops.ts';
import type { PostEvent } from '../posttrain/reinforce.ts';
import type { Task } from '../tasks.ts';

export type Answer<T> = { ok: true; value: T } | { ok: false; reason: string };

export interface Opened {
  adapter: string;
  /** The adapter is a processor. */
  software: boolean;
  config: DsaConfig;
  /** What the file says about itself. */
  title: string;
  parameters: { all: number; indexer: number };
  /** Seed of the rows that are shown. */
  rowSeed: number;
  /** Ways of attending that can be evaluated; the first is the dense control. */
  arms: string[];
  tasks: Task[];
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

/** Scores of a way of attending on every task of the weights. */
export type ArmScores = { task: Task; scores: Scores }[];

export interface RunRequest {
  preset: string;
  seed: number;
  /** Changed numbers, `path=value` as on the command line. */
  set: Record<string, string>;
}

/** A run that the browser kept, at its last measured step. */
export interface SavedRun extends RunRequest {
  phase: string;
  step: number;
}

/** Numbers of one step of a phase. */
export interface Point {
  phase: string;
  step: number;
  values: Record<string, number>;
}

export interface TrainState extends RunRequest {
  config: DsaConfig;
  phases: Phase[];
  phase: string;
  step: number;
  done: boolean;
  /** Time that the run has worked, over all visits. */
  workMs: number;
  points: Point[];
  /** Gradients as they were measured last. */
  isolation: { phase: string; step: number; norms: Isolation } | null;
  /** What happened to the run, in a sentence; empty if nothing did. */
  note: string;
}

/** Post-training: preset, seed and changed numbers. */
export type PostRequest = RunRequest;

/** Post-training that the browser kept, with its weights of the reward and how many stages are done. */
export interface SavedPost {
  preset: string;
  seed: number;
  length: number;
  language: number;
  stages: number;
}

export interface PostReport {
  metrics: Record<string, number>;
  tables: ResultTable[];
}

/** What happens in post-training, and that the browser's storage failed: what follows is kept in memory. */
export type PostNews = PostEvent | { kind: 'unkept'; reason: string };

export interface DsaApi {
  /** Opens the device and the weights of a checkpoint. */
  open(checkpoint: Uint8Array<ArrayBuffer>): Promise<Answer<Opened>>;
  /** The weights of the run take the place of the checkpoint's. */
  openRun(): Promise<Answer<Opened>>;
  probe(request: ProbeRequest): Promise<Answer<Probe>>;
  /** Runs every selection kernel on these scores. */
  select(scores: Float32Array<ArrayBuffer>, k: number): Promise<Answer<Choice[]>>;
  /** A row of 16 numbers through the indexer's codes, without and with Hadamard. */
  codes(values: number[], quant: Exclude<Quant, 'f32'>): Promise<Answer<CodedRow[]>>;
  /** One way of attending on fresh rows of every task. */
  arm(name: string, seed: number, rows: number): Promise<Answer<ArmScores>>;
  cost(position: number, phase: 'decode' | 'prefill', k: number): Promise<Answer<CostPoint>>;
  /** A run that this browser kept. */
  saved(): Promise<Answer<SavedRun | null>>;
  start(request: RunRequest): Promise<Answer<TrainState>>;
  resume(): Promise<Answer<TrainState>>;
  forget(): Promise<Answer<null>>;
  /** Trains for about this long, one step at least and no further than the end of a stage. */
  advance(ms: number): Promise<Answer<TrainState>>;
  /** Keeps the run as it is. */
  keep(): Promise<Answer<null>>;
  isolation(): Promise<Answer<TrainState>>;
  /**
   * A whole run of post-training, or what is left of the kept one (null); `listen` hears of every stage, step and measurement,
   * also of those that are done. It takes the worker to itself.
   */
  postTrain(request: PostRequest | null, listen: (event: PostNews) => void): Promise<Answer<PostReport>>;
  /** Post-training that this browser kept. */
  savedPost(): Promise<Answer<SavedPost | null>>;
  forgetPost(): Promise<Answer<null>>;
  /** The trained weights as a file, once all stages are done. */
  exportWeights(): Promise<Answer<{ name: string; bytes: Uint8Array<ArrayBuffer> }>>;
}
