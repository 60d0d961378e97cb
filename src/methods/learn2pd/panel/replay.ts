/**
 * A recorded decode as something that can be looked at: what every canvas position was after every pass. Made from the
 * trace of the decision kernel alone (trace.ts); nothing is decoded again here.
 */
import { EOT } from '../../../lm/tokenizers/closed.ts';
import type { StepTrace } from '../trace.ts';

/** What a position is after a pass. `right`: still masked although its guess already equals the reference. */
export const CELLS = ['masked', 'open', 'right', 'filter', 'top', 'reference', 'cut'] as const;
export type Cell = (typeof CELLS)[number];

export interface Replay {
  /** Canvas tokens at the start, and passes recorded so far. */
  canvas: number;
  passes: number;
  /** Per position: the pass that finalised it (-1: none), the token, and who decided. */
  finalAt: Int32Array;
  token: Uint32Array;
  by: readonly ('filter' | 'top' | 'reference')[];
  /** Per pass, in canvas positions: block and length of the canvas before and after it. */
  steps: readonly { start: number; end: number; before: number; after: number; full: boolean }[];
  trace: readonly StepTrace[];
  /** Text that guesses are compared with; null as long as it is not known. */
  y: ArrayLike<number> | null;
}

/** `length`: canvas tokens that were kept, once the decode is over. */
export function replayOf(
  trace: readonly StepTrace[],
  prompt: number,
  canvas: number,
  length: number | null,
  y: ArrayLike<number> | null,
): Replay {
  const finalAt = new Int32Array(canvas).fill(-1);
  const token = new Uint32Array(canvas);
  const by = new Array<'filter' | 'top' | 'reference'>(canvas).fill('top');
  const steps = trace.map((t, pass) => {
    const start = t.block - prompt;
    t.decided.forEach((mark, i) => {
      if ((mark & 3) === 0) return;
      const at = start + i;
      finalAt[at] = pass;
      by[at] = mark & 8 ? 'reference' : mark & 1 ? 'filter' : 'top';
      // What the oracle wrote itself is the reference, not the guess.
      token[at] = mark & 8 && y ? y[at] : t.guess[i];
    });
    const before = t.length - prompt;
    const next = trace[pass + 1];
    return {
      start,
      end: t.end - prompt,
      before,
      after: next ? next.length - prompt : (length ?? before),
      full: t.kind === 1,
    };
  });
  return { canvas, passes: trace.length, finalAt, token, by, steps, trace, y };
}

/** State of a position after pass `pass`; before the first pass (-1) everything is masked. */
export function cellAt(r: Replay, pass: number, at: number): Cell {
  if (pass < 0) return 'masked';
  const step = r.steps[pass];
  if (at >= step.after) return 'cut';
  const done = r.finalAt[at];
  if (done >= 0 && done <= pass) return r.by[at];
  if (at < step.start || at >= step.end) return 'masked';
  return r.y && r.trace[pass].guess[at - step.start] === r.y[at] ? 'right' : 'open';
}

export const isEnd = (r: Replay, pass: number, at: number): boolean =>
  pass >= 0 && r.finalAt[at] >= 0 && r.finalAt[at] <= pass && r.token[at] === EOT;

/** Counts after a pass, for the counters beside the picture. */
export function countsAt(r: Replay, pass: number): { final: number; filter: number; top: number; length: number } {
  let [filter, top] = [0, 0];
  for (let at = 0; at < r.canvas; at++) {
    const cell = cellAt(r, pass, at);
    if (cell === 'filter') filter++;
    else if (cell === 'top' || cell === 'reference') top++;
  }
  return { final: filter + top, filter, top, length: pass < 0 ? r.canvas : r.steps[pass].after };
}
