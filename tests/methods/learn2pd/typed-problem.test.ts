// Problems that a visitor types: every template gives the prompt and the verdicts of the generators; the link keeps a view.

import { expect, test } from 'vitest';
import { familyOf } from '../../../src/lm/tasks/families.ts';
import { problemAt } from '../../../src/lm/tasks/task.ts';
import { localVerifier } from '../../../src/lm/verify/verifier.ts';
import { exampleOfTask, typedProblem } from '../../../src/methods/learn2pd/panel/typed-problem.ts';
import { FIRST_VIEW, linkOf, specKey, specOfPane, viewOf } from '../../../src/methods/learn2pd/panel/view.ts';

const TASKS = ['lists', 'sums', 'calculation', 'pipelines', 'stack', 'words'];

test.each(TASKS)('%s: the text of a generated problem is read back, and its worked answer verifies', async (task) => {
  const family = familyOf(task);
  const verifier = localVerifier();
  const levels = Array.from({ length: 3 }, (_, i) => family.levels[0] + i);
  for (let i = 0; i < 12; i++) {
    const problem = problemAt(family, 'test', 3, i, levels);
    const typed = typedProblem(task, problem.prompt.slice(family.tag.length));
    if (typeof typed === 'string') throw new Error(`${problem.prompt}: ${typed}`);
    expect(typed.prompt).toBe(problem.prompt);
    const wrong = task === 'lists' ? `${problem.answer}0` : `${problem.answer}9`;
    const verdicts = await verifier.verify([
      { problem: typed, text: problem.answer },
      { problem: typed, text: wrong },
    ]);
    expect(
      verdicts.map((v) => v.score),
      problem.prompt,
    ).toEqual([1, 0]);
  }
});

test.each(TASKS)('%s: the example that is shown is one, and what is none is refused with it', (task) => {
  const example = exampleOfTask(task).split(/, | or /)[0];
  expect(typeof typedProblem(task, example)).toBe('object');
  for (const bad of ['', 'hello', '9:1>', '1+', 'keep']) {
    const answer = typedProblem(task, bad);
    if (task === 'sums' && bad === '9:1>') continue;
    expect(answer, bad).toContain(exampleOfTask(task));
  }
});

test('a link keeps the whole view, and a broken one is the first visit', () => {
  const view = {
    ...FIRST_VIEW,
    task: 'sums',
    row: 4,
    typed: '3:120',
    canvas: 256,
    panes: [
      { policy: 'threshold', eotp: 'released', cache: 'dual' },
      { policy: 'egp', eotp: 'off', cache: 'none' },
    ],
    tau: 0.9,
    confidence: 0.75,
    lead: 0.3,
    sync: 'clock',
    slowdown: 40,
    pass: 7,
    tab: 'measure',
    weights: 'tab',
    preset: 'small',
    seed: 77,
    tasks: 'lists:4-8,sums:2',
  } as const;
  expect(viewOf(linkOf(view))).toEqual(view);
  expect(linkOf(FIRST_VIEW)).toBe('');
  const broken =
    'task=%3Cb%3E&row=-1&canvas=x&panes=best~.&tau=7&sync=now&rate=0&pass=1e9&tab=admin&weights=../x&preset=huge&seed=-3';
  expect(viewOf(broken)).toEqual(FIRST_VIEW);
  expect(viewOf('panes=egp~egp~egp~egp~egp').panes.length).toBe(4);
});

test('equal settings are one decode, others are not', () => {
  const keys = FIRST_VIEW.panes.map((pane) => specKey(specOfPane(pane, FIRST_VIEW)));
  expect(new Set(keys).size).toBe(2);
  const tau = specKey(specOfPane(FIRST_VIEW.panes[1], { ...FIRST_VIEW, tau: 0.9 }));
  expect(tau).not.toBe(keys[1]);
  expect(specKey(specOfPane(FIRST_VIEW.panes[0], { ...FIRST_VIEW, tau: 0.9 }))).toBe(keys[0]);
});
