// The training of this visit: it outlives the view that shows it. Written by training.ts alone.

import { create } from 'zustand';
import type { Accuracy, Grown, TrainState } from './grow.ts';
import type { PeekResult } from './peek.ts';

export interface Line {
  xs: number[];
  ys: number[];
}

export interface Training {
  running: boolean;
  state: TrainState | null;
  problem: string;
  lines: Readonly<Record<string, Line>>;
  peek: PeekResult | null;
  accuracy: readonly Accuracy[];
  grown: Grown | null;
  /** A training that an earlier visit left. */
  left: boolean;
}

export const NO_TRAINING: Training = {
  running: false,
  state: null,
  problem: '',
  lines: {},
  peek: null,
  accuracy: [],
  grown: null,
  left: false,
};

export const useTraining = create<Training>()(() => NO_TRAINING);
