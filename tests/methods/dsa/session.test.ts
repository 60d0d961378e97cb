// A run of all stages at toy size: resuming is bit-identical, the exported weights come back, wrong files are named.

import { expect, test } from 'vitest';
import { configure } from '../../../src/methods/dsa/config.ts';
import { measuredBreakEven } from '../../../src/methods/dsa/cost.ts';
import { evaluate, parityStatement } from '../../../src/methods/dsa/eval.ts';
import { DsaSession, loadModels } from '../../../src/methods/dsa/session.ts';
import { keyCount, rowOf } from '../../../src/methods/dsa/tasks.ts';
import { testGpu } from '../../support/gpu.ts';

const toy = configure('nano', {
  time: '24',
  batch: '4',
  controlRows: '1',
  pairs: '4',
  queries: '5',
  'base.steps': '3',
  'warmup.steps': '2',
  'sparse.steps': '2',
});

const sessionOf = async (): Promise<DsaSession> => {
  const { gpu } = await testGpu();
  return new DsaSession({ gpu, seed: 5, emit: () => {}, signal: new AbortController().signal }, toy);
};

test('a run that is saved in every stage and resumed ends with the same bits', async () => {
  const straight = await sessionOf();
  expect(await straight.advance({})).toBe('done');
  const wanted = (await straight.save()).bytes;
  let bytes: Uint8Array<ArrayBuffer> | null = null;
  for (let done = false; !done; ) {
    const session = await sessionOf();
    if (bytes) await session.load({ name: 'x.safetensors', bytes });
    done = (await session.advance({ steps: 2 })) === 'done';
    ({ bytes } = await session.save());
    session.dispose();
  }
  expect(Buffer.compare(Buffer.from(bytes ?? []), Buffer.from(wanted))).toBe(0);

  const { gpu } = await testGpu();
  const exported = await straight.export('toy');
  const models = loadModels(gpu, exported.bytes);
  const options = { seed: 3, rows: 4, sweep: [2], formats: true };
  const { metrics, tables } = await evaluate(gpu, models.config, models, options);
  const again = await evaluate(gpu, models.config, models, options);
  expect(again.metrics).toEqual(metrics);
  for (const name of [
    'accuracyDense',
    'accuracySparse',
    'parityLower95',
    'massRecall',
    'overlapOracle',
    'accuracyLastK',
  ]) {
    expect(metrics[name], name).toBeGreaterThanOrEqual(-1);
  }
  expect(metrics.massRecall).toBeGreaterThan(0);
  expect(metrics.massRecall).toBeLessThanOrEqual(metrics.massOracle + 1e-6);
  expect(tables.map((t) => [t.name, t.rows.length])).toEqual([
    ['arms', 7],
    ['quantisation', 6],
  ]);
  expect(() => loadModels(gpu, wanted)).toThrow('dsa training');
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

test('configurations that make no sense are refused in one sentence', () => {
  expect(() => configure('nano', { k: '33' })).toThrow('k = 33 is more than the 32 tokens');
  expect(() => configure('nano', { pairs: '20' })).toThrow('20 pairs and 10 queries need 60 tokens');
  expect(() => configure('nano', { quant: 'fp4' })).toThrow('none of f32, e4m3, i8');
  expect(() => configure('huge')).toThrow("no preset 'huge'");
});

test('the statement comes from the interval, the break-even from the curves', () => {
  expect(parityStatement({ value: -0.002, lower: -0.006, upper: 0.001 })).toMatch(/^parity within 1 point/);
  expect(parityStatement({ value: -0.03, lower: -0.05, upper: -0.01 })).toMatch(
    /^lower by 3.00 points \[-5.00, -1.00\]/,
  );
  const point = (position: number, dense: number, sparse: number) => ({
    position,
    dense,
    sparse,
    scores: 0,
    select: 0,
    attend: 0,
  });
  expect(measuredBreakEven([point(100, 1, 2), point(200, 3, 2), point(400, 6, 2)])).toBe(150);
  expect(measuredBreakEven([point(100, 1, 2), point(200, 1, 2)])).toBeNull();
});
