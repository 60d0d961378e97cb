// The training chassis against a method of three numbers: slices, pauses, steps, a lost device, a failed run.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { memoryStorage, type Storage, StorageFull } from '../../src/data/storage.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import type { Checkpoint, Method, RunContext, RunState, Session } from '../../src/methods/contract.ts';
import type { Dream } from '../../src/methods/dreamer4/play-contract.ts';
import { takeSeed } from '../../src/ui/playground/share.ts';
import { duration, RateEstimate } from '../../src/ui/training/rate-estimate.ts';
import { configure, fieldValues } from '../../src/ui/training/run-config.ts';
import { Series } from '../../src/ui/training/series.ts';
import { TrainHost } from '../../src/ui/training/train-host.ts';
import type { TrainMessage } from '../../src/ui/training/train-protocol.ts';

interface Counting {
  steps: number;
  model: { width: number };
}

class CountingSession implements Session {
  readonly phases;
  readonly context: RunContext;
  readonly config: Counting;
  count = 0;
  busy = 0;
  disposed = false;

  constructor(context: RunContext, config: Counting) {
    this.context = context;
    this.config = config;
    this.phases = [{ id: 'count', title: 'Counting', steps: config.steps }];
  }
  async advance({ steps }: { steps?: number; ms?: number }): Promise<'more' | 'done'> {
    if (++this.busy > 1) throw new Error('asked twice at once');
    await new Promise((resolve) => setTimeout(resolve));
    this.busy--;
    if (trouble) throw trouble;
    if (this.context.gpu.lostReason !== null) throw new Error('device gone');
    this.count = Math.min(this.config.steps, this.count + (steps ?? 10));
    if (this.count >= losses[0]) this.lose();
    this.context.emit({ kind: 'metrics', phase: 'count', step: this.count, values: { loss: 1 / this.count } });
    return this.count >= this.config.steps ? 'done' : 'more';
  }
  state(): RunState {
    return { phase: 'count', step: this.count, done: this.count >= this.config.steps };
  }
  lose(): never {
    losses.shift();
    (this.context.gpu as { lostReason: string | null }).lostReason = 'driver reset';
    throw new Error('device gone');
  }
  async save(): Promise<Checkpoint> {
    if (this.context.gpu.lostReason !== null) throw new Error('device gone');
    if (this.count >= unsaved) {
      unsaved = Number.POSITIVE_INFINITY;
      this.lose();
    }
    return { name: 'count.safetensors', bytes: Uint8Array.of(this.count) };
  }
  async load({ bytes }: Checkpoint) {
    if (bytes.length !== 1) throw new Error('the file does not hold a count');
    this.count = bytes[0];
  }
  async inspect() {
    return { width: 1, height: 1, columns: 1, rows: [{ title: 'now', rgb: Uint8Array.of(this.count, 0, 0) }] };
  }
  dispose() {
    this.disposed = true;
  }
}

/** Dreams the count of its session as a gray level; there is none before the count is 20. */
const dreams: { session: CountingSession; disposed: boolean }[] = [];
const SIZE = 2 * 2 * 3;
function liveOf(session: CountingSession) {
  if (session.count < 20) return null;
  const open = (): Dream => {
    const mine = { session, disposed: false };
    dreams.push(mine);
    return {
      info: {
        title: '',
        width: 2,
        height: 2,
        hz: 10,
        world: 'park',
        contextFrames: 4,
        contextSeconds: 0.4,
        kMax: 4,
        parameters: 1,
        latent: [1, 1],
      },
      streams: 1,
      reset: () => undefined,
      observe: async () => undefined,
      step: async () => ({
        rgb: new Uint8Array(SIZE).fill(session.count),
        film: new Uint8Array(),
        index: 0,
        ringFill: 1,
        timing: { total: 1, denoise: null, commit: null, decode: null, dispatches: 1 },
      }),
      dispose: () => {
        mine.disposed = true;
      },
    };
  };
  return { steps: session.count, open };
}

