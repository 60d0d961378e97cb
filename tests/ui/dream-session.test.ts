// The gpu worker's logic with a stand-in for the model: what is fed to it, what comes back, and every way it can fail.

import { beforeEach, describe, expect, test } from 'vitest';
import type { Gpu, GpuResult } from '../../src/gpu/device.ts';
import {
  type Dream,
  type DreamFrame,
  type DreamSettings,
  NO_ACTION,
} from '../../src/methods/dreamer4/play-contract.ts';
import { DreamSession } from '../../src/ui/playground/dream-session.ts';
import type { TruthMessage } from '../../src/ui/playground/protocol.ts';

const WIDTH = 64;
const HEIGHT = 48;
const SIZE = WIDTH * HEIGHT * 3;
const CONTEXT = 4;
const SETTINGS: DreamSettings = { k: 4, contextCorruption: 0.1, seed: 1 };
const gray = (value: number) => new Uint8Array(SIZE).fill(value);

/** Says back the action as a gray level, and writes down what it was given. */
class EchoDream implements Dream {
  readonly info = {
    title: 'echo',
    width: WIDTH,
    height: HEIGHT,
    hz: 10,
    world: 'park' as const,
    contextFrames: CONTEXT,
    contextSeconds: 0.4,
    kMax: 8,
    parameters: 1000,
    latent: [16, 16] as [number, number],
  };
  readonly streams = 1;
  seen: { values: number[]; actions: number[] }[] = [];
  resets = 0;
  disposed = false;
  trouble: Error | null = null;
  hangs = false;
  /** A step waits for it. */
  gate: Promise<void> | null = null;
  #index = 0;

