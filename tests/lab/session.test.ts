// The page's half of the GPU tab against a worker that answers, fails or falls silent: order of jobs, results, the watchdog.

import { expose } from 'comlink';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Job, JobEvent } from '../../src/bench/jobs.ts';
import { summarise } from '../../src/gpu/timing.ts';
import type { LabApi, LabMessage, LabOpened } from '../../src/ui/gpu/lab-protocol.ts';
import { LabSession } from '../../src/ui/gpu/lab-session.ts';
import { initialLab, useLab } from '../../src/ui/gpu/lab-store.ts';
import type { Outcome } from '../../src/ui/playground/protocol.ts';

type Script = (job: Job, say: (event: JobEvent) => void) => Promise<Outcome<'done' | 'stopped'>>;

interface FakeWorker extends EventTarget {
  terminated: boolean;
}

const done: Outcome<'done'> = { ok: true, value: 'done' };
const opened = (software: boolean): LabOpened =>
  ({ report: {}, conditions: { software }, kernels: [], checks: 3 }) as unknown as LabOpened;

let workers: FakeWorker[] = [];
let stopped = 0;

interface Fate {
  software?: boolean;
  /** Workers, by number, that never answer. */
  mute?: number[];
  /** What a call of `open` is rejected with. */
  broken?: Error;
  edit?: number;
}

/** A worker of the page's side whose other end runs here; `script` is what its jobs do, by number of the worker. */
function parts(script: Script, { software = false, mute = [], broken, edit = 60 }: Fate = {}) {
  return {
    // Only edits are watched closely: an answer of a busy machine may take its time.
    silenceMs: { open: mute.length > 0 ? 60 : 20_000, job: 20_000, edit },
    makeWorker: (): Worker => {
      const { port1, port2 } = new MessageChannel();
      const index = workers.length;
      const api: LabApi = {
        open: async () => {
          if (broken) throw broken;
          return mute.includes(index) ? new Promise(() => undefined) : { ok: true, value: opened(software) };
        },
        examine: async () => ({ ok: true, value: [] }),
        async run(job, events) {
          const say = (message: LabMessage) => events.postMessage(message);
          const answer = await script(job, say);
          say({ kind: 'end' });
          return answer;
        },
        stop: async () => {
          stopped++;
        },
      };
      expose(api, port2);
      const worker = Object.assign(port1, { terminated: false, terminate: () => {} }) as unknown as FakeWorker & Worker;
      worker.terminate = () => {
        worker.terminated = true;
        port1.close();
        port2.close();
      };
      port1.start();
      workers.push(worker);
      return worker;
    },
  };
}

async function until(condition: () => boolean, ms = 20_000): Promise<void> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const idle = () => useLab.getState().running === null;
const timing = summarise([1], 1, 'completion', 0);
const cost = (method: string): JobEvent => ({
  kind: 'cost',
  cost: { method, step: '', dispatches: 1, pipelines: 1, flops: 1, arenaMiB: 1, timing, fraction: 1 },
});

let session: LabSession | null = null;

beforeEach(() => {
  workers = [];
  stopped = 0;
  useLab.setState(initialLab());
});

afterEach(() => session?.dispose());

test('jobs run one after the other, and what they find is kept in order', async () => {
  const log: string[] = [];
  session = new LabSession(
    parts(async (job, say) => {
      log.push(`begin ${job.kind}`);
      say({ kind: 'progress', done: 0, total: 2, what: job.kind });
      await new Promise((resolve) => setTimeout(resolve, 10));
      say(cost(job.kind));
      log.push(`end ${job.kind}`);
      return done;
    }),
  );
  await session.start();
  expect(useLab.getState()).toMatchObject({ status: 'ready', doctor: [] });
  session.run({ kind: 'methods' });
  session.run({ kind: 'growth' });
  expect(useLab.getState().waiting.map((j) => j.kind)).toEqual(['growth']);
  await until(() => log.length === 4 && idle());
  expect(log).toEqual(['begin methods', 'end methods', 'begin growth', 'end growth']);
  expect(useLab.getState().findings.costs.map((c) => c.method)).toEqual(['methods', 'growth']);
});

test('stop forgets the jobs that wait and asks the worker', async () => {
  session = new LabSession(
    parts(async () => {
      await until(() => stopped > 0);
      return { ok: true, value: 'stopped' };
    }),
  );
  await session.start();
  session.run({ kind: 'proof' });
  session.run({ kind: 'growth' });
  session.stop();
  await until(idle);
  expect(useLab.getState()).toMatchObject({ waiting: [], notice: 'Stopped.' });
});