const method: Method<Counting> = {
  id: 'counting',
  title: 'Counting',
  presets: { short: { steps: 40, model: { width: 8 } }, long: { steps: 200, model: { width: 16 } } },
  fields: [
    { key: 'steps', label: 'Steps', hint: '', min: 1, max: 250, step: 1 },
    { key: 'model.width', label: 'Width', hint: '', min: 1, max: 64, step: 1 },
  ],
  create: async (context, config) => {
    const session = new CountingSession(context, config);
    sessions.push(session);
    return session;
  },
};

let sessions: CountingSession[];
let gpus: { lostReason: string | null; error: string | null; disposed: boolean }[];
let trouble: Error | null;
let doomed: boolean;
/** Counts at which a device gets lost, and one at which it does in a save. */
let losses: number[];
let unsaved: number;
let now: number;
let storage: Storage;
/** Runs that another tab has open. */
let elsewhere: Set<string>;
let host: TrainHost;
let messages: TrainMessage[];
let port: MessagePort;

beforeEach(() => {
  sessions = [];
  gpus = [];
  trouble = null;
  doomed = false;
  losses = [];
  unsaved = Number.POSITIVE_INFINITY;
  now = 0;
  messages = [];
  storage = memoryStorage();
  elsewhere = new Set();
  host = newHost();
  port = { postMessage: (message: TrainMessage) => messages.push(message) } as unknown as MessagePort;
});

const newHost = () =>
  new TrainHost({
    openGpu: async () => {
      const gpu = {
        lostReason: doomed ? 'driver reset' : null,
        error: null,
        disposed: false,
        dispose: () => {
          gpu.disposed = true;
        },
        lost: new Promise<never>(() => undefined),
        report: { description: `adapter ${gpus.length}` },
      };
      gpus.push(gpu);
      return { ok: true, gpu: gpu as unknown as Gpu };
    },
    method: async () => method as Method<unknown>,
    live: (session) => liveOf(session as CountingSession),
    // Every look at the clock is ten seconds later.
    now: () => (now += 10_000),
    storage: async () => storage,
    claim: async (id) => (elsewhere.has(id) ? null : () => undefined),
  });

