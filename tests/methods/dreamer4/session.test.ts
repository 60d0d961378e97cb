// A whole run on a tiny network and the real simulator: reruns and resumed runs have the same bits, faults stop it clearly.

import { beforeAll, describe, expect, test } from 'vitest';
import {
  readSafetensors,
  SafetensorsError,
  type StoredTensor,
  toFloat32,
  writeSafetensors,
} from '../../../src/data/safetensors.ts';
import { memoryStorage } from '../../../src/data/storage.ts';
import { ConfigError } from '../../../src/methods/config-values.ts';
import type { RunEvent } from '../../../src/methods/contract.ts';
import type { DreamerConfig } from '../../../src/methods/dreamer4/config.ts';
import { type Dream, NO_ACTION } from '../../../src/methods/dreamer4/play-contract.ts';
import { DreamerSession, dreamer4 } from '../../../src/methods/dreamer4/session.ts';
import { meanOf, shipCheckpoint, shipExported } from '../../../src/methods/dreamer4/ship.ts';
import { CheckpointError } from '../../../src/train/checkpoint.ts';
import { sameBits } from '../../support/compute.ts';
import { tiny } from '../../support/dreamer.ts';
import { testGpu } from '../../support/gpu.ts';
import { inHalf, OTHER_PRECISION } from '../../support/precision.ts';
import { expectClose, TOLERANCE } from '../../support/tolerance.ts';

const config: DreamerConfig = {
  ...tiny,
  frame: { width: 32, height: 32, patch: 8 },
  data: { episodes: 2, steps: 40, walks: 0 },
  // Steps 5 to 7 have one such row of two, 8 to 12 two.
  bootstrapStart: 0.4,
  bootstrapShare: 1,
  bootstrapRamp: 0.4,
  selfContextShare: 0.5,
  selfContextDepth: 1,
  longShare: 0.3,
  phases: {
    tokenizer: { steps: 7, lr: 2e-3, rows: 2, time: 4, longRows: 0, longTime: 0 },
    dynamics: { steps: 12, lr: 2e-3, rows: 2, time: 4, longRows: 1, longTime: 8 },
  },
};
/** Rendered episodes are the same for every session of this file. */
const cache = memoryStorage();

interface Run {
  session: DreamerSession;
  events: RunEvent[];
  stop: AbortController;
}

async function open(seed = 11, change: Partial<DreamerConfig> = {}): Promise<Run> {
  const { gpu } = await testGpu();
  const events: RunEvent[] = [];
  const stop = new AbortController();
  const emit = (event: RunEvent): void => void events.push(event);
  const context = { gpu, seed, signal: stop.signal, emit, cache };
  return { session: new DreamerSession(context, { ...config, ...change }), events, stop };
}

/** Works until a phase has done so many steps. */
async function until({ session }: Run, phase: string, step: number): Promise<void> {
  for (let n = 0; n < 200; n++) {
    const s = session.state();
    if (s.phase === phase && s.step >= step) return;
    await session.advance({ steps: 1 });
  }
  throw new Error(`never reached ${phase} ${step}`);
}

async function finish(run: Run): Promise<Uint8Array<ArrayBuffer>> {
  while ((await run.session.advance({ steps: 5 })) === 'more');
  const { bytes } = await run.session.save();
  run.session.dispose();
  return bytes;
}

let straight: Uint8Array<ArrayBuffer>;
let events: RunEvent[];
let phases: string[] = [];

beforeAll(async () => {
  const run = await open();
  for (let more = true; more; ) {
    phases.push(run.session.state().phase);
    more = (await run.session.advance({ steps: 1 })) === 'more';
  }
  phases = [...new Set(phases)];
  events = run.events;
  straight = await finish(run);
});

test('phases follow one another, metrics are finite numbers', () => {
  expect(phases).toEqual(['data', 'tokenizer', 'tokens', 'dynamics']);
  const metrics = events.flatMap((e) => (e.kind === 'metrics' ? [e] : []));
  expect(metrics.map((m) => `${m.phase} ${m.step}`)).toEqual([
    'tokenizer 1',
    'tokenizer 7',
    'dynamics 1',
    'dynamics 10',
    'dynamics 12',
  ]);
  for (const { values } of metrics) {
    expect(Object.values(values).length).toBeGreaterThan(1);
    expect(Object.values(values).every((v) => Number.isFinite(v) && v > 0)).toBe(true);
  }
});

