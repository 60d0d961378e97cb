// Drives the training of a new filter in the worker, slice by slice, and what is known of it.

import { create } from 'zustand';
import type { FilterGrade } from './grow.ts';
import type { RefitState } from './refit.ts';
import type { PanelSession } from './session.ts';

interface Refitting {
  running: boolean;
  state: RefitState | null;
  grade: FilterGrade | null;
  problem: string;
}

const NOTHING: Refitting = { running: false, state: null, grade: null, problem: '' };
export const useRefitting = create<Refitting>()(() => NOTHING);
const set = (change: Partial<Refitting>): void => useRefitting.setState(change);

const SLICE_MS = 250;
const STEPS = 2000;
let turn = 0;

export function stopRefitting(session: PanelSession): void {
  turn++;
  set({ ...NOTHING });
  if (session.live) void session.api.endRefit();
}

export async function refitFilter(session: PanelSession, prompts: number, seed: number): Promise<void> {
  const own = ++turn;
  const live = (): boolean => own === turn && session.live;
  set({ ...NOTHING, running: true });
  let answer = await session.api.refit({ prompts, seed, steps: STEPS });
  while (live() && answer.ok && !answer.value.done) {
    set({ state: answer.value });
    answer = await session.api.advanceRefit(SLICE_MS);
  }
  if (!live()) {
    if (own === turn) stopRefitting(session);
    return;
  }
  if (!answer.ok) {
    void session.api.endRefit();
    return set({ running: false, problem: `${answer.reason} ${answer.advice}` });
  }
  set({ state: answer.value });
  const adopted = await session.api.adoptFilter();
  if (!session.live) return;
  const current = own === turn;
  if (!adopted.ok) {
    if (current) set({ running: false, problem: `${adopted.reason} ${adopted.advice}` });
    return;
  }
  const { model, ...grade } = adopted.value;
  // A stop that came too late: the worker decides with the new filter, and the page says so.
  if (current) set({ running: false, grade });
  session.takeFilter(model);
}