const until = async (condition: () => boolean) => {
  for (let i = 0; i < 2000 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(condition()).toBe(true);
};
const lastProgress = () => messages.findLast((message) => message.kind === 'progress');
const start = (set: Record<string, number> = {}, preset = 'short', id = 'one') =>
  host.start({ preset, seed: 3, set }, { id, at: 7 }, port);
const lastKept = () => messages.findLast((message) => message.kind === 'kept');

describe('a run', () => {
  test('describes its presets with the numbers that may change', async () => {
    const described = await host.describe();
    expect(described.ok && described.value.presets).toEqual([
      { name: 'short', values: { steps: 40, 'model.width': 8 } },
      { name: 'long', values: { steps: 200, 'model.width': 16 } },
    ]);
  });

  test('goes to its end and says so', async () => {
    const opened = await start();
    expect(opened).toEqual({
      ok: true,
      value: {
        id: 'one',
        at: 7,
        request: { preset: 'short', seed: 3, set: {} },
        phases: [{ id: 'count', title: 'Counting', steps: 40 }],
        adapter: 'adapter 0',
        status: 'running',
        phase: '',
        step: 0,
        workMs: 0,
        lines: {},
      },
    });
    await until(() => lastProgress()?.status === 'done');
    expect(lastProgress()).toMatchObject({ phase: 'count', step: 40 });
    expect(messages.filter(({ kind }) => kind === 'metrics')).toHaveLength(4);
    expect(sessions[0].context.seed).toBe(3);
  });

  test('a changed field reaches the configuration, the preset stays as it was', async () => {
    await start({ steps: 5, 'model.width': 3 });
    expect(sessions[0].config).toEqual({ steps: 5, model: { width: 3 } });
    expect(method.presets.short).toEqual({ steps: 40, model: { width: 8 } });
  });

  test.each([
    [{ steps: 0 }, /Steps must lie between 1 and 250/],
    [{ 'model.width': Number.NaN }, /Width must lie/],
    [{ depth: 3 }, /no setting "depth"/],
  ])('%j is refused', async (set, words) => {
    const opened = await start(set as Record<string, number>);
    expect(opened.ok).toBe(false);
    if (!opened.ok) expect(opened.reason).toMatch(words);
  });

  test('an unknown preset is refused', async () => {
    expect(await start({}, 'huge')).toMatchObject({ ok: false, reason: 'There is no preset "huge".' });
  });

  test('pause stands still, a step goes one, resume goes on', async () => {
    await start({}, 'long');
    await host.pause();
    const at = sessions[0].count;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sessions[0].count).toBe(at);
    expect(lastProgress()).toMatchObject({ status: 'paused', step: at });
    await host.step();
    expect(sessions[0].count).toBe(at + 1);
    await host.resume();
    await until(() => lastProgress()?.status === 'done');
  });

  test('paused and resumed within one slice, it goes on', async () => {
    await start({}, 'long');
    await until(() => sessions[0].busy === 1);
    await Promise.all([host.pause(), host.resume()]);
    await until(() => lastProgress()?.status === 'done');
    expect(sessions[0].count).toBe(200);
  });

  test('questions come between two slices, never during one', async () => {
    await start({}, 'long');
    const answers = await Promise.all([host.samples(), host.save(), host.samples()]);
    expect(answers.every(({ ok }) => ok)).toBe(true);
    await until(() => lastProgress()?.status === 'done');
    expect(lastProgress()?.step).toBe(200);
  });

  test('stop ends the training, and what it made can still be saved', async () => {
    await start({}, 'long');
    await until(() => sessions[0].count >= 20);
    await host.stop();
    const { count } = sessions[0];
    expect(sessions[0].context.signal.aborted).toBe(true);
    expect(lastProgress()).toMatchObject({ status: 'done', step: count });
    expect(await host.save()).toMatchObject({ ok: true, value: { bytes: Uint8Array.of(count) } });
    await host.resume();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sessions[0].count).toBe(count);
  });

  test('before a run is open there is nothing to save', async () => {
    expect(await host.save()).toMatchObject({ ok: false, reason: 'No run is open.' });
  });

  test('a new start ends the old one', async () => {
    await start({}, 'long');
    await start({}, 'short', 'two');
    expect(sessions[0].disposed).toBe(true);
    await until(() => sessions[1].count === 40);
    expect(sessions[0].count).toBeLessThan(200);
  });

  test('resumes from a saved file, and refuses a foreign one without losing the run', async () => {
    await start({}, 'long');
    await host.pause();
    expect(await host.load(Uint8Array.of(150))).toMatchObject({ ok: true });
    expect(lastProgress()?.step).toBe(150);
    expect(await host.load(new Uint8Array(7))).toMatchObject({ ok: false, reason: 'the file does not hold a count' });
    expect(sessions[0].count).toBe(150);
  });
});