test('a live dream is of the weights as they are at every frame, and playing changes nothing of the training', async () => {
  const run = await open();
  const { session } = run;
  await until(run, 'tokens', 0);
  expect(session.live()).toBeNull();
  await until(run, 'dynamics', 2);
  const live = session.live();
  if (!live) throw new Error('there is no dream');
  expect(live.steps).toBe(2);
  const dream = live.open();
  const picture = new Uint8Array(32 * 32 * 3).map((_, i) => (i * 7) & 255);
  const play = async (on: Dream): Promise<Uint8Array> => {
    on.reset();
    await on.observe(picture, Uint32Array.of(NO_ACTION));
    const frame = await on.step(Uint32Array.of(1), { k: 4, contextCorruption: 0.1, seed: 5 }, { rgb: true });
    return frame.rgb;
  };
  const before = await play(dream);
  await until(run, 'dynamics', 8);
  expect(session.live()?.steps).toBe(8);
  const after = await play(dream);
  expect(sameBits(after, before)).toBe(false);
  const fresh = session.live()?.open() as Dream;
  expect(sameBits(after, await play(fresh))).toBe(true);
  dream.dispose();
  fresh.dispose();
  expect(sameBits(await finish(run), straight)).toBe(true);
});

test('a rerun and runs resumed in every phase end in the same bits', async () => {
  const again = await open();
  const saved: Uint8Array<ArrayBuffer>[] = [];
  for (const [phase, step] of [
    ['tokenizer', 3],
    ['tokens', 0],
    // In the ramp of bootstrap rows, and behind it, where long rows have begun.
    ['dynamics', 6],
    ['dynamics', 9],
  ] as const) {
    await until(again, phase, step);
    saved.push((await again.session.save()).bytes);
  }
  expect(sameBits(await finish(again), straight)).toBe(true);
  for (const bytes of saved) {
    const resumed = await open();
    await resumed.session.load({ name: 'x', bytes });
    expect(sameBits((await resumed.session.save()).bytes, bytes)).toBe(true);
    expect(sameBits(await finish(resumed), straight)).toBe(true);
  }
});

test('another seed is another run', async () => {
  const other = await open(12);
  const all = readSafetensors(await finish(other)).tensors;
  const mine = readSafetensors(straight).tensors;
  const name = 'dynamics/value/dyn.in.w';
  expect([...all.keys()]).toEqual([...mine.keys()]);
  expect(all.get(name)?.bytes).not.toEqual(mine.get(name)?.bytes);
});

test('a finished run stays finished, a stopped one does nothing', async () => {
  const run = await open();
  await run.session.load({ name: 'x', bytes: straight });
  await finishData(run);
  expect(run.session.state()).toEqual({ phase: 'dynamics', step: 12, done: true });
  expect(await run.session.advance({ steps: 3 })).toBe('done');
  run.session.dispose();
  const stopped = await open();
  stopped.stop.abort();
  expect(await stopped.session.advance({ steps: 3 })).toBe('more');
  expect(stopped.session.state()).toEqual({ phase: 'data', step: 0, done: false });
  stopped.session.dispose();
});

/** Frames and tokens are no part of a checkpoint: they are made again. */
async function finishData(run: Run): Promise<void> {
  await until(run, 'dynamics', 0);
}

test('more tokenizer steps are refused once the dynamics has learned, before anything is loaded', async () => {
  const { tokenizer, dynamics } = config.phases;
  const longer = (steps: number): Promise<Run> =>
    open(11, { phases: { tokenizer: { ...tokenizer, steps }, dynamics: { ...dynamics, steps: 20 } } });
  const run = await longer(8);
  await expect(run.session.load({ name: 'x', bytes: straight })).rejects.toThrow(
    new ConfigError(
      'phases.tokenizer.steps=8: the dynamics has learned from tokens of 7 tokenizer steps, more would change them',
    ),
  );
  expect(run.session.tokenizer.step).toBe(0);
  run.session.dispose();
  const same = await longer(7);
  await same.session.load({ name: 'x', bytes: straight });
  same.session.dispose();
  // Before it has, they may rise.
  const early = await open();
  await until(early, 'tokens', 0);
  const { bytes } = await early.session.save();
  early.session.dispose();
  const later = await longer(8);
  await later.session.load({ name: 'x', bytes });
  await until(later, 'tokenizer', 7);
  later.session.dispose();
});

