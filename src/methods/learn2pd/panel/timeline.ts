// Where a decode is when the playhead is somewhere: by passes, all alike, or by the clock, as it was measured.

import type { Run } from './store.ts';

/** Milliseconds a pass took on average; the decode is recorded in submissions of eight, finer is not known. */
export function msPerPass(run: Run): number {
  const { decoded, trace, ms } = run;
  if (decoded) return decoded.wallMs / Math.max(1, decoded.nfe);
  return trace.length > 0 ? ms / trace.length : 0;
}

/** Last pass that is shown: -1 before the first, at most the last one known. */
export function passAt(run: Run, sync: 'pass' | 'clock', at: number): number {
  const last = run.trace.length - 1;
  if (sync === 'pass') return Math.min(last, Math.floor(at));
  const each = msPerPass(run);
  return each > 0 ? Math.min(last, Math.floor(at / each) - 1) : -1;
}

/** Where the playhead is when this decode is over. */
export const endOf = (run: Run, sync: 'pass' | 'clock'): number =>
  sync === 'pass' ? run.trace.length - 1 : msPerPass(run) * run.trace.length;

/** Where the playhead must be to show this pass. */
export const placeOf = (run: Run, sync: 'pass' | 'clock', pass: number): number =>
  sync === 'pass' ? pass : (pass + 1.001) * msPerPass(run);