describe('a kept run', () => {
  test('is kept when it pauses, and goes on in another visit with its lines, its time and its settings', async () => {
    await start({ 'model.width': 3 }, 'long');
    await until(() => sessions[0].count >= 60);
    await host.pause();
    const { count } = sessions[0];
    expect(lastKept()).toEqual({ kind: 'kept', phase: 'count', step: count, problem: '' });
    const visit = newHost();
    expect(await visit.kept()).toEqual([
      { id: 'one', at: 7, preset: 'long', seed: 3, title: 'Counting', step: count, steps: 200, done: false },
    ]);
    const opened = await visit.reopen('one', port);
    if (!opened.ok) throw new Error(opened.reason);
    expect(opened.value).toMatchObject({ id: 'one', at: 7, status: 'running', phase: 'count', step: count });
    expect(opened.value.request).toEqual({ preset: 'long', seed: 3, set: { 'model.width': 3 } });
    expect(opened.value.workMs).toBeGreaterThan(0);
    expect(opened.value.lines['count/loss'].map(({ step }) => step)).toEqual(
      Array.from({ length: count / 10 }, (_, i) => (i + 1) * 10),
    );
    expect(sessions[1].config).toEqual({ steps: 200, model: { width: 3 } });
    await until(() => lastProgress()?.status === 'done');
    expect(sessions[1].count).toBe(200);
  });

  test('keeps the configuration that it began with, should the preset change', async () => {
    await start({}, 'long');
    await host.pause();
    const kept = method.presets.long;
    (method.presets as Record<string, Counting>).long = { steps: 90, model: { width: 99 } };
    try {
      await newHost().reopen('one', port);
      expect(sessions[1].config).toEqual({ steps: 200, model: { width: 16 } });
    } finally {
      (method.presets as Record<string, Counting>).long = kept;
    }
  });

  test('that is finished is opened, not trained again', async () => {
    await start();
    await until(() => lastProgress()?.status === 'done');
    const visit = newHost();
    expect(await visit.kept()).toMatchObject([{ step: 40, done: true }]);
    expect(await visit.reopen('one', port)).toMatchObject({ ok: true, value: { status: 'done', step: 40 } });
    expect(await visit.save()).toMatchObject({ ok: true, value: { bytes: Uint8Array.of(40) } });
  });

  test('another start does not touch it; each is forgotten by itself', async () => {
    await start({}, 'long');
    await until(() => sessions[0].count >= 20);
    await host.start({ preset: 'short', seed: 4, set: {} }, { id: 'two', at: 9 }, port);
    await until(() => lastProgress()?.step === 40 && lastProgress()?.status === 'done');
    expect((await host.kept()).map(({ id }) => id)).toEqual(['two', 'one']);
    expect(await host.forget('one')).toEqual({ ok: true, value: null });
    expect((await host.kept()).map(({ id }) => id)).toEqual(['two']);
    expect(await storage.list()).toEqual(['two.json', 'two.safetensors']);
    expect(await host.reopen('one', port)).toMatchObject({ ok: false, reason: 'This browser keeps no such run.' });
  });

  test('stopped and forgotten at once, it is gone: it is kept first', async () => {
    await start({}, 'long');
    await until(() => sessions[0].count >= 20);
    await Promise.all([host.stop(), host.forget('one')]);
    expect(await storage.list()).toEqual([]);
  });

  test('that another tab has open is neither opened nor forgotten', async () => {
    await start({}, 'long');
    await host.pause();
    elsewhere.add('one');
    const visit = newHost();
    for (const refused of [await visit.reopen('one', port), await visit.forget('one')])
      expect(refused).toMatchObject({ ok: false, reason: expect.stringContaining('still open: in another tab') });
    expect(await visit.kept()).toHaveLength(1);
  });

  test('half of one, or a foreign file, is not listed', async () => {
    await storage.write('half.json', new TextEncoder().encode('{}'));
    await storage.write('odd.json', new TextEncoder().encode('{"id":"odd"'));
    await storage.write('odd.safetensors', Uint8Array.of(1));
    expect(await host.kept()).toEqual([]);
    expect(await host.reopen('odd', port)).toMatchObject({ ok: false });
  });

  test('a full disk is said, the run goes on and is saved as a file; with room again it is kept', async () => {
    const { write } = storage;
    storage.write = async () => {
      throw new StorageFull();
    };
    await start({}, 'long');
    await until(() => sessions[0].count >= 50);
    await host.pause();
    expect(lastKept()).toMatchObject({ problem: expect.stringContaining('storage for this page is full') });
    expect(await host.kept()).toEqual([]);
    const { count } = sessions[0];
    expect(await host.save()).toMatchObject({ ok: true, value: { bytes: Uint8Array.of(count) } });
    storage.write = write;
    await host.pause();
    expect(lastKept()).toMatchObject({ step: count, problem: '' });
    expect(await host.kept()).toHaveLength(1);
  });

  test('no storage at all: the same words, and nothing to go on with', async () => {
    const bare = new TrainHost({
      openGpu: async () => ({ ok: true, gpu: { lostReason: null, report: { description: '' } } as unknown as Gpu }),
      method: async () => method as Method<unknown>,
      live: () => null,
      storage: () => Promise.reject(new Error('storage is not allowed here')),
      claim: async () => () => undefined,
      now: () => (now += 10_000),
    });
    expect(await bare.kept()).toEqual([]);
    await bare.start({ preset: 'long', seed: 3, set: {} }, { id: 'one', at: 7 }, port);
    await bare.pause();
    expect(lastKept()).toMatchObject({ problem: 'storage is not allowed here' });
    await bare.stop();
  });
});

