// A run of all stages at toy size: resuming is bit-identical, the exported weights come back, wrong files are named.

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { readSafetensors, SafetensorsError, toFloat32, writeSafetensors } from '../../../src/data/safetensors.ts';
import type { RunEvent } from '../../../src/methods/contract.ts';
import { configure } from '../../../src/methods/dsa/config.ts';
import { measuredBreakEven } from '../../../src/methods/dsa/cost.ts';
import { bitsStatement, evaluate, parity, parityOf, parityStatement, sweepOf } from '../../../src/methods/dsa/eval.ts';
import { ageRows, Places, positionRows } from '../../../src/methods/dsa/places.ts';
import { basesTable, DsaSession, loadModels } from '../../../src/methods/dsa/session.ts';
import { story } from '../../../src/methods/dsa/tasks/story.ts';
import { corpusWindow } from '../../../src/methods/dsa/tasks/text.ts';
import { curriculum, keyCount, rowOf } from '../../../src/methods/dsa/tasks.ts';
import { NONE } from '../../../src/tensor/ops/topk.ts';
import { CheckpointError } from '../../../src/train/checkpoint.ts';
import { testGpu } from '../../support/gpu.ts';
import { inHalf, OTHER_PRECISION } from '../../support/precision.ts';

const toy = configure('nano', {
  time: '32',
  batch: '4',
  controlRows: '1',
  pairs: '4',
  queries: '5',
  'short.steps': '2',
  'short.time': '16',
  'base.steps': '3',
  'warmup.steps': '2',
  'sparse.steps': '2',
});

/** `paths`: what the run says about its layers where a stage begins. */
const sessionOf = async (paths: string[]): Promise<DsaSession> => {
  const { gpu } = await testGpu();
  const emit = (event: RunEvent): void => {
    if (event.kind === 'log' && event.text.includes('attends')) paths.push(event.text);
  };
  return new DsaSession({ gpu, seed: 5, emit, signal: new AbortController().signal }, toy);
};

test('a run that is saved in every stage and resumed ends with the same bits', async () => {
  const [paths, pathsAgain]: string[][] = [[], []];
  const straight = await sessionOf(paths);
  expect(await straight.advance({})).toBe('done');
  const wanted = (await straight.save()).bytes;
  let bytes: Uint8Array<ArrayBuffer> | null = null;
  for (let done = false; !done; ) {
    const session = await sessionOf(pathsAgain);
    if (bytes) await session.load({ name: 'x.safetensors', bytes });
    done = (await session.advance({ steps: 2 })) === 'done';
    ({ bytes } = await session.save());
    session.dispose();
  }
  expect(Buffer.compare(Buffer.from(bytes ?? []), Buffer.from(wanted))).toBe(0);
  const dense = 'every layer attends by dense';
  expect(paths.filter((text) => text.endsWith(dense))).toEqual(
    ['short', 'base', 'warmup', 'continued'].map((id) => `${id}: ${dense}`),
  );
  expect(paths[3]).toMatch(/^sparse: every layer attends by (maskedMHA|gather)$/);
  expect(pathsAgain).toEqual(paths);
  await expect(straight.load({ name: 'x.safetensors', bytes: inHalf(wanted) })).rejects.toThrow(OTHER_PRECISION);

  const { gpu } = await testGpu();
  const exported = await straight.export('toy');
  const models = loadModels(gpu, exported.bytes);
  const options = { seed: 3, rows: 4, sweep: [2], formats: true };
  const first = await evaluate(gpu, models.config, models, options);
  const again = await evaluate(gpu, models.config, models, options);
  expect(again.metrics).toEqual(first.metrics);
  const stated = parity(first.sides, 3);
  const metrics: Record<string, number> = { ...first.metrics, ...stated.metrics };
  const tables = [...first.tables, stated.table];
  for (const name of [
    'accuracyDense',
    'accuracySparse',
    'parityLower95',
    'massRecall',
    'overlapOracle',
    'accuracyLastK',
    'accuracyRandomK',
    'controlDense',
    'controlSparse',
  ]) {
    expect(metrics[name], name).toBeGreaterThanOrEqual(-1);
  }
  expect(metrics.massRecall).toBeGreaterThan(0);
  expect(metrics.massRecall).toBeLessThanOrEqual(metrics.massOracle + 1e-6);
  expect(tables.map((t) => [t.name, t.rows.length])).toEqual([
    ['arms', 7],
    ['ages', 12],
    ['positions', 13],
    ['quantisation', 6],
    ['parity', 2],
  ]);
  expect(() => loadModels(gpu, wanted)).toThrow('dsa training');
  // A file that was cut off anywhere says so, and so does one with a model missing or of another shape.
  const { bytes: whole } = exported;
  for (const length of [0, 5, 40, 2000, whole.length >> 1, whole.length - 1]) {
    expect(() => loadModels(gpu, whole.slice(0, length)), `${length} bytes`).toThrow(SafetensorsError);
  }
  const file = readSafetensors(whole);
  const rewritten = (keep: (name: string) => boolean, config = file.metadata.config) =>
    writeSafetensors(
      new Map(
        [...file.tensors]
          .filter(([name]) => keep(name))
          .map(([name, t]) => [name, { shape: t.shape, values: toFloat32(t) }]),
      ),
      { ...file.metadata, config },
    );
  expect(() =>
    loadModels(
      gpu,
      rewritten((name) => !name.startsWith('dense/')),
    ),
  ).toThrow('no weights of the dense model');
  expect(() =>
    loadModels(
      gpu,
      rewritten((name) => name !== 'sparse/norm.g'),
    ),
  ).toThrow(CheckpointError);
  const wider = JSON.stringify({ ...JSON.parse(file.metadata.config), d: 32 });
  expect(() =>
    loadModels(
      gpu,
      rewritten(() => true, wider),
    ),
  ).toThrow(/shape|\[.*\]/);
  straight.dispose();
});