  reset() {
    this.resets++;
    this.#index = 0;
  }
  async observe(frames: Uint8Array, actions: Uint32Array) {
    const values = Array.from(actions, (_, i) => frames[i * SIZE]);
    this.seen.push({ values, actions: [...actions] });
  }
  async step(actions: Uint32Array): Promise<DreamFrame> {
    if (this.hangs) return new Promise(() => {});
    await this.gate;
    if (this.disposed) throw new Error('the buffer was destroyed');
    if (this.trouble) throw this.trouble;
    this.#index++;
    return {
      rgb: gray(actions[0]),
      film: new Uint8Array(),
      index: this.#index,
      ringFill: Math.min(CONTEXT, this.#index),
      timing: { total: 5, denoise: null, commit: null, decode: null, dispatches: 100 },
    };
  }
  dispose() {
    this.disposed = true;
  }
}

let dreams: EchoDream[];
let devices: { gpu: Gpu; lose(reason: string): void }[];
let refuse: GpuResult | null;
let refuseCheckpoint: Error | null;
let session: DreamSession;
let channel: MessageChannel;

function fakeDevice() {
  let lose = (_reason: string) => {};
  const gpu = { lostReason: null as string | null, error: null, report: { description: `device ${devices.length}` } };
  const lost = new Promise<unknown>((resolve) => {
    lose = (reason) => {
      gpu.lostReason = reason;
      resolve(null);
    };
  });
  const device = { gpu: { ...gpu, lost } as unknown as Gpu, lose };
  Object.defineProperty(device.gpu, 'lostReason', { get: () => gpu.lostReason });
  devices.push(device);
  return device;
}

beforeEach(() => {
  dreams = [];
  devices = [];
  refuse = null;
  refuseCheckpoint = null;
  session = new DreamSession({
    openGpu: async () => refuse ?? { ok: true, gpu: fakeDevice().gpu },
    factory: async () => async () => {
      if (refuseCheckpoint) throw refuseCheckpoint;
      const dream = new EchoDream();
      dreams.push(dream);
      return dream;
    },
    fetch: () => Promise.reject(new Error('not used')),
  });
  channel = new MessageChannel();
  return () => channel.port1.close();
});

const send = (message: TruthMessage) => channel.port1.postMessage(message);
const episode = (number: number, values: number[]) =>
  send({
    kind: 'episode',
    episode: number,
    width: WIDTH,
    height: HEIGHT,
    frames: Uint8Array.from({ length: values.length * SIZE }, (_, i) => values[Math.floor(i / SIZE)]),
    actions: Uint32Array.from(values, (value, i) => (i === 0 ? NO_ACTION : value + 100)),
  });
const frame = (number: number, index: number, value: number) =>
  send({ kind: 'frame', episode: number, index, action: value, rgb: gray(value) });

async function opened() {
  expect((await session.open(null, channel.port2 as unknown as MessagePort)).ok).toBe(true);
  const loaded = await session.loadBytes(new Uint8Array(4));
  if (!loaded.ok) throw new Error(loaded.reason);
  return loaded.value;
}

/** The feed hears messages a task later. */
const heard = () => new Promise((resolve) => setTimeout(resolve, 20));

describe('context', () => {
  test('the last true frames, with their actions, become the memory of the dream', async () => {
    await opened();
    episode(1, [10, 11, 12]);
    frame(1, 1, 20);
    frame(1, 2, 21);
    await heard();
    const result = await session.dreamFromTruth(1, 2);
    expect(result.ok).toBe(true);
    expect(dreams[0].resets).toBe(1);
    expect(dreams[0].seen).toEqual([{ values: [11, 12, 20, 21], actions: [111, 112, 20, 21] }]);
  });

  test('a new episode forgets the frames of the old one', async () => {
    await opened();
    episode(1, [10, 11]);
    frame(1, 1, 20);
    episode(2, [30]);
    frame(1, 2, 21);
    await heard();
    await session.dreamFromTruth(2, 0);
    expect(dreams[0].seen.at(-1)).toEqual({ values: [30], actions: [NO_ACTION] });
  });

  test('a call that overtakes the frames it asks for waits for them', async () => {
    await opened();
    episode(1, [10, 11]);
    await heard();
    const begun = session.dreamFromTruth(2, 0);
    await heard();
    expect(dreams[0].seen).toEqual([]);
    episode(2, [30, 31]);
    await begun;
    const later = session.dreamFromTruth(2, 1);
    await heard();
    frame(2, 1, 40);
    await later;
    expect(dreams[0].seen.map(({ values }) => values)).toEqual([
      [30, 31],
      [30, 31, 40],
    ]);
  });

  test('a world with another frame size is refused with both sizes', async () => {
    await opened();
    send({
      kind: 'episode',
      episode: 1,
      width: 32,
      height: 32,
      frames: new Uint8Array(32 * 32 * 3),
      actions: Uint32Array.of(NO_ACTION),
    });
    await heard();
    const result = await session.dreamFromTruth(1, 0);
    expect(result).toMatchObject({ ok: false, code: 'bad-checkpoint' });
    expect(result.ok === false && result.reason).toContain('64x48');
    expect(result.ok === false && result.reason).toContain('32x32');
  });
});

describe('a step', () => {
  test('uses the action of the true frame and compares with that frame', async () => {
    await opened();
    episode(1, [100]);
    await heard();
    await session.dreamFromTruth(1, 0);
    frame(1, 1, 100);
    const exact = await session.step(1, 1, SETTINGS, false);
    if (!exact.ok) throw new Error(exact.reason);
    expect(exact.value).toMatchObject({ episode: 1, index: 1, psnr: 99, ringFill: 1 });
    expect(exact.value.mean).toBeCloseTo(100 / 255, 6);
    expect(exact.value.startMean).toBeCloseTo(100 / 255, 6);
    send({ kind: 'frame', episode: 1, index: 2, action: 90, rgb: gray(100) });
    const off = await session.step(1, 2, SETTINGS, false);
    if (!off.ok) throw new Error(off.reason);
    expect(off.value.psnr).toBeCloseTo(20 * Math.log10(255 / 10), 6);
    expect(off.value.cells[0]).toBeCloseTo(10 / 255, 6);
  });

  test('waits for a true frame that is still on its way', async () => {
    await opened();
    episode(1, [1]);
    await heard();
    let done = false;
    const step = session.step(1, 1, SETTINGS, false).then((result) => {
      done = true;
      return result;
    });
    await heard();
    expect(done).toBe(false);
    frame(1, 1, 50);
    expect((await step).ok).toBe(true);
  });
});

describe('failures', () => {
  test('no WebGPU: the reason and the advice of the engine', async () => {
    refuse = { ok: false, reason: 'This browser has no WebGPU.', advice: 'Use another.' };
    const result = await session.open(null, channel.port2 as unknown as MessagePort);
    expect(result).toEqual({
      ok: false,
      code: 'no-webgpu',
      reason: 'This browser has no WebGPU.',
      advice: 'Use another.',
    });
    expect((await session.loadBytes(new Uint8Array(4))).ok).toBe(false);
  });

  test('a bad checkpoint says why, and the loaded one stays', async () => {
    await opened();
    refuseCheckpoint = new Error('the file ends after 12 of 4096 bytes');
    const result = await session.loadBytes(new Uint8Array(12));
    expect(result).toMatchObject({ ok: false, code: 'bad-checkpoint' });
    expect(result.ok === false && result.reason).toContain('ends after 12 of 4096 bytes');
    expect(dreams[0].disposed).toBe(false);
    episode(1, [1]);
    frame(1, 1, 2);
    expect((await session.step(1, 1, SETTINGS, false)).ok).toBe(true);
  });

  test.each([
    ['was lost', () => devices[0].lose('driver reset')],
    [
      'has a full memory',
      () => {
        devices[0].gpu.error = 'Out of memory';
      },
    ],
  ])('a checkpoint after the device %s gets another one', async (_, spoil) => {
    await opened();
    spoil();
    expect(await session.loadBytes(new Uint8Array(4))).toMatchObject({ ok: true });
    expect(devices).toHaveLength(2);
    episode(1, [1]);
    frame(1, 1, 2);
    expect(await session.step(1, 1, SETTINGS, false)).toMatchObject({ ok: true });
  });

  test('a good checkpoint replaces the one before', async () => {
    await opened();
    await session.loadBytes(new Uint8Array(4));
    expect(dreams.map((dream) => dream.disposed)).toEqual([true, false]);
  });

  test('another checkpoint waits for the step in flight', async () => {
    await opened();
    episode(1, [1]);
    frame(1, 1, 2);
    await heard();
    let open = () => {};
    dreams[0].gate = new Promise((resolve) => {
      open = resolve;
    });
    const step = session.step(1, 1, SETTINGS, false);
    const loaded = session.loadBytes(new Uint8Array(4));
    await heard();
    expect(dreams[0].disposed).toBe(false);
    open();
    expect((await step).ok).toBe(true);
    expect((await loaded).ok).toBe(true);
    expect(dreams.map((dream) => dream.disposed)).toEqual([true, false]);
  });

  test('a part of the page that cannot be loaded is a message', async () => {
    const broken = new DreamSession({
      openGpu: async () => ({ ok: true, gpu: fakeDevice().gpu }),
      factory: () => Promise.reject(new TypeError('Failed to fetch')),
      fetch: () => Promise.reject(new Error('not used')),
    });
    await broken.open(null, channel.port2 as unknown as MessagePort);
    expect(await broken.loadBytes(new Uint8Array(4))).toMatchObject({ ok: false });
  });

  test('an error inside the model is a message, not a hanging promise', async () => {
    await opened();
    episode(1, [1]);
    frame(1, 1, 2);
    dreams[0].trouble = new Error('NaN in layer 3');
    const result = await session.step(1, 1, SETTINGS, false);
    expect(result).toMatchObject({ ok: false, code: 'internal', reason: 'The dream stopped: NaN in layer 3.' });
  });

  test('a device that is lost in the middle of a step ends the step', async () => {
    await opened();
    episode(1, [1]);
    frame(1, 1, 2);
    dreams[0].hangs = true;
    const step = session.step(1, 1, SETTINGS, false);
    await heard();
    devices[0].lose('unplugged');
    const result = await step;
    expect(result).toMatchObject({ ok: false, code: 'device-lost' });
    expect(result.ok === false && result.reason).toContain('unplugged');
  });

  test('an error just before the news of the loss is the loss', async () => {
    await opened();
    episode(1, [1]);
    frame(1, 1, 2);
    dreams[0].trouble = new Error('mapAsync was aborted');
    const step = session.step(1, 1, SETTINGS, false);
    setTimeout(() => devices[0].lose('driver reset'), 30);
    expect(await step).toMatchObject({ ok: false, code: 'device-lost' });
  });

  test('rebuild: new device, same checkpoint, context from the frames that were dreamed', async () => {
    await opened();
    episode(1, [1]);
    await heard();
    await session.dreamFromTruth(1, 0);
    for (let i = 1; i <= 5; i++) {
      frame(1, i, 40 + i);
      await session.step(1, i, SETTINGS, false);
    }
    devices[0].lose('driver reset');
    frame(1, 6, 46);
    expect(await session.step(1, 6, SETTINGS, false)).toMatchObject({ ok: false, code: 'device-lost' });
    expect((await session.rebuild()).ok).toBe(true);
    expect(devices).toHaveLength(2);
    // Four frames fit the context; what led into the oldest of them is no longer known.
    expect(dreams[1].seen).toEqual([{ values: [42, 43, 44, 45], actions: [NO_ACTION, 43, 44, 45] }]);
    frame(1, 7, 47);
    expect(await session.step(1, 7, SETTINGS, false)).toMatchObject({ ok: true });
  });

  test('rebuild without an adapter says so', async () => {
    await opened();
    refuse = { ok: false, reason: 'gone', advice: 'plug it in' };
    devices[0].lose('unplugged');
    expect(await session.rebuild()).toMatchObject({ ok: false, code: 'no-webgpu', reason: 'gone' });
  });
});