test('what ships from a checkpoint is what the session exports', async () => {
  const run = await open();
  await run.session.load({ name: 'x', bytes: straight });
  await finishData(run);
  const { bytes } = await run.session.export('a title', { note: 'n' });
  const exported = readSafetensors(bytes);
  run.session.dispose();
  const shipped = readSafetensors(shipCheckpoint(straight, 'a title').bytes);
  // An exported model ships under the title that it is given, with the same weights and no other remark.
  const again = readSafetensors(shipExported(bytes, { seed: 11, flops: 1 }, 'another').bytes);
  expect(again.metadata).toEqual({ ...shipped.metadata, title: 'another' });
  expect([...again.tensors]).toEqual([...exported.tensors]);
  expect(exported.metadata).toEqual({ ...shipped.metadata, note: 'n' });
  expect([...exported.tensors.keys()].sort()).toEqual([...shipped.tensors.keys()].sort());
  for (const [name, t] of exported.tensors) {
    const other = shipped.tensors.get(name) as StoredTensor;
    expect(other.shape).toEqual(t.shape);
    // The average of statistics that never change drifts by roundings.
    if (name.startsWith('latent.')) expectClose(toFloat32(other), toFloat32(t), TOLERANCE.f32.sum);
    else expect(sameBits(other.bytes, t.bytes), name).toBe(true);
  }
});

test('the mean of two models lies between them; of models that differ there is none', () => {
  const one = shipCheckpoint(straight, 'x');
  const file = readSafetensors(one.bytes);
  const changed = (name: string, change: (x: number) => number): Uint8Array<ArrayBuffer> =>
    writeSafetensors(
      new Map(
        [...file.tensors].map(([key, t]) => {
          const values = toFloat32(t);
          return [key, { shape: t.shape, values: key === name ? values.map(change) : values, dtype: t.dtype as 'F16' }];
        }),
      ),
      file.metadata,
    );
  expect(sameBits(meanOf(one, one.bytes).bytes, one.bytes)).toBe(true);
  const before = toFloat32(file.tensors.get('dyn.in.w') as StoredTensor);
  const mean = readSafetensors(
    meanOf(
      one,
      changed('dyn.in.w', (x) => 3 * x),
    ).bytes,
  );
  toFloat32(mean.tensors.get('dyn.in.w') as StoredTensor).forEach((x, i) => {
    expect(x).toBeCloseTo(2 * before[i], 2);
  });
  const fewer = new Map([...file.tensors].filter(([key]) => key !== 'dyn.in.w'));
  const foreign = new Map([...fewer].map(([key, t]) => [key, { shape: t.shape, values: toFloat32(t) }]));
  expect(() => meanOf(one, writeSafetensors(foreign, file.metadata))).toThrow('No mean of these models');
});