test('rows are fresh for every split, and every answer can be found in them', () => {
  for (let i = 0; i < 50; i++) {
    const { ids, wanted } = rowOf(toy, 'retrieval', 'eval', 1, i);
    expect(ids).toHaveLength(toy.time);
    expect(Math.max(...ids)).toBeLessThan(toy.vocab);
    for (const [t, id] of wanted) {
      // The key stands before, followed by the value that is wanted.
      const first = ids.indexOf(ids[t]);
      expect(first).toBeLessThan(t);
      expect(ids[first + 1]).toBe(id);
    }
    expect(rowOf(toy, 'retrieval', 'train', 1, i).ids).not.toEqual(ids);
    const control = rowOf(toy, 'control', 'eval', 1, i);
    for (const [t, id] of control.wanted) {
      const symbols = control.ids.slice(1, t + 1);
      expect(symbols.filter((s) => s === id).length * 2).toBeGreaterThan(symbols.length);
    }
  }
  expect(keyCount(toy)).toBeGreaterThan(toy.pairs);
});

test('a run with every task and every arm trains all its models, and its file holds them', async () => {
  const { gpu } = await testGpu();
  const config = configure('nano', {
    ...{ time: '32', batch: '8', controlRows: '1', pairs: '5', queries: '4', k: '8', curriculum: 'true' },
    ...{ 'mix.needle': '1', 'mix.copy': '1', 'mix.hops': '1', ablation: 'true', headSweep: 'true', gain: '2' },
    ...{ 'base.steps': '1', 'warmup.steps': '1', 'sparse.steps': '1' },
  });
  const session = new DsaSession({ gpu, seed: 5, emit: () => {}, signal: new AbortController().signal }, config);
  while (session.state().phase === 'base') await session.advance({ steps: 1 });
  const base = await session.stores.sparse.read('value');
  expect(await session.advance({})).toBe('done');
  expect(session.phases.map((p) => p.id)).toEqual([
    'base',
    'warmup',
    'sparse',
    'continued',
    'unwarmed',
    'warmup-1',
    'sparse-1',
    'warmup-4',
    'sparse-4',
  ]);
  // The frozen arm has the base's weights and a warmed indexer.
  const frozen = await session.stores.frozen.read('value');
  for (const [name, values] of base) {
    if (name.includes('.index.')) expect(frozen.get(name), name).not.toEqual(values);
    else expect(frozen.get(name), name).toEqual(values);
  }
  const exported = (await session.export('all')).bytes;
  const models = loadModels(gpu, exported);
  // Every arm names the base that it started from: the hash of the main weights as they were read there.
  const main = [...base].filter(([name]) => !name.includes('.index.')).map(([, v]) => v);
  const hash = createHash('sha256');
  for (const v of main) hash.update(v);
  const start = hash.digest('hex');
  const names = ['sparse', 'dense', 'unwarmed', 'frozen', 'heads-1', 'heads-4'];
  expect(models.bases).toEqual(Object.fromEntries(names.map((name) => [name, start])));
  expect(basesTable(models.bases)[0].rows).toEqual(names.map((name) => [name, start]));
  const file = readSafetensors(exported);
  const { bases: _, ...before } = file.metadata;
  const tensors = [...file.tensors].map(([name, t]) => [name, { shape: t.shape, values: toFloat32(t) }] as const);
  const older = loadModels(gpu, writeSafetensors(new Map(tensors), before));
  expect(basesTable(older.bases)).toEqual([]);
  const { tables, sides } = await evaluate(gpu, models.config, models, { seed: 1, rows: 2, depths: true });
  const named = (name: string) => tables.find((t) => t.name === name)!;
  const [arms, needle] = [named('arms'), named('needle')];
  expect(arms.columns).toEqual(expect.arrayContaining(['retrieval', 'needle', 'copy', 'hops', 'control']));
  expect(arms.rows.map((row) => row[0])).toEqual([
    ...['dense-continued', 'DSA', 'last k', 'random k', 'oracle top-k', 'DSA weights, dense attention'],
    ...['blocks of 2, mean keys', 'DSA, first 4 pinned', 'DSA without warm-up', 'DSA, frozen base (warm-up only)'],
    ...['DSA, H_I = 1', 'DSA, H_I = 4'],
  ]);
  expect(needle.rows).toHaveLength(20);
  expect([...sides.keys()]).toEqual(['retrieval', 'needle', 'copy', 'hops', 'control']);
  session.dispose();
});

