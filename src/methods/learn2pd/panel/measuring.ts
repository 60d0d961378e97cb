// Runs the quick measurements, one policy after the other, so that the theatre gets its turn in between and they can be stopped.

import { type Entrant, entrants } from './entrants.ts';
import { useMeasure } from './measure-store.ts';
import type { Outcome, SpecChoice } from './protocol.ts';
import type { PanelSession } from './session.ts';
import { usePanel } from './store.ts';

const set = (change: Partial<ReturnType<typeof useMeasure.getState>>): void => useMeasure.setState(change);
export const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;
let stopped = false;

export const stopMeasuring = (): void => {
  stopped = true;
};

async function one(session: PanelSession, spec: SpecChoice, canvas: number, count: number): Promise<Outcome[] | null> {
  const answer = await session.api.measure({ ...spec, canvas, from: 0, count });
  if (!answer.ok) set({ problem: `${answer.reason} ${answer.advice}` });
  return answer.ok && !stopped ? answer.value : null;
}

export async function measureTradeOff(session: PanelSession, canvas: number, count: number): Promise<void> {
  const { version, view } = usePanel.getState();
  stopped = false;
  set({ problem: '', results: [], canvas, count, version });
  const all: Entrant[] = entrants(view.tau, view.confidence);
  for (const [i, entrant] of all.entries()) {
    set({ busy: `${entrant.family} ${entrant.setting}, ${i + 1} of ${all.length}` });
    const outcomes = await one(session, entrant.spec, canvas, count);
    if (!outcomes) break;
    set({ results: [...useMeasure.getState().results, { entrant, outcomes }] });
  }
  set({ busy: '' });
}

/** Up to this canvas: static decoding grows with its square. */
export async function measureLengths(session: PanelSession, canvases: readonly number[], count: number): Promise<void> {
  const { version, view } = usePanel.getState();
  stopped = false;
  set({ problem: '', lengths: [], version });
  const learned: SpecChoice = { policy: { kind: 'learn2pd', tau: view.tau }, eotp: 'off', cache: 'none' };
  const specs: SpecChoice[] = [
    { policy: { kind: 'static', perStep: 1 }, eotp: 'off', cache: 'none' },
    learned,
    { ...learned, eotp: 'strict' },
  ];
  for (const canvas of canvases) {
    const found: Outcome[][] = [];
    for (const [i, spec] of specs.entries()) {
      set({ busy: `canvas ${canvas}, ${i + 1} of ${specs.length}` });
      const outcomes = await one(session, spec, canvas, count);
      if (!outcomes) return set({ busy: '' });
      found.push(outcomes);
    }
    const nfe = found.map((all) => mean(all.map((o) => o.nfe))) as [number, number, number];
    const ms = found.map((all) => mean(all.map((o) => o.wallMs))) as [number, number, number];
    set({ lengths: [...useMeasure.getState().lengths, { canvas, nfe, ms }] });
  }
  set({ busy: '' });
}
