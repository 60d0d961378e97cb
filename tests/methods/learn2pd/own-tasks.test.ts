// The visitor's own choice of tasks for a training in the tab: the text of the link, and what is refused before it begins.

import { expect, test } from 'vitest';
import { FAMILIES } from '../../../src/lm/tasks/families.ts';
import { configure, presets } from '../../../src/methods/learn2pd/config.ts';
import { chosenOf, faultOf, textOf } from '../../../src/methods/learn2pd/panel/own-tasks.ts';
import { TRAINED } from '../../../src/methods/learn2pd/panel/view.ts';

test("the preset's own tasks are read and written as they stand, and each can be trained", () => {
  for (const preset of TRAINED) {
    const { tasks } = presets[preset];
    expect(textOf(chosenOf(tasks), preset)).toBe(tasks);
    expect(faultOf(tasks, preset)).toBe('');
  }
});

test('a choice is a text that the configuration takes, whatever the order of clicks', () => {
  const chosen = new Map([
    ['sums', [2, 3]],
    ['arithmetic', [1, 1]],
    ['lists', [4, 4]],
  ] as const);
  // What the preset has comes first.
  expect(textOf(chosen, 'nano')).toBe('lists:4,arithmetic:1,sums:2-3');
  expect(configure('nano', { tasks: textOf(chosen, 'nano') }).tasks).toBe('lists:4,arithmetic:1,sums:2-3');
  expect(chosenOf('lists:4,arithmetic:1,sums:2-3')).toEqual(new Map([...chosen].sort()).set('lists', [4, 4]));
  expect(faultOf('lists:4,arithmetic:1,sums:2-3', 'nano')).toBe('');
});

test.each([
  ['', 'nano', "'' is not family:level or family:from-to."],
  ['chess:1', 'nano', "There is no task family 'chess'"],
  ['lists:2', 'nano', 'lists has levels 4 to 60, not 2 to 2.'],
  ['lists:4,lists:5', 'mini', 'Copy, reverse, sort is named twice.'],
  // Prompts of nine tokens fit, those of eleven do not: the first level that does not is named.
  [
    'lists:4-9',
    'nano',
    'Copy, reverse, sort, level 7: no problem fits the prompt of 10 and the answer of 16 tokens of nano. Choose lower levels or a larger size.',
  ],
  ['words:1', 'nano', 'Word problems, level 1: no problem fits the prompt of 10'],
])('%s for %s is refused in words', (tasks, preset, fault) => {
  expect(faultOf(tasks, preset)).toContain(fault);
});

test('every family can be chosen at its easiest level for some size', () => {
  for (const { id, levels } of FAMILIES) {
    const found = TRAINED.map((preset) => faultOf(`${id}:${levels[0]}`, preset));
    expect(found, `${id}: ${found[2]}`).toContain('');
  }
});