test('lookup rows: every answer follows from what stands before it', () => {
  const config = configure('nano', { time: '48', pairs: '6', queries: '5', 'mix.hops': '1' });
  for (let i = 0; i < 30; i++) {
    const hops = rowOf(config, 'hops', 'eval', 1, i);
    const first = Math.min(...hops.wanted.keys());
    const fillers = (id: number): boolean => id >= 24 && id < 32;
    // Links are the pairs of keys before the questions, with filler between them.
    const links = hops.ids.slice(1, first).filter((id) => !fillers(id));
    const pointers = new Map(links.flatMap((id, n): [number, number][] => (n % 2 === 0 ? [[id, links[n + 1]]] : [])));
    for (const [t, id] of hops.wanted) expect(pointers.get(pointers.get(hops.ids[t]) ?? -1)).toBe(id);
    const copy = rowOf(config, 'copy', 'eval', 1, i);
    for (const [t, id] of copy.wanted) expect(copy.ids[copy.ids.indexOf(copy.ids[t]) + 1]).toBe(id);
    for (const depth of [0, 0.5, 1]) {
      const { ids, wanted } = rowOf(config, 'needle', 'eval', 1, i, { depth, time: 40 });
      expect(ids).toHaveLength(48);
      const [[t, id]] = wanted;
      expect(t).toBe(38);
      const at = ids.indexOf(ids[t]);
      expect(ids[at + 1]).toBe(id);
      expect(Math.abs(at - 1 - depth * 34)).toBeLessThanOrEqual(2);
    }
  }
  expect(curriculum({ ...config, curriculum: true }, 0).pairs).toBe(3);
  expect(curriculum({ ...config, curriculum: true }, 0.34).pairs).toBe(6);
});

test('text: chronicles call back to what they told, a file keeps its last tenth apart, one line is too little', async () => {
  const told = story(3, 1, 600);
  const marked = [...told.text].filter((_, i) => told.callbacks[i]).length;
  expect(told.text).toHaveLength(600);
  expect(marked).toBeGreaterThan(10);
  expect(marked).toBeLessThan(300);
  const trades = [...told.text.matchAll(/(\w+) the (\w+) of/g)];
  for (const [, name, trade] of trades) {
    for (const [, again] of told.text.matchAll(new RegExp(`${name} the (\\w+) (?!of)`, 'g'))) expect(again).toBe(trade);
  }
  const sizes = { time: '32', vocab: '256', batch: '4', controlRows: '0', pairs: '5', queries: '4', k: '8' };
  const short = { 'base.steps': '2', 'warmup.steps': '1', 'sparse.steps': '1' };
  const config = configure('nano', { ...sizes, ...short, corpus: 'x.txt' });
  const { gpu } = await testGpu();
  const open = (text: string): DsaSession =>
    new DsaSession({ gpu, seed: 5, emit: () => {}, signal: new AbortController().signal }, config, {
      name: 'x.txt',
      bytes: new TextEncoder().encode(text),
    });
  expect(() => open('one line')).toThrow('corpus x.txt: 8 bytes in 1 line are too few');
  const text = 'abcdefgh'.repeat(360) + 'XYZW'.repeat(80);
  const session = open(text);
  expect(await session.advance({})).toBe('done');
  const corpus = { name: 'x.txt', bytes: new TextEncoder().encode(text) };
  for (let i = 0; i < 20; i++) {
    expect(Math.max(...rowOf(config, 'text', 'train', 1, i, { corpus }).ids)).toBeGreaterThan(96);
    expect(Math.max(...rowOf(config, 'text', 'eval', 1, i, { corpus }).ids)).toBeLessThan(96);
  }
  // However many rows are asked for, the interval is over windows that share no byte.
  const { metrics, sides } = await evaluate(gpu, config, session.stores, { seed: 1, rows: 500, others: 3, corpus });
  expect(sides.get('text')?.sparse[0]).toHaveLength(10);
  expect(metrics.bitsSparse).toBeGreaterThan(0);
  expect(parity(sides, 1).sentences).toHaveLength(1);
  // Another file is not the one that the run began with.
  const saved = await session.save();
  await expect(open(text.replace('a', 'b')).load(saved)).rejects.toThrow('x.txt has changed');
  session.dispose();
});