describe('a dream on the live weights', () => {
  const SETTINGS = { k: 4, contextCorruption: 0.1, seed: 1 };
  let channel: MessageChannel;
  let truth: MessagePort;

  beforeEach(() => {
    channel = new MessageChannel();
    truth = channel.port1;
    dreams.length = 0;
  });
  afterEach(async () => {
    await host.stop();
    await host.closeDream();
    channel.port1.close();
    channel.port2.close();
  });

  const openDream = async () => {
    const opened = await host.openDream(null, channel.port2);
    const frames = new Uint8Array(2 * SIZE);
    truth.postMessage({ kind: 'episode', episode: 1, width: 2, height: 2, frames, actions: Uint32Array.of(0, 0) });
    return opened;
  };
  const frame = (index: number) => {
    truth.postMessage({ kind: 'frame', episode: 1, index, action: 0, rgb: new Uint8Array(SIZE) });
    return host.dream(1, index, SETTINGS, false);
  };

  test('there is none before the weights have learned something, and the run goes on', async () => {
    await start({}, 'long');
    await host.pause();
    await host.load(Uint8Array.of(3));
    expect(lastProgress()).toMatchObject({ dreamSteps: 0 });
    expect(await openDream()).toMatchObject({ ok: false, reason: expect.stringContaining('nothing to dream with') });
    await host.resume();
    await until(() => (lastProgress()?.dreamSteps ?? 0) >= 20);
    expect(await openDream()).toMatchObject({ ok: true, value: { width: 2 } });
  });

  test('each frame is of the weights as they are then, while the steps go on', async () => {
    await start({ steps: 250 }, 'long');
    await until(() => sessions[0].count >= 20);
    expect(await openDream()).toMatchObject({ ok: true });
    const seen: number[] = [];
    for (let index = 1; sessions[0].count < 200; index++) {
      const dreamed = await frame(index);
      if (!dreamed.ok) throw new Error(dreamed.reason);
      expect([...dreamed.value.rgb]).toEqual(new Array(SIZE).fill(dreamed.value.weightSteps));
      seen.push(dreamed.value.weightSteps);
      await new Promise((resolve) => setTimeout(resolve));
    }
    expect(new Set(seen).size).toBeGreaterThan(4);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(dreams).toHaveLength(1);
  });

  test('a step that waits for a frame which never comes does not hold the training up', async () => {
    await start({}, 'long');
    await until(() => sessions[0].count >= 20);
    await openDream();
    const waiting = host.dream(1, 99, SETTINGS, false);
    await host.closeDream();
    expect(await waiting).toMatchObject({ ok: false, reason: 'The dream has ended.' });
    expect(dreams[0].disposed).toBe(true);
    await until(() => lastProgress()?.status === 'done');
    expect(await frame(1)).toMatchObject({ ok: false });
  });

  test('a lost device: the dream is rebuilt on the run that goes on', async () => {
    await start({}, 'long');
    await until(() => sessions[0].count >= 40 && lastKept() !== undefined);
    await openDream();
    await host.pause();
    gpus[0].lostReason = 'driver reset';
    expect(await frame(1)).toMatchObject({ ok: false, code: 'device-lost' });
    expect(await host.rebuild()).toMatchObject({ ok: true });
    expect(await frame(1)).toMatchObject({ ok: true, value: { weightSteps: sessions[1].count } });
    expect(dreams[1].session).toBe(sessions[1]);
  });

  test('goes with its run', async () => {
    await start({}, 'long');
    await until(() => sessions[0].count >= 20);
    await openDream();
    await start({}, 'short', 'two');
    expect(dreams[0].disposed).toBe(true);
  });
});

