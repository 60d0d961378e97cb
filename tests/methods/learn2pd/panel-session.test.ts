// The page's half of the theatre against a worker that answers when the test says so: what a refused or late problem does to
// the decode that is at work.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Problem, RIGHT } from '../../../src/lm/tasks/task.ts';
import type {
  Answer,
  Decoded,
  DecodeRequest,
  Learn2pdApi,
  Opened,
} from '../../../src/methods/learn2pd/panel/protocol.ts';
import { PanelSession } from '../../../src/methods/learn2pd/panel/session.ts';
import { usePanel } from '../../../src/methods/learn2pd/panel/store.ts';
import { FIRST_VIEW } from '../../../src/methods/learn2pd/panel/view.ts';
import { fakeWorker } from '../../support/fake-worker.ts';

const state = () => usePanel.getState();
const runs = () => [...state().runs.values()].map((run) => run.state);
const problemOf = (index: number) => ({ family: 'sums', prompt: `<sum>3:${index}>` }) as Problem;

let session: PanelSession;
/** What the page waits for. */
let problems: { index: number; answer: (answer: Answer<Problem>) => void }[];
let decodes: { request: DecodeRequest; done: () => void }[];

async function until(condition: () => boolean): Promise<void> {
  for (let left = 2000; !condition(); left--) {
    if (left === 0) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

beforeEach(async () => {
  problems = [];
  decodes = [];
  vi.stubGlobal('requestAnimationFrame', () => 0);
  vi.stubGlobal('cancelAnimationFrame', () => undefined);
  vi.stubGlobal('location', { hash: '#/learn2pd' });
  vi.stubGlobal('history', { state: null, replaceState: () => undefined });
  const opened = { model: { tasks: [{ id: 'sums' }], canvases: [16] } } as unknown as Opened;
  const api: Partial<Learn2pdApi> = {
    listen: async () => undefined,
    open: async () => ({ ok: true, value: opened }),
    problem: (_, index) => new Promise((answer) => problems.push({ index, answer })),
    decode: (request) =>
      new Promise((resolve) => {
        const value = { text: '', trace: [], wallMs: 1 } as unknown as Decoded;
        decodes.push({ request, done: () => resolve({ ok: true, value }) });
      }),
    judge: async () => ({ ok: true, value: RIGHT }),
  };
  session = new PanelSession({ ...FIRST_VIEW, panes: FIRST_VIEW.panes.slice(0, 1) }, () => {
    return fakeWorker(api);
  });
  void session.open(new Uint8Array(1), 'file');
  await until(() => problems.length === 1);
  problems[0].answer({ ok: true, value: problemOf(0) });
  await until(() => decodes.length === 1);
});

afterEach(() => {
  session.dispose();
  vi.unstubAllGlobals();
});

test('a problem that is refused, by the page or by the worker, leaves the decode that is at work its result', async () => {
  await session.change({ typed: 'hello' });
  expect(state().problemFault).toContain('digits that sum to');
  const asked = session.change({ typed: null, row: 7 });
  await until(() => problems.length === 2);
  problems[1].answer({ ok: false, reason: 'no such problem', advice: '' });
  await asked;
  expect(state()).toMatchObject({ problem: problemOf(0), problemFault: 'no such problem' });
  expect(runs()).toEqual(['running']);
  decodes[0].done();
  await until(() => runs()[0] === 'done');
  expect(session.end().open).toBe(false);
});

test('of two problems the one that was asked for last is decoded, and what was at work before is dropped', async () => {
  const first = session.change({ row: 1 });
  const second = session.change({ row: 2 });
  await until(() => problems.length === 3);
  problems[2].answer({ ok: true, value: problemOf(2) });
  await second;
  problems[1].answer({ ok: true, value: problemOf(1) });
  await first;
  expect(state().problem).toEqual(problemOf(2));
  decodes[0].done();
  await until(() => decodes.length === 2);
  expect(decodes[1].request.problem).toEqual(problemOf(2));
  expect(runs()).toEqual(['running']);
});

test('a canvas that is changed while a problem is under way does not lose the problem', async () => {
  const asked = session.change({ row: 1 });
  await until(() => problems.length === 2);
  await session.change({ canvas: 32 });
  problems[1].answer({ ok: true, value: problemOf(1) });
  await asked;
  expect(state()).toMatchObject({ problem: problemOf(1), canvas: 32 });
});
