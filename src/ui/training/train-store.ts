// What the training page shows. Written by train-session.ts only.

import { create } from 'zustand';
import type { Phase, View } from '../../methods/contract.ts';
import type { DreamInfo } from '../../methods/dreamer4/play-contract.ts';
import type { Failure } from '../playground/protocol.ts';
import type { Series } from './series.ts';
import type { KeptRun, MethodCard, RunRequest, RunStatus } from './train-protocol.ts';

export interface LiveState {
  /** Null until the dream is open. */
  info: DreamInfo | null;
  /** Of the newest dreamed frame: agent steps since the start, training steps of its weights, decibels to the truth. */
  index: number;
  weightSteps: number;
  psnr: number | null;
  fps: number | null;
  driver: 'script' | 'visitor';
  paused: boolean;
  captured: boolean;
  touch: boolean;
  problem: string;
}

export interface TrainState {
  card: MethodCard | null;
  failure: Failure | null;
  request: RunRequest;
  phases: readonly Phase[];
  adapter: string;
  status: 'idle' | 'opening' | RunStatus;
  phase: string;
  step: number;
  perSecond: number | null;
  secondsLeft: number | null;
  /** Milliseconds of work, pauses not counted. */
  workMs: number;
  samples: View | null;
  /** Training steps behind the weights that a dream would have now; 0: nothing to dream with. */
  dreamSteps: number;
  /** The dream that is played here; null while nobody plays. */
  live: LiveState | null;
  log: readonly string[];
  /** Lines by phase and metric. Grow in place; `drawn` changes when they do. */
  series: Map<string, Series>;
  drawn: number;
  notice: string;
  /** Runs of earlier visits. */
  kept: readonly KeptRun[];
  /** Where the run was when it was last kept; null before that. */
  keptAt: { phase: string; step: number } | null;
  /** Why the run would not survive a reload. */
  unkept: string;
}

export const INITIAL: TrainState = {
  card: null,
  failure: null,
  request: { preset: '', seed: 1, set: {} },
  phases: [],
  adapter: '',
  status: 'idle',
  phase: '',
  step: 0,
  perSecond: null,
  secondsLeft: null,
  workMs: 0,
  samples: null,
  dreamSteps: 0,
  live: null,
  log: [],
  series: new Map(),
  drawn: 0,
  notice: '',
  kept: [],
  keptAt: null,
  unkept: '',
};

export const useTraining = create<TrainState>(() => INITIAL);