describe('trouble', () => {
  test('an error stops the run with its message', async () => {
    await start({}, 'long');
    trouble = new Error('NaN in dynamics.layer3 at step 12');
    await until(() => lastProgress()?.status === 'failed');
    expect(messages).toContainEqual({ kind: 'log', text: 'Stopped: NaN in dynamics.layer3 at step 12' });
  });

  test('a failed run is back at its last good copy, which is what is saved', async () => {
    await start({}, 'long');
    await until(() => lastKept() !== undefined);
    trouble = new Error('NaN');
    await until(() => lastProgress()?.status === 'failed');
    const { step } = lastKept() as { step: number };
    expect(sessions[0].count).toBe(step);
    expect(lastProgress()).toMatchObject({ step });
    expect(messages).toContainEqual({ kind: 'log', text: `Back at the last good copy, step ${step} of count.` });
    expect(await host.save()).toMatchObject({ ok: true, value: { bytes: Uint8Array.of(step) } });
    trouble = null;
    expect(await newHost().kept()).toMatchObject([{ step }]);
  });

  test('a lost device is replaced and the run goes on from its last checkpoint', async () => {
    await start({}, 'long');
    await until(() => sessions[0].count >= 50);
    gpus[0].lostReason = 'driver reset';
    await until(() => lastProgress()?.status === 'done');
    expect(gpus).toHaveLength(2);
    expect(sessions).toHaveLength(2);
    expect(sessions[1].count).toBe(200);
    const logged = messages.filter((message) => message.kind === 'log').map(({ text }) => text);
    // The clock of this test is fast: the first slices saved a checkpoint.
    expect(logged).toEqual([
      expect.stringMatching(/lost \(driver reset\)\. A new one goes on from step [1-9]\d* of count\.$/),
    ]);
  });

  test('devices that get lost one after the other end the run', async () => {
    doomed = true;
    await start({}, 'long');
    await until(() => lastProgress()?.status === 'failed');
    expect(gpus).toHaveLength(4);
    expect(sessions.map(({ disposed }) => disposed)).toEqual([true, true, true, false]);
    expect(await host.save()).toMatchObject({ ok: false });
    expect(messages).toContainEqual({ kind: 'log', text: 'Stopped: The GPU device was lost: driver reset' });
  });

  test('devices that get lost after progress do not', async () => {
    losses = [30, 60, 90, 120, 150];
    await start({}, 'long');
    await until(() => lastProgress()?.status === 'done');
    expect(gpus).toHaveLength(6);
    expect(sessions[5].count).toBe(200);
  });

  test('a device lost while the end is kept: the end comes again', async () => {
    unsaved = 40;
    await start();
    await until(() => lastProgress()?.status === 'done');
    expect(sessions.map(({ count, disposed }) => [count, disposed])).toEqual([
      [40, true],
      [40, false],
    ]);
  });

  test('a device lost after the end, or in a pause: questions are answered on another one', async () => {
    await start();
    await until(() => lastProgress()?.status === 'done');
    gpus[0].lostReason = 'driver reset';
    expect(await host.save()).toMatchObject({ ok: true, value: { bytes: Uint8Array.of(40) } });
    expect(lastProgress()).toMatchObject({ status: 'done', step: 40 });
    await start({}, 'long');
    await host.pause();
    expect(await host.load(Uint8Array.of(150))).toMatchObject({ ok: true });
    gpus[1].lostReason = 'driver reset';
    expect(await host.save()).toMatchObject({ ok: true, value: { bytes: Uint8Array.of(150) } });
    expect(lastProgress()).toMatchObject({ status: 'paused', step: 150 });
    expect(gpus).toHaveLength(3);
  });

  test('a device whose memory was full is given up: the next run has another one', async () => {
    await start({}, 'long');
    gpus[0].error = 'Out of memory';
    trouble = new Error('WebGPU: Out of memory');
    await until(() => lastProgress()?.status === 'failed');
    trouble = null;
    expect(await start({}, 'short', 'two')).toMatchObject({ ok: true, value: { adapter: 'adapter 1' } });
    expect(gpus.map(({ disposed }) => disposed)).toEqual([true, false]);
    await until(() => lastProgress()?.status === 'done');
  });

  test('no adapter: the engine’s own words', async () => {
    const refused = new TrainHost({
      openGpu: async () => ({ ok: false, reason: 'This browser has no WebGPU.', advice: 'Use another.' }),
      method: async () => method as Method<unknown>,
      live: () => null,
      storage: async () => storage,
      claim: async () => () => undefined,
      now: () => 0,
    });
    expect(await refused.start({ preset: 'short', seed: 1, set: {} }, { id: 'one', at: 7 }, port)).toMatchObject({
      ok: false,
      code: 'no-webgpu',
      reason: 'This browser has no WebGPU.',
    });
  });
});