test('a failed job says why and what to do; the next one runs', async () => {
  let first = true;
  session = new LabSession(
    parts(async (_, say) => {
      if (!first) {
        say(cost('later'));
        return done;
      }
      first = false;
      return {
        ok: false,
        code: 'device-lost',
        reason: 'The GPU device was lost: driver.',
        advice: 'A new device is opened.',
      };
    }),
  );
  await session.start();
  session.run({ kind: 'growth' });
  await until(idle);
  expect(useLab.getState().notice).toBe('The GPU device was lost: driver. A new device is opened.');
  session.run({ kind: 'growth' });
  await until(() => useLab.getState().findings.costs.length === 1);
});

test('while a race has the adapter no job starts', async () => {
  session = new LabSession(parts(async () => done));
  await session.start();
  useLab.setState({ racing: true });
  session.run({ kind: 'growth' });
  expect(useLab.getState().running).toBeNull();
  useLab.setState({ racing: false });
  session.run({ kind: 'growth' });
  expect(useLab.getState().running).toEqual({ kind: 'growth' });
  await until(idle);
  expect(useLab.getState().wallMs).toBeGreaterThan(0);
});

const edit: Job = { kind: 'edit', kernel: 'k', variant: 'v', file: 'f.wgsl', text: 'loop {}' };

test('a silent worker on a GPU is ended, a new one takes its place, and what was found stays', async () => {
  session = new LabSession(
    parts(async (job, say) => {
      if (job.kind === 'edit') return new Promise(() => undefined);
      say(cost('before'));
      return done;
    }),
  );
  await session.start();
  session.run({ kind: 'methods' });
  await until(() => idle() && useLab.getState().findings.costs.length === 1);
  session.run(edit);
  await until(() => workers.length === 2 && idle());
  const { status, notice, findings, edit: tried } = useLab.getState();
  expect(workers.map((w) => w.terminated)).toEqual([true, false]);
  expect(status).toBe('ready');
  expect(findings.costs).toHaveLength(1);
  expect(tried).toMatchObject({ state: 'hung' });
  expect(notice).toMatch(/The edited kernel does not end\..*A new device was opened/);
  session.run({ kind: 'methods' });
  await until(idle);
  expect(useLab.getState().notice).toBe('');
});

test('on a processor the stuck worker is left alone, since ending it would block the browser', async () => {
  session = new LabSession(parts(() => new Promise(() => undefined), { software: true }));
  await session.start();
  session.run(edit);
  await until(() => workers.length === 2 && idle());
  expect(workers.map((w) => w.terminated)).toEqual([false, false]);
  expect(useLab.getState().notice).toContain('keeps a processor core busy');
});

test('if no new device can be opened, the tab says what to do', async () => {
  session = new LabSession(parts(() => new Promise(() => undefined), { software: true, mute: [1] }));
  await session.start();
  session.run(edit);
  await until(() => useLab.getState().status === 'failed');
  expect(useLab.getState().failure?.advice).toMatch(/reload the page/);
});

test('a worker that was not fetched is a failure that says what to do', async () => {
  session = new LabSession(parts(async () => done, { mute: [0] }));
  const starting = session.start();
  (workers[0] as unknown as Worker).onerror?.(new Event('error') as ErrorEvent);
  await starting;
  expect(useLab.getState()).toMatchObject({
    status: 'failed',
    failure: { reason: 'A part of the page failed: it did not load.', advice: 'Reload the page.' },
  });
});

test('so is a part of the worker that was not fetched', async () => {
  session = new LabSession(parts(async () => done, { broken: new Error('registry.js is not there') }));
  await session.start();
  expect(useLab.getState()).toMatchObject({
    status: 'failed',
    failure: { reason: 'A part of the page failed: registry.js is not there.', advice: 'Reload the page.' },
  });
});

test('stages of an edit become one report', async () => {
  session = new LabSession(
    parts(
      async (_, say) => {
        say({ kind: 'edit', stage: { stage: 'link' } });
        say({ kind: 'edit', stage: { stage: 'compile' } });
        const verdict = { case: 'one', ok: false, share: 1, tolerance: 0, reason: 'y[0] is 1 instead of 2' };
        say({ kind: 'edit', stage: { stage: 'case', done: 1, total: 1, verdict } });
        say({ kind: 'edit', stage: { stage: 'wrong', failed: 1, total: 1 } });
        return done;
      },
      { edit: 20_000 },
    ),
  );
  await session.start();
  session.run(edit);
  await until(idle);
  expect(useLab.getState().edit).toMatchObject({
    kernel: 'k',
    state: 'wrong',
    total: 1,
    message: 'Wrong in 1 of 1 cases; it is not raced.',
    cases: [{ case: 'one', reason: 'y[0] is 1 instead of 2' }],
  });
});

test('drafts are kept by file and dropped when they equal the source again', () => {
  session = new LabSession(parts(async () => done));
  session.draft('a.wgsl', 'x');
  session.draft('b.wgsl', 'y');
  session.draft('a.wgsl', null);
  expect(useLab.getState().drafts).toEqual({ 'b.wgsl': 'y' });
});
