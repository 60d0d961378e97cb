// What the theatre shows of a decode, against traces written by hand: every state of a cell, and the text in the end.

import { expect, test } from 'vitest';
import { EOT } from '../../../src/lm/tokenizers/closed.ts';
import { insideOf, takenAt } from '../../../src/methods/learn2pd/panel/filter-units.ts';
import { cellAt, countsAt, isEnd, replayOf } from '../../../src/methods/learn2pd/panel/replay.ts';
import type { Run } from '../../../src/methods/learn2pd/panel/store.ts';
import { endOf, passAt, placeOf } from '../../../src/methods/learn2pd/panel/timeline.ts';
import type { StepTrace } from '../../../src/methods/learn2pd/trace.ts';

const P = 2;
const [POLICY, TOP, MASKED, REFERENCE] = [1, 2, 4, 8];

/** Block of two at canvas index `at`, canvas of `length`; per position guess, confidence, mark. */
function step(at: number, length: number, cells: [number, number, number][]): StepTrace {
  return {
    block: P + at,
    end: P + at + cells.length,
    length: P + length,
    kind: 1,
    guess: Uint32Array.from(cells, (c) => c[0]),
    c: Float32Array.from(cells, (c) => c[1]),
    decided: Uint8Array.from(cells, (c) => c[2]),
  };
}

/** Six positions: 7 by top-n, 8 by the policy; then 9 and the end token, which cuts what is left. */
const TRACE = [
  step(0, 6, [
    [7, 0.9, MASKED | TOP],
    [8, 0.4, MASKED],
  ]),
  step(0, 6, [
    [7, 1, 0],
    [8, 0.99, MASKED | POLICY],
  ]),
  step(2, 6, [
    [9, 0.98, MASKED | POLICY],
    [EOT, 0.98, MASKED | POLICY],
  ]),
];
const Y = [7, 8, 9, EOT, EOT, EOT];

test('every cell of every pass is what the kernel recorded', () => {
  const r = replayOf(TRACE, P, 6, 4, Y);
  const row = (pass: number): string[] => Array.from({ length: 6 }, (_, at) => cellAt(r, pass, at));
  expect(row(-1)).toEqual(Array(6).fill('masked'));
  expect(row(0)).toEqual(['top', 'right', 'masked', 'masked', 'masked', 'masked']);
  expect(row(1)).toEqual(['top', 'filter', 'masked', 'masked', 'masked', 'masked']);
  expect(row(2)).toEqual(['top', 'filter', 'filter', 'filter', 'cut', 'cut']);
  expect([0, 1, 2, 3].map((at) => isEnd(r, 2, at))).toEqual([false, false, false, true]);
  expect(isEnd(r, 1, 3)).toBe(false);
  expect([...r.token.slice(0, 4)]).toEqual([7, 8, 9, EOT]);
  expect(countsAt(r, 2)).toEqual({ final: 4, filter: 3, top: 1, length: 4 });
  expect(countsAt(r, -1)).toEqual({ final: 0, filter: 0, top: 0, length: 6 });
});

test('without a reference nothing is called right, and another reference finds other cells', () => {
  expect(cellAt(replayOf(TRACE, P, 6, 4, null), 0, 1)).toBe('open');
  expect(cellAt(replayOf(TRACE, P, 6, 4, [7, 5, 9, EOT]), 0, 1)).toBe('open');
});

test('what the oracle wrote itself is the reference, not its guess', () => {
  const r = replayOf([step(0, 2, [[5, 0.3, MASKED | TOP | REFERENCE]])], P, 2, 2, [8, EOT]);
  expect(cellAt(r, 0, 0)).toBe('reference');
  expect(r.token[0]).toBe(8);
});

test('a decode that is still under way ends at the last pass known', () => {
  const r = replayOf(TRACE.slice(0, 2), P, 6, null, Y);
  expect(r.passes).toBe(2);
  expect(countsAt(r, 1)).toEqual({ final: 2, filter: 1, top: 1, length: 6 });
});

test('by the clock a pane shows the passes that its own time allows, by pass all show the same', () => {
  const run = { trace: TRACE, ms: 30, decoded: { wallMs: 30, nfe: 3 } } as unknown as Run;
  expect([0, 9, 11, 19, 29, 31, 99].map((at) => passAt(run, 'clock', at))).toEqual([-1, -1, 0, 0, 1, 2, 2]);
  expect([-1, 0, 1.9, 7].map((at) => passAt(run, 'pass', at))).toEqual([-1, 0, 1, 2]);
  expect(endOf(run, 'clock')).toBeCloseTo(30);
  for (const sync of ['pass', 'clock'] as const) {
    for (const pass of [0, 1, 2]) expect(passAt(run, sync, placeOf(run, sync, pass))).toBe(pass);
  }
});

test('another tau decides a recorded pass as the kernel would: masked positions above its logit', () => {
  // Identity through both layers: z = c.
  const values = new Float32Array([1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0]);
  const inside = insideOf({ B: 2, depth: 2, values }, TRACE[0]);
  expect([...inside.z]).toEqual([...TRACE[0].c]);
  expect(inside.hidden.length).toBe(1);
  const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
  expect(takenAt(inside, TRACE[0], sigmoid(0.5)).taken).toEqual([0]);
  expect(takenAt(inside, TRACE[0], sigmoid(0.3)).taken).toEqual([0, 1]);
  expect(takenAt(inside, TRACE[0], 1).taken).toEqual([]);
  // The first position of the second pass is final already.
  expect(takenAt(insideOf({ B: 2, depth: 2, values }, TRACE[1]), TRACE[1], 0)).toEqual({ masked: [1], taken: [1] });
});