test('windows of an evaluation share no byte and cover its part of the file', () => {
  for (const windows of [10, 13, 64]) {
    const bytes = new Uint8Array(10 * windows * 16);
    for (let i = 0; i < windows; i++) bytes.fill(i + 1, bytes.length - (windows - i) * 16);
    const corpus = { name: 'x.txt', bytes };
    const seen = Array.from({ length: windows }, (_, i) => corpusWindow(corpus, 16, i).ids);
    expect(seen.every((ids) => new Set(ids).size === 1)).toBe(true);
    expect(new Set(seen.map(([id]) => id)).size).toBe(windows);
  }
});

test('configurations that make no sense are refused in one sentence', () => {
  expect(() => configure('nano', { k: '33' })).toThrow('k = 33 is more than the 32 tokens');
  expect(() => configure('nano', { pairs: '20' })).toThrow('20 pairs and 10 queries need 60 tokens');
  expect(() => configure('nano', { 'mix.copy': '16' })).toThrow('leave no row for retrieval');
  expect(() => configure('nano', { corpus: 'story' })).toThrow('no token for every byte');
  expect(() => configure('small', { vocab: '64' })).toThrow('64 pairs need as many keys, a vocabulary of 64 has 32');
  expect(() => configure('nano', { pinFirst: '3', pinLast: '2' })).toThrow('do not fit into the 4');
  expect(() => configure('nano', { quant: 'fp4' })).toThrow('none of f32, e4m3, i8');
  expect(() => configure('huge')).toThrow("no preset 'huge'");
});

test('the statement comes from the interval, the break-even from the curves', () => {
  expect(parityStatement({ value: -0.002, lower: -0.006, upper: 0.001 })).toMatch(/^parity within 1 point/);
  expect(parityStatement({ value: -0.03, lower: -0.05, upper: -0.01 })).toMatch(
    /^lower by 3.00 points \[-5.00, -1.00\]/,
  );
  expect(bitsStatement({ value: 0.002, lower: -0.001, upper: 0.006 })).toMatch(/^parity within 0.01 bits/);
  expect(bitsStatement({ value: 0.002, lower: -0.001, upper: 0.02 })).toMatch(/^bits per character differ/);
  // Runs that disagree widen the interval although every run's rows agree with each other.
  const ones = new Array(50).fill(1);
  const apart = parityOf({ sparse: [ones, ones.map(() => 0)], dense: [ones, ones] }, 1);
  expect([apart.value, apart.lower, apart.upper]).toEqual([-0.5, -1, 0]);
  const point = (position: number, dense: number, sparse: number) => ({
    position,
    tokens: 1,
    dense,
    sparse,
    prepare: 0,
    scores: 0,
    select: 0,
    attend: 0,
  });
  expect(measuredBreakEven([point(100, 1, 2), point(200, 3, 2), point(400, 6, 2)])).toBe(150);
  expect(measuredBreakEven([point(100, 1, 2), point(200, 1, 2)])).toBeNull();
});

test('other k go from a 32nd to four times, as far as they are numbers of keys that leave something out', () => {
  expect(sweepOf(configure('small'))).toEqual([2, 4, 8, 16, 32, 128, 256]);
  expect(sweepOf(configure('mini'))).toEqual([2, 4, 8, 32]);
  expect(sweepOf(configure('nano', { k: '6' }))).toEqual([3, 12, 24]);
});

test('ages and bits by position are counted where they belong', () => {
  const places = new Places(1, 32);
  // Query 9 chose keys 0, 5 and itself, the oracle 8 and itself; the empty slots say so.
  places.add(0, 9, Uint32Array.of(0, 5, 9, NONE), Uint32Array.of(8, 9, NONE, NONE));
  places.cost(9, 2);
  places.cost(8, 4);
  expect(places.sinks / places.offered).toBe(0.25);
  expect(ageRows([places])).toEqual([
    [0, 0, 0, 0.3333, 0.5],
    [0, 1, 1, 0, 0.5],
    [0, 2, 3, 0, 0],
    [0, 4, 7, 0.3333, 0],
    [0, 8, 15, 0.3333, 0],
    [0, 16, 31, 0, 0],
  ]);
  expect(positionRows('copy', places, places)).toEqual([['copy', 8, 9, 3, 3, 2]]);
});
