// The page's half of the language model against a worker that answers when the test says so: which model's facts are shown,
// what a lost device means without weights, a folder that cannot be read.

import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Answer, LmApi, LmEvent, ModelFacts } from '../../src/ui/language-model/protocol.ts';
import { LmSession } from '../../src/ui/language-model/session.ts';
import { useLm } from '../../src/ui/language-model/store.ts';
import { fakeWorker } from '../support/fake-worker.ts';

const FACTS = { layers: 1, chat: true } as ModelFacts;
const folder = (name: string) => ({ name, files: [] });
const state = () => useLm.getState();

let session: LmSession;
let events: MessagePort;
let loads: ((answer: Answer<ModelFacts>) => void)[];
/** Numbers that came with what was to be written. */
let writes: number[];

beforeEach(() => {
  loads = [];
  writes = [];
  session = new LmSession(() => {
    const api: LmApi = {
      listen: async (port) => {
        events = port;
      },
      load: () => new Promise((resolve) => loads.push(resolve)),
      write: (_, load) => {
        writes.push(load);
        return new Promise(() => {});
      },
      stop: async () => {},
    };
    return fakeWorker(api);
  });
});

afterEach(() => session.dispose());

async function until(condition: () => boolean): Promise<void> {
  for (let left = 2000; !condition(); left--) {
    if (left === 0) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const say = (event: LmEvent) => events.postMessage(event);

async function asked(count: number): Promise<void> {
  await until(() => loads.length === count);
}

async function cancelled(): Promise<void> {
  const load = session.load(folder('a'));
  await asked(1);
  session.stop();
  loads[0]({ ok: false, kind: 'stopped', reason: 'aborted' });
  await load;
}

test('a folder that does not fit leaves nothing of the one whose load it ended', async () => {
  void session.load(folder('a'));
  await asked(1);
  const second = session.load(folder('b'));
  await asked(2);
  // Events come in order: when the progress of the second is there, what the first still said was heard.
  say({ kind: 'facts', load: 1, facts: FACTS });
  say({ kind: 'progress', load: 2, done: 1, total: 2 });
  await until(() => state().progress !== null);
  expect(state().facts).toBeNull();
  say({ kind: 'facts', load: 2, facts: FACTS });
  await until(() => state().facts !== null);
  loads[0]({ ok: false, kind: 'stopped', reason: 'aborted' });
  loads[1]({ ok: false, kind: 'files', reason: 'no config.json' });
  await second;
  expect(state()).toMatchObject({ status: 'empty', facts: null, fault: 'b: no config.json' });
});

test('a device that is lost without weights on it is no loss', async () => {
  await cancelled();
  say({ kind: 'lost', reason: 'unplugged' });
  // Events come in order: when the progress is there, the loss was heard.
  say({ kind: 'progress', load: 1, done: 1, total: 2 });
  await until(() => state().progress !== null);
  expect(state()).toMatchObject({ status: 'empty', fault: '' });
});

test('one that is lost with weights is, and they can be loaded again', async () => {
  const load = session.load(folder('a'));
  await asked(1);
  loads[0]({ ok: true, value: FACTS });
  await load;
  say({ kind: 'lost', reason: 'unplugged' });
  await until(() => state().status === 'lost');
  expect(state().fault).toContain('unplugged');
  void session.reload();
  await asked(2);
  expect(state()).toMatchObject({ status: 'loading', name: 'a', fault: '' });
});

test('a model that stays after a folder that does not fit writes on, and what an older one wrote is not shown', async () => {
  const first = session.load(folder('a'));
  await asked(1);
  loads[0]({ ok: true, value: FACTS });
  await first;
  const second = session.load(folder('b'));
  await asked(2);
  loads[1]({ ok: false, kind: 'files', reason: 'no config.json' });
  await second;
  session.change({ prompt: 'once' });
  void session.write();
  await until(() => writes.length === 1);
  const written = { text: 'upon', tokens: 1, tokensPerSecond: 1, end: 'running' } as const;
  say({ kind: 'text', load: 1, written: { ...written, text: 'of before' } });
  say({ kind: 'text', load: writes[0], written });
  await until(() => state().written !== null);
  expect(state()).toMatchObject({ status: 'writing', name: 'a', written: { text: 'upon' } });
});

test('a dropped folder that cannot be read is said', async () => {
  await session.open(Promise.reject(new DOMException('An entry is gone.', 'NotFoundError')));
  expect(state()).toMatchObject({ status: 'empty', fault: 'The folder cannot be read: An entry is gone.' });
  expect(loads).toHaveLength(0);
});
