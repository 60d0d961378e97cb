// Results of the quick measurements of this visit: they outlive the view that shows them.

import { create } from 'zustand';
import type { Entrant } from './entrants.ts';
import type { Outcome } from './protocol.ts';

export interface Measured {
  entrant: Entrant;
  outcomes: readonly Outcome[];
}

export interface LengthPoint {
  canvas: number;
  /** Static, Learn2PD, with strict end-of-text prediction. */
  nfe: [number, number, number];
  ms: [number, number, number];
}

export interface MeasureState {
  busy: string;
  problem: string;
  /** Weights, canvas and problems that the results belong to. */
  canvas: number;
  count: number;
  version: number;
  results: readonly Measured[];
  lengths: readonly LengthPoint[];
}

export const useMeasure = create<MeasureState>()(() => ({
  busy: '',
  problem: '',
  canvas: 0,
  count: 0,
  version: 0,
  results: [],
  lengths: [],
}));
