// What the page of this method shows. Written by PanelSession alone.

import { create } from 'zustand';
import type { Problem, Verdict } from '../../../lm/tasks/task.ts';
import type { StepTrace } from '../trace.ts';
import type { Decoded, Opened } from './protocol.ts';
import type { ShippedFile } from './shipped.ts';
import { FIRST_VIEW, type View } from './view.ts';

export interface Failure {
  reason: string;
  advice: string;
}

/** A decode of the present problem: under way, done or failed. */
export interface Run {
  state: 'waiting' | 'running' | 'done' | 'failed';
  /** As far as it is known. */
  trace: readonly StepTrace[];
  ms: number;
  decoded: Decoded | null;
  /** Comes some time after the decode. */
  verdict: Verdict | null;
  failure: Failure | null;
}

export interface Playhead {
  playing: boolean;
  /** Passes, or milliseconds of real time if panes keep to the clock. */
  at: number;
}

export interface PanelState {
  status: 'opening' | 'ready' | 'failed';
  failure: Failure | null;
  opened: Opened | null;
  /** The checkpoints that came with the page. */
  shelf: readonly ShippedFile[];
  view: View;
  problem: Problem | null;
  /** Why the typed problem cannot be decoded. */
  problemFault: string;
  canvas: number;
  /** By specKey; all of the present problem, canvas and weights. */
  runs: ReadonlyMap<string, Run>;
  head: Playhead;
  /** How far the comparison of passes with this name is. */
  compared: { id: string; passes: number };
  notice: string;
  /** Counts the weights that were opened. */
  version: number;
}

export const initialPanel = (view: View = FIRST_VIEW): PanelState => ({
  status: 'opening',
  failure: null,
  opened: null,
  shelf: [],
  view,
  problem: null,
  problemFault: '',
  canvas: view.canvas,
  runs: new Map(),
  head: { playing: false, at: 0 },
  compared: { id: '', passes: 0 },
  notice: '',
  version: 0,
});

export const usePanel = create<PanelState>()(() => initialPanel());

/** The text of a decode that is done, and whether it is right; '…' until that is known. */
export const answerWords = ({ decoded, verdict }: Run): string =>
  decoded ? `${decoded.text || '(empty)'} ${verdict ? (verdict.score === 1 ? '✓' : '✗') : '…'}` : '';

/** Of the weights at work, if they came with the page. */
export const shippedFile = ({ opened, shelf }: PanelState): ShippedFile | undefined =>
  opened?.model.source === 'shipped' ? shelf.find(({ rung }) => rung === opened.model.config.rung) : undefined;
