// What a resumed Dreamer 4 run may not change.

import { expect, test } from 'vitest';
import { dreamer4 } from '../../src/cli/dreamer4.ts';

test.each([
  'rung',
  'world',
  'renderer',
  'hz',
  'frame.width',
  'tokenizer.d',
  'dynamics.context',
  'data.episodes',
  'paper_faithful',
])('%s is fixed', (key) => {
  expect(dreamer4.fixed.test(key)).toBe(true);
});

test.each(['phases.tokenizer.steps', 'phases.dynamics.lr', 'handsShare'])('%s may change', (key) => {
  expect(dreamer4.fixed.test(key)).toBe(false);
});