describe('parts', () => {
  test('fields that a preset lacks are left out', () => {
    expect(fieldValues({ steps: 2 }, method.fields)).toEqual({ steps: 2 });
    expect(() => configure({ steps: 2 } as Counting, method.fields, { 'model.width': 4 })).toThrow('no setting');
  });

  test.each([
    ['12', 12],
    ['007', 7],
    ['4294967295', 4294967295],
    ['4294967296', 5],
    ['12a', 5],
    ['', 5],
  ])('of "%s" in the field the seed %i is taken and shown', (value, seed) => {
    const input = { value };
    expect(takeSeed(input, 5)).toBe(seed);
    expect(input.value).toBe(String(seed));
  });

  test('a series stays below its limit, keeps its first point and its shape', () => {
    const series = new Series(100);
    for (let step = 0; step < 10_000; step++) series.add(step, step * 2);
    const points = series.points();
    expect(points.length).toBeLessThan(100);
    expect(points.length).toBeGreaterThan(40);
    expect(points[0]).toEqual({ step: 0, value: 0 });
    expect(points.every(({ step, value }) => value === step * 2)).toBe(true);
    expect(points.at(-1)?.step).toBeGreaterThan(9700);
  });

  test('what is measured again replaces what was there', () => {
    const series = new Series(100);
    for (const step of [10, 20, 30, 40]) series.add(step, 1);
    series.add(30, 2);
    series.add(40, 2);
    expect(series.points()).toEqual([
      { step: 10, value: 1 },
      { step: 20, value: 1 },
      { step: 30, value: 2 },
      { step: 40, value: 2 },
    ]);
  });

  test('rate and time left of the running phase', () => {
    const rate = new RateEstimate();
    expect(rate.perSecond()).toBeNull();
    for (let i = 0; i <= 20; i++) rate.report('a', i * 5, i * 1000);
    expect(rate.perSecond()).toBeCloseTo(5, 6);
    expect(rate.secondsLeft(200)).toBeCloseTo(20, 6);
    rate.report('b', 0, 21_000);
    expect(rate.secondsLeft(100)).toBeNull();
  });

  test.each([
    [0.4, '0 s'],
    [59, '59 s'],
    [75, '1 min 15 s'],
    [1800, '30 min'],
    [9000, '2 h 30 min'],
  ])('%f seconds are "%s"', (seconds, words) => {
    expect(duration(seconds)).toBe(words);
  });
});
