// The log of a run in parts: nothing of the parts before is lost, nothing is in it twice.

import { expect, test } from 'vitest';
import { EventLog } from '../../src/runs/event-log.ts';

const metrics = (step: number, loss: number) => ({
  kind: 'metrics' as const,
  phase: 'dynamics',
  step,
  values: { loss },
});
const lines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

test('a resumed run goes on with events, last values and wall time of the parts before', () => {
  const first = new EventLog();
  first.add({ kind: 'log', text: 'hello' });
  first.add({ kind: 'metrics', phase: 'tokenizer', step: 5, values: { mse: 0.5 } });
  first.add(metrics(10, 3));
  const second = new EventLog(first.text(1000));
  expect(second.earlierMs).toBe(1000);
  expect(second.last).toEqual({ 'tokenizer.mse': 0.5, 'dynamics.loss': 3 });
  second.add({ kind: 'log', text: 'hello' });
  second.add(metrics(20, 2));
  const third = new EventLog(second.text(500));
  expect(third.earlierMs).toBe(1500);
  expect(lines(third.text(1)).map(({ kind, step, text }) => step ?? text ?? kind)).toEqual([
    'hello',
    5,
    10,
    'hello',
    20,
    'clock',
  ]);
});

test('what is done again after the last checkpoint is logged once', () => {
  const first = new EventLog();
  for (const step of [10, 20, 30]) first.add(metrics(step, 1));
  const second = new EventLog(first.text(7));
  for (const step of [20, 30, 40]) second.add(metrics(step, 1));
  expect(lines(second.text(0)).map(({ step }) => step)).toEqual([10, 20, 30, 40, undefined]);
});

test('a log without a clock, a torn line and foreign lines do not stop a run', () => {
  const log = new EventLog(`${JSON.stringify(metrics(10, 3))}\n\n{"kind":"metr\nnull\n{"kind":"odd"}\n`);
  expect(log.earlierMs).toBe(0);
  expect(lines(log.text(2))).toEqual([metrics(10, 3), { kind: 'clock', wallMs: 2 }]);
});
