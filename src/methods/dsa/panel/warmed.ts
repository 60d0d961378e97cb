// Whether the warm-up was long enough when the sparse stage began (dsa.md section 4.3). Not a gate: the run goes on.

import type { TrainState } from './protocol.ts';

/** Share of what the best k keys hold that the indexer's k keys should hold by then. */
export const WARM = 0.75;

/** That share at the last step of the warm-up; null before it, or where no query has to choose. */
export function warmedShare({ points, phases }: Pick<TrainState, 'points' | 'phases'>): number | null {
  const steps = phases.find(({ id }) => id === 'warmup')?.steps;
  const end = points.find((p) => p.phase === 'warmup' && p.step === steps);
  const share = (end?.values.massRecall ?? Number.NaN) / (end?.values.massOracle ?? Number.NaN);
  return Number.isFinite(share) ? share : null;
}
