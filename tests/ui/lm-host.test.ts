// The worker's half of the language model page with a stand-in for the device: what is stopped before its turn does not run.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Gpu, GpuResult } from '../../src/gpu/device.ts';
import { LmHost } from '../../src/ui/language-model/host.ts';
import type { LmEvent } from '../../src/ui/language-model/protocol.ts';
import { BYTE_TOKENIZER, qwenFiles, tinyQwen } from '../support/qwen.ts';

const FULL = 'There is no memory on this stand-in.';

/** Enough of a device to say what a model takes; it holds no weights. */
const GPU = {
  report: { description: 'stand-in', software: true },
  conditions: { software: true },
  device: {
    createBuffer: () => {
      throw new Error(FULL);
    },
  },
  lostReason: null,
  error: null,
  lost: new Promise(() => {}),
  dispose: () => {},
} as unknown as Gpu;

/** A model of so many layers, which is how the tests tell models apart. */
async function model(layers: number): Promise<File[]> {
  const tiny = tinyQwen({ num_hidden_layers: layers, vocab_size: 264 });
  const files = qwenFiles(tiny, 1, { 'tokenizer.json': BYTE_TOKENIZER });
  const read = async (name: string) => new File([await files.read(name, 0, files.size(name))], name);
  return Promise.all(files.list().map(read));
}

let host: LmHost;
let events: MessagePort;
let heard: LmEvent[];
let opened: () => void;
let asked: Promise<void>;

beforeEach(() => {
  vi.stubGlobal('GPUBufferUsage', {});
  const { port1, port2 } = new MessageChannel();
  heard = [];
  events = port1;
  events.onmessage = ({ data }) => heard.push(data);
  let ask = () => {};
  asked = new Promise((resolve) => {
    ask = resolve;
  });
  const device = new Promise<GpuResult>((resolve) => {
    opened = () => resolve({ ok: true, gpu: GPU });
  });
  host = new LmHost(() => {
    ask();
    return device;
  });
  void host.listen(port2);
});

afterEach(() => {
  events.close();
  vi.unstubAllGlobals();
});

/** The layers of the models of which facts were told. */
async function told(): Promise<number[]> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return heard.flatMap((event) => (event.kind === 'facts' ? [event.facts.layers] : []));
}

const stopped = { ok: false, kind: 'stopped' };

test('a load that fails on the device says so after its facts', async () => {
  const load = host.load(await model(1), 1);
  opened();
  expect(await load).toMatchObject({ ok: false, kind: 'device', reason: FULL });
  expect(await told()).toEqual([1]);
});

test('cancel ends the load that waits as well as the one under way, and neither tells facts', async () => {
  const [a, b] = [await model(1), await model(2)];
  const first = host.load(a, 1);
  await asked;
  const second = host.load(b, 2);
  void host.stop();
  opened();
  expect(await first).toMatchObject(stopped);
  expect(await second).toMatchObject(stopped);
  expect(await told()).toEqual([]);
});

test('of three folders only the last is loaded', async () => {
  const [a, b, c] = [await model(1), await model(2), await model(3)];
  const loads = [host.load(a, 1)];
  await asked;
  loads.push(host.load(b, 2), host.load(c, 3));
  opened();
  expect(await Promise.all(loads)).toMatchObject([stopped, stopped, { kind: 'device', reason: FULL }]);
  expect(await told()).toEqual([3]);
});

test('what is asked for after a stop runs', async () => {
  void host.stop();
  const load = host.load(await model(1), 1);
  opened();
  expect(await load).toMatchObject({ kind: 'device' });
});
