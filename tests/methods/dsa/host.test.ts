// The worker's half of the page without a page: a run that loses its device or its tab ends with the same bits, and everything
// that cannot work says why.

import { expect, test } from 'vitest';
import { memoryStorage } from '../../../src/data/storage.ts';
import { type Gpu, openGpu } from '../../../src/gpu/device.ts';
import { DsaHost } from '../../../src/methods/dsa/panel/host.ts';
import type { Answer, TrainState } from '../../../src/methods/dsa/panel/protocol.ts';
import { WARM, warmedShare } from '../../../src/methods/dsa/panel/warmed.ts';
import { testGpu } from '../../support/gpu.ts';

const REQUEST = {
  preset: 'nano',
  seed: 4,
  set: {
    time: '24',
    batch: '4',
    controlRows: '1',
    pairs: '4',
    queries: '5',
    'base.steps': '4',
    'warmup.steps': '4',
    'sparse.steps': '3',
  },
};

function value<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new Error(answer.reason);
  return answer.value;
}

/** A host on devices of its own, the last of which can be lost. */
async function hostOf(storage = memoryStorage()) {
  // Chooses the adapter.
  await testGpu();
  const devices: Gpu[] = [];
  const host = new DsaHost({
    storage: async () => storage,
    async openGpu() {
      const opened = await openGpu();
      if (opened.ok) devices.push(opened.gpu);
      return opened;
    },
  });
  return { host, storage, devices };
}

/** A step at a time, until `stop` says so or the run is done. */
async function train(host: DsaHost, stop: (state: TrainState) => boolean = () => false): Promise<TrainState> {
  for (;;) {
    const state = value(await host.advance(0));
    if (state.done || stop(state)) return state;
  }
}

test('a run ends with the same weights and points through a lost device and a closed tab', async () => {
  const straight = await hostOf();
  value(await straight.host.start(REQUEST));
  const wanted = await train(straight.host);
  const weights = value(await straight.host.exportWeights());
  expect(wanted.points.map((p) => p.phase)).toContain('continued');
  expect(wanted.points.find((p) => p.phase === 'sparse' && p.step === 3)?.values).toMatchObject({
    kl: expect.any(Number),
    massRecall: expect.any(Number),
  });
  // Four steps warm up nothing: the page says so.
  expect(warmedShare(wanted)).toBeLessThan(WARM);
  // Measured where the warm-up and the sparse stage begin: the losses stay apart, and both do something.
  const norms = wanted.isolation!.norms;
  expect([norms.indexLossOnMain, norms.lmLossOnIndexer]).toEqual([0, 0]);
  expect(norms.indexLossOnIndexer).toBeGreaterThan(0);
  expect(norms.lmLossOnMain).toBeGreaterThan(0);

  const { host, storage, devices } = await hostOf();
  value(await host.start(REQUEST));
  value(await host.openRun());
  await train(host, (s) => s.phase === 'warmup' && s.step === 2);
  devices[0].device.destroy();
  await devices[0].lost;
  const after = value(await host.advance(0));
  expect(after.note).toContain('The GPU device was lost');
  expect(devices).toHaveLength(2);
  // The weights that are looked at are those of the new device.
  const probe = value(await host.probe({ task: 'retrieval', index: 0, quant: 'e4m3', hadamard: true, k: 4 }));
  expect(probe.ids).toHaveLength(24);
  await train(host, (s) => s.phase === 'sparse' && s.step === 2);
  value(await host.keep());

  // The tab is gone: only the storage is left.
  const later = await hostOf(storage);
  expect(value(await later.host.saved())).toMatchObject({ preset: 'nano', seed: 4 });
  const resumed = value(await later.host.resume());
  expect([resumed.phase, resumed.step]).toEqual(['sparse', 2]);
  // The time of the visit before is part of the run's.
  expect(resumed.workMs).toBeGreaterThan(0);
  const ended = await train(later.host);
  expect(Buffer.compare(Buffer.from(value(await later.host.exportWeights()).bytes), Buffer.from(weights.bytes))).toBe(
    0,
  );
  expect(ended.points).toEqual(wanted.points);
  expect(ended.workMs).toBeGreaterThan(resumed.workMs);
  value(await later.host.forget());
  expect(value(await later.host.saved())).toBeNull();
  for (const gpu of [...straight.devices, ...devices, ...later.devices]) gpu.dispose();
});

test('what is kept and does not fit together is no run', async () => {
  const { host, storage } = await hostOf();
  expect(value(await host.saved())).toBeNull();
  await storage.write('run.json', new TextEncoder().encode('{"request":'));
  await storage.write('run.safetensors', new Uint8Array(40));
  expect(value(await host.saved())).toBeNull();
  expect(await host.resume()).toEqual({ ok: false, reason: 'This browser keeps no run of sparse attention.' });
});

test('a browser that gives no storage trains all the same, and says what that means', async () => {
  await testGpu();
  const host = new DsaHost({
    openGpu,
    storage: async () => {
      throw new Error('Storage is blocked.');
    },
  });
  expect(value(await host.saved())).toBeNull();
  value(await host.start(REQUEST));
  const { step, note } = value(await host.advance(0));
  expect(step).toBe(1);
  expect(note).toBe('This run will not survive a reload: Storage is blocked.');
});

test('bad input is refused in one sentence', async () => {
  const { host, devices } = await hostOf();
  const reason = async (asked: Promise<Answer<unknown>>): Promise<string> => {
    const answer = await asked;
    return answer.ok ? '' : answer.reason;
  };
  expect(await reason(host.start({ ...REQUEST, set: { k: '33' } }))).toContain('k = 33 is more than the 32 tokens');
  expect(await reason(host.start({ ...REQUEST, set: { width: '33' } }))).toContain('width');
  expect(await reason(host.open(new Uint8Array([1, 2, 3])))).toContain('Not a usable safetensors file');
  expect(await reason(host.probe({ task: 'retrieval', index: 0, quant: 'f32', hadamard: true, k: 4 }))).toContain(
    'No run is open',
  );
  expect(await reason(host.codes([1, 2, 3], 'e4m3'))).toMatch(/3/);
  expect(await reason(host.advance(0))).toBe('No run is open.');
  for (const gpu of devices) gpu.dispose();
  const none = new DsaHost({
    storage: async () => memoryStorage(),
    openGpu: async () => ({ ok: false, reason: 'This browser has no WebGPU.', advice: 'Use another.' }),
  });
  expect(await reason(none.open(new Uint8Array(8)))).toBe('This browser has no WebGPU. Use another.');
});

test('selection kernels and codes answer as their references', async () => {
  const { host, devices } = await hostOf();
  const choices = value(await host.select(new Float32Array([0, 3, 0, 0, 1]), 3));
  for (const { selector, chosen } of choices) expect(chosen, selector).toEqual([1, 3, 4]);
  const row = [448, 1, -1, 0.5, ...Array.from({ length: 12 }, () => 0)];
  const [plain, spread] = value(await host.codes(row, 'e4m3'));
  expect([plain.scale, plain.codes.slice(0, 4)]).toEqual([1, [0x7e, 0x38, 0xb8, 0x30]]);
  expect(plain.back).toEqual(row);
  expect(spread.given.reduce((sum, v) => sum + v * v, 0)).toBeCloseTo(448 ** 2 + 2.25, 0);
  for (const [i, v] of spread.back.entries()) expect(Math.abs(v - row[i])).toBeLessThan(448 / 8);
  for (const gpu of devices) gpu.dispose();
});