describe('a warm start', () => {
  const shippedBytes = (): Uint8Array<ArrayBuffer> => shipCheckpoint(straight, 'x').bytes;

  test('takes both networks when both shapes are the same, and says so in the checkpoint', async () => {
    const run = await open(12);
    expect(run.session.startFrom(shippedBytes(), 'x.safetensors')).toBe('tokenizer and dynamics');
    const file = readSafetensors(shippedBytes());
    const patch = (await run.session.tokenizer.store.read('value')).get('enc.patch.w') as Float32Array;
    expect(Array.from(patch)).toEqual(Array.from(toFloat32(file.tensors.get('enc.patch.w') as StoredTensor)));
    await finishData(run);
    const { bytes } = await run.session.save();
    run.session.dispose();
    const saved = readSafetensors(bytes);
    expect(saved.metadata.origin).toBe('tokenizer and dynamics of x.safetensors');
    for (const slab of ['value', 'average']) {
      const t = saved.tensors.get(`dynamics/${slab}/dyn.in.w`) as StoredTensor;
      expect(Array.from(toFloat32(t))).toEqual(Array.from(toFloat32(file.tensors.get('dyn.in.w') as StoredTensor)));
    }
    expect(shipCheckpoint(edited(saved, '1'), 'y').run.origin).toBe('tokenizer and dynamics of x.safetensors');
  });

  /** The same checkpoint with another dynamics step. */
  function edited(file: ReturnType<typeof readSafetensors>, dynamicsStep: string): Uint8Array<ArrayBuffer> {
    const tensors = new Map([...file.tensors].map(([k, t]) => [k, { shape: t.shape, values: toFloat32(t) }]));
    return writeSafetensors(tensors, { ...file.metadata, dynamicsStep });
  }

  test('a path that starts at zero may be missing: the model is the same, and from then on learns it', async () => {
    const skip = { ...config.dynamics, frameSkip: true };
    const first = await open(13, { dynamics: skip });
    await finishData(first);
    const theirs = shipCheckpoint(edited(readSafetensors((await first.session.save()).bytes), '1'), 'x').bytes;
    first.session.dispose();
    const run = await open(12, { dynamics: { ...skip, motionSkip: true }, solidContextShare: 0.5 });
    expect(run.session.startFrom(theirs, 'x.safetensors')).toBe('tokenizer and dynamics');
    await finishData(run);
    const begun = readSafetensors((await run.session.save()).bytes);
    const values = (file: typeof begun, name: string): number[] =>
      Array.from(toFloat32(file.tensors.get(`dynamics/value/${name}`) as StoredTensor));
    expect(values(begun, 'dyn.before.w')).toEqual(
      Array.from(toFloat32(readSafetensors(theirs).tensors.get('dyn.before.w') as StoredTensor)),
    );
    const ended = readSafetensors(await finish(run));
    for (const name of ['dyn.motion.w', 'dyn.known.w']) {
      expect(values(begun, name).every((v) => v === 0)).toBe(true);
      expect(values(ended, name).some((v) => v !== 0)).toBe(true);
    }
  });

  test.each([
    ['data', 1],
    ['tokenizer', 3],
    ['tokens', 0],
  ] as const)('survives a checkpoint of the phase %s', async (phase, step) => {
    const run = await open(12);
    run.session.startFrom(shippedBytes(), 'x.safetensors');
    await until(run, phase, step);
    const { bytes } = await run.session.save();
    const resumed = await open(12);
    await resumed.session.load({ name: 'x', bytes });
    expect(sameBits((await resumed.session.save()).bytes, bytes)).toBe(true);
    await finishData(resumed);
    await finishData(run);
    const theirs = readSafetensors(shippedBytes()).tensors.get('dyn.in.w') as StoredTensor;
    const after = (await resumed.session.save()).bytes;
    const mine = readSafetensors(after).tensors.get('dynamics/value/dyn.in.w') as StoredTensor;
    expect(Array.from(toFloat32(mine))).toEqual(Array.from(toFloat32(theirs)));
    expect(sameBits(after, (await run.session.save()).bytes)).toBe(true);
    run.session.dispose();
    resumed.session.dispose();
  });

  test('takes the tokenizer alone when the dynamics has another shape', async () => {
    const run = await open(12, { dynamics: { ...config.dynamics, timeFirst: true } });
    expect(run.session.startFrom(shippedBytes(), 'x.safetensors')).toBe('tokenizer');
    run.session.dispose();
  });

  test('refuses a tokenizer of another shape and a training checkpoint', async () => {
    const run = await open(12, { tokenizer: { ...config.tokenizer, hidden: config.tokenizer.hidden + 4 } });
    expect(() => run.session.startFrom(shippedBytes(), 'x')).toThrow('another shape');
    expect(() => run.session.startFrom(straight, 'x')).toThrow(CheckpointError);
    run.session.dispose();
  });
});

