// What a finished run of the page says about itself on the list of runs.

import type { StoredRun } from '../../../ui/runs-shelf.ts';
import type { TrainState } from './protocol.ts';

/** What the sparse stage ended with, and the language-model loss of the dense control. */
const FIGURES = ['lm', 'kl', 'massRecall', 'massOracle', 'overlap', 'accuracy'] as const;

/** `at`: milliseconds since 1970, when the run ended. Figures that were never measured are left out. */
export function recordOf(state: TrainState, adapter: string, at: number): StoredRun {
  const { preset, seed, set, points, workMs } = state;
  const last = (phase: string, name: string): number | undefined =>
    points.findLast((p) => p.phase === phase && name in p.values)?.values[name];
  const found = [...FIGURES.map((name) => [name, last('sparse', name)]), ['lmDense', last('continued', 'lm')]];
  return {
    id: `dsa-${at.toString(36)}`,
    at,
    method: 'dsa',
    preset,
    seed,
    adapter,
    wallMs: workMs,
    config: { ...set },
    metrics: Object.fromEntries(found.filter(([, value]) => value !== undefined)),
  };
}
