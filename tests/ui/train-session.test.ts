// The page's half of the training against a worker that answers when the test says so: a tab that is hidden, a worker that
// does not come.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunStatus, TrainApi, TrainMessage } from '../../src/ui/training/train-protocol.ts';
import { TrainSession } from '../../src/ui/training/train-session.ts';
import { useTraining } from '../../src/ui/training/train-store.ts';
import { fakeWorker } from '../support/fake-worker.ts';

const state = () => useTraining.getState();

let session: TrainSession;
let worker: Worker;
let tab: EventTarget & { hidden: boolean };
let events: MessagePort;
let describing: TrainApi['describe'];
/** What the worker was asked to do with the run. */
let asked: string[];

beforeEach(() => {
  tab = Object.assign(new EventTarget(), { hidden: false });
  vi.stubGlobal('document', tab);
  asked = [];
  describing = async () => ({ ok: true, value: { title: '', presets: [{ name: 'short', values: {} }], fields: [] } });
});

afterEach(() => {
  session.dispose();
  vi.unstubAllGlobals();
});

function open(): void {
  session = new TrainSession({}, () => {
    const api: Partial<TrainApi> = {
      describe: () => describing(),
      kept: async () => [],
      samples: async () => ({ ok: false, code: 'internal', reason: '', advice: '' }),
      async start(request, identity, port) {
        events = port;
        const value = { ...identity, request, phases: [], adapter: '', phase: '', step: 0, workMs: 0, lines: {} };
        return { ok: true, value: { ...value, status: 'running' as const } };
      },
      // A long slice goes on meanwhile: nothing is said of it.
      pause: async () => void asked.push('pause'),
      resume: async () => void asked.push('resume'),
      stop: async () => undefined,
    };
    worker = fakeWorker(api);
    return worker;
  });
}

async function until(condition: () => boolean): Promise<void> {
  for (let left = 2000; !condition(); left--) {
    if (left === 0) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function look(hidden: boolean): void {
  tab.hidden = hidden;
  tab.dispatchEvent(new Event('visibilitychange'));
}

/** What the worker was asked, once it has heard of all. */
async function heard(): Promise<string[]> {
  await session.stop();
  return asked;
}

describe('a tab that is hidden', () => {
  beforeEach(async () => {
    open();
    await until(() => state().card !== null);
    await session.start();
    expect(state().status).toBe('running');
  });

  const say = async (status: RunStatus) => {
    const message: TrainMessage = { kind: 'progress', status, phase: '', step: 0, workMs: 0, dreamSteps: 0 };
    events.postMessage(message);
    await until(() => state().status === status);
  };

  test('and seen again within one slice: the run goes on', async () => {
    look(true);
    expect(state().notice).toBe('Paused while this tab is hidden.');
    look(false);
    expect(state()).toMatchObject({ status: 'running', notice: '' });
    expect(await heard()).toEqual(['pause', 'resume']);
  });

  test('and seen again after the slice: the run goes on', async () => {
    look(true);
    await say('paused');
    look(false);
    expect(state().status).toBe('running');
    expect(await heard()).toEqual(['pause', 'resume']);
  });

  test.each(['done', 'failed'] as const)('while the last slice ends: the run stays %s', async (status) => {
    look(true);
    await say(status);
    look(false);
    expect(state()).toMatchObject({ status, notice: '' });
    expect(await heard()).toEqual(['pause']);
  });

  test('does not go on with what the visitor had paused, even in the same slice', async () => {
    await session.togglePause();
    look(true);
    look(false);
    expect((await heard()).includes('resume')).toBe(false);
    await say('paused');
    await session.togglePause();
    look(true);
    look(false);
    expect((await heard()).slice(-3)).toEqual(['resume', 'pause', 'resume']);
  });
});

test('a worker that was not fetched is a failure, which a page without a run shows too', async () => {
  describing = () => new Promise(() => undefined);
  open();
  worker.onerror?.(new Event('error') as ErrorEvent);
  expect(state()).toMatchObject({
    status: 'idle',
    failure: { reason: 'A part of the page failed: it did not load.', advice: 'Reload the page.' },
  });
});

test('so is a method that cannot be described', async () => {
  describing = () => Promise.reject(new Error('presets.js is not there'));
  open();
  await until(() => state().failure !== null);
  expect(state().failure?.reason).toBe('A part of the page failed: presets.js is not there.');
});