describe('checkpoints that do not fit', () => {
  const cases: [string, () => Uint8Array<ArrayBuffer>, typeof CheckpointError | typeof SafetensorsError, string][] = [
    ['cut short', () => straight.slice(0, straight.length - 100), SafetensorsError, 'cut short'],
    ['cut in the header', () => straight.slice(0, 100), SafetensorsError, 'header'],
    ['empty', () => new Uint8Array(0), SafetensorsError, '0 bytes'],
    ['a picture', () => Uint8Array.from({ length: 500 }, (_, i) => (i * 71) & 255), SafetensorsError, 'header'],
    [
      'somebody else’s tensors',
      () => writeSafetensors(new Map([['w', { shape: [2], values: new Float32Array(2) }]])),
      CheckpointError,
      'not a training checkpoint',
    ],
    ['a shipped model', () => shipCheckpoint(straight, 'x').bytes, CheckpointError, 'not a training checkpoint'],
    [
      'a tensor is missing',
      () => edited((tensors) => tensors.delete('tokenizer/second/enc.patch.w')),
      CheckpointError,
      'no tensor tokenizer/second/enc.patch.w',
    ],
    [
      'a tensor of the second network is missing',
      () => edited((tensors) => tensors.delete('dynamics/second/dyn.in.w')),
      CheckpointError,
      'no tensor dynamics/second/dyn.in.w',
    ],
    [
      'a tensor has another shape',
      () =>
        edited((tensors) => tensors.set('tokenizer/value/enc.patch.w', { shape: [3], values: new Float32Array(3) })),
      CheckpointError,
      'enc.patch.w is [3] in the file, [192,16] here',
    ],
  ];

  function edited(
    change: (tensors: Map<string, { shape: number[]; values: Float32Array<ArrayBuffer> }>) => void,
  ): Uint8Array<ArrayBuffer> {
    const file = readSafetensors(straight);
    const tensors = new Map(
      [...file.tensors].map(([name, t]) => [
        name,
        { shape: t.shape, values: new Float32Array(t.bytes.slice().buffer) },
      ]),
    );
    change(tensors);
    return writeSafetensors(tensors, file.metadata);
  }

  test.each(cases)('%s', async (_, bytes, kind, part) => {
    const run = await open();
    const before = (await run.session.save()).bytes;
    const error = await run.session.load({ name: 'x', bytes: bytes() }).then(
      () => null,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toContain(part);
    expect((error as Error).message).not.toContain('\n');
    // The run goes on as if nobody had tried.
    expect(sameBits((await run.session.save()).bytes, before)).toBe(true);
    run.session.dispose();
  });

  test('another seed, another network, another precision', async () => {
    const seed = await open(12);
    await expect(seed.session.load({ name: 'x', bytes: straight })).rejects.toThrow(
      'trained with seed 11, this run has seed 12',
    );
    seed.session.dispose();
    const wide = await open(11, { tokenizer: { ...config.tokenizer, hidden: 32 } });
    await expect(wide.session.load({ name: 'x', bytes: straight })).rejects.toThrow(CheckpointError);
    wide.session.dispose();
    const half = await open();
    await expect(half.session.load({ name: 'x', bytes: inHalf(straight) })).rejects.toThrow(OTHER_PRECISION);
    half.session.dispose();
  });
});

test('a NaN stops the run and says where', async () => {
  const run = await open();
  await until(run, 'tokenizer', 0);
  // SwiftShader's exp swallows NaN, so that the picture stays finite there; the gradients do not.
  run.session.tokenizer.store.write('value', 'dec.in.w', new Float32Array(64).fill(Number.NaN));
  await expect(run.session.advance({ steps: 1 })).rejects.toThrow(
    /^tokenizer step 1: (mse|perceptual|gradNorm) is NaN \(first bad tensor: gradient of \S+\)\. .*checkpoint/,
  );
  run.session.dispose();
});

test('a NaN between two readings is never saved', async () => {
  const run = await open();
  await until(run, 'tokenizer', 2);
  await run.session.save();
  run.session.tokenizer.store.write('value', 'dec.in.w', new Float32Array(64).fill(Number.NaN));
  await run.session.advance({ steps: 1 });
  await expect(run.session.save()).rejects.toThrow(/^tokenizer step 3: \w+ is NaN/);
  run.session.dispose();
});

test('the method refuses a configuration that makes no sense', async () => {
  const { gpu } = await testGpu();
  const context = { gpu, seed: 1, signal: new AbortController().signal, emit: () => undefined };
  const wrong = { ...config, dynamics: { ...config.dynamics, tokens: 5 } };
  await expect(dreamer4.create(context, wrong)).rejects.toThrow('tokenizer latents x channels');
  for (const field of dreamer4.fields) {
    for (const preset of Object.values(dreamer4.presets)) {
      const value = field.key.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], preset);
      expect(value, field.key).toBeGreaterThanOrEqual(field.min);
      expect(value, field.key).toBeLessThanOrEqual(field.max);
    }
  }
});
