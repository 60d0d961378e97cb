// What the page shows of post-training: from the events of a run and from the tables of a recorded one, the same grid and curves.

import { expect, test } from 'vitest';
import { emptyView, viewOfTables, withEvent } from '../../../src/methods/dsa/panel/post-view.ts';
import type { PostEvent } from '../../../src/methods/dsa/posttrain/reinforce.ts';

type Measured = Extract<PostEvent, { kind: 'measure' }>;

const measured = (outcome: number, length: number): Measured['domains'][string] => ({
  outcomes: [outcome],
  outcome,
  length,
  consistency: 1,
  samples: [{ prompt: '17+5?', answer: '22', outcome, reasons: [] }],
});

const event = (arm: Measured['arm'], stage: string, step: number, math: number, qa: number): Measured => ({
  kind: 'measure',
  arm,
  stage,
  step,
  domains: { math: measured(math, 10), qa: measured(qa, 20) },
});

test('events fill the grid stage by stage; a specialist counts for its own domain only', () => {
  const view = [
    event('dense', 'base', 0, 0.2, 0.3),
    event('dense', 'specialist math', 5, 0.9, 0.1),
    event('dense', 'specialist qa', 5, 0.1, 0.8),
    event('dense', 'distillation', 0, 0.7, 0.7),
    event('dense', 'mixed', 5, 0.8, 0.6),
    event('dense', 'mixed', 10, 0.9, 0.7),
    event('sparse', 'base', 0, 0.25, 0.35),
  ].reduce(withEvent, emptyView());
  expect(view.grid.dense.get('math')).toEqual({ base: 0.2, specialist: 0.9, distilled: 0.7, mixed: 0.9 });
  expect(view.grid.dense.get('qa')).toEqual({ base: 0.3, specialist: 0.8, distilled: 0.7, mixed: 0.7 });
  expect(view.grid.sparse.get('qa')).toEqual({ base: 0.35 });
  expect(view.curves.dense.map((p) => p.step)).toEqual([0, 5, 10]);
  expect(view.curves.dense.map((p) => p.outcome)).toEqual([0.7, 0.7, 0.8].map((v) => expect.closeTo(v, 10)));
  expect(view.curves.dense[0].tokens).toBe(15);
  expect(view.samples.get('math')).toMatchObject({ model: 'sparse', stage: 'base' });
});

test('rewards follow one another over all stages, and the words say where the run is', () => {
  const result = { reward: 0.5, informative: 1, length: 9, mismatch: 0, loss: 0, kl: 0, clipped: 0, gradNorm: 1 };
  const view = (['specialist math', 'mixed'] as const).reduce(
    (before, stage, i) => withEvent(before, { kind: 'step', arm: 'sparse', stage, step: i + 1, result }),
    emptyView(),
  );
  expect(view.rewards).toEqual({ dense: [], sparse: [0.5, 0.5] });
  expect(view.now).toBe('sparse attention: mixed, step 2');
});

test('a recorded run shows the same grid and curves', () => {
  const view = viewOfTables([
    {
      name: 'postStages',
      columns: ['model', 'domain', 'base', 'specialist', 'distilled', 'mixed', 'language before', 'language after'],
      rows: [
        ['dense', 'math', 0.2, 0.9, 0.7, 0.8, 1, 1],
        ['sparse', 'math', 0.3, 0.8, 0.6, 0.7, 1, 1],
      ],
    },
    {
      name: 'postCurves',
      columns: ['model', 'step', 'domain', 'outcome', 'tokens', 'language'],
      rows: [
        ['dense', 0, 'math', 0.7, 10, 1],
        ['dense', 0, 'qa', 0.5, 20, 1],
        ['dense', 5, 'math', 0.8, 12, 1],
        ['dense', 5, 'qa', 0.6, 14, 1],
      ],
    },
  ]);
  expect(view.grid.sparse.get('math')).toEqual({ base: 0.3, specialist: 0.8, distilled: 0.6, mixed: 0.7 });
  expect(view.curves.dense).toEqual([
    { step: 0, outcome: expect.closeTo(0.6, 10), tokens: 15 },
    { step: 5, outcome: expect.closeTo(0.7, 10), tokens: 13 },
  ]);
  expect(viewOfTables([]).grid.dense.size).toBe(0);
});
