// The page's own arithmetic without a page: links, selection, maps, files.

import * as v from 'valibot';
import { expect, test } from 'vitest';
import { configure, PRESETS } from '../../../src/methods/dsa/config.ts';
import { Inspector } from '../../../src/methods/dsa/inspect.ts';
import { dsaStore } from '../../../src/methods/dsa/model.ts';
import { csvOf } from '../../../src/methods/dsa/panel/export.ts';
import { figuresOf, heatMaps, pixelsOf, windowAt } from '../../../src/methods/dsa/panel/heat.ts';
import { recordOf } from '../../../src/methods/dsa/panel/run-record.ts';
import { selectionAt } from '../../../src/methods/dsa/panel/selection.ts';
import { askedAs, FIRST_VIEW, fitView, linkOf, viewOf } from '../../../src/methods/dsa/panel/view.ts';
import { warmedShare } from '../../../src/methods/dsa/panel/warmed.ts';
import { rowOf, tasksOf } from '../../../src/methods/dsa/tasks.ts';
import { topKReference } from '../../../src/tensor/reference/topk.ts';
import { StoredRun } from '../../../src/ui/runs-shelf.ts';
import { testGpu } from '../../support/gpu.ts';

const nano = configure('nano');

test('a link brings the view back; nonsense in it is the first visit, too much is said', () => {
  const looked = { row: 12, k: 9, attention: 'dense', hadamard: false, quant: 'i8', zoom: 3 } as const;
  const trained = { preset: 'mini', seed: 123456789, changes: 'k=8 warmup.steps=200' } as const;
  const view = { ...FIRST_VIEW, ...looked, ...trained };
  expect(viewOf(new URLSearchParams(linkOf(view)))).toEqual(view);
  expect(linkOf(FIRST_VIEW)).toBe('');
  expect(viewOf(new URLSearchParams('row=-1&k=x&attention=some&quant=fp4&zoom=0&preset=base&seed=1e9'))).toEqual(
    FIRST_VIEW,
  );
  expect(fitView(view, nano, tasksOf(nano)).changed).toEqual([]);
  // What nobody asked for suits the weights, and stays out of the link.
  const first = fitView(FIRST_VIEW, nano, tasksOf(nano)).view;
  expect([first.k, first.query]).toEqual([nano.k, 25]);
  for (const preset of ['nano', 'mini', 'small', 'control']) {
    const c = configure(preset);
    const { query } = fitView(FIRST_VIEW, c, tasksOf(c)).view;
    expect(rowOf(c, 'retrieval', 'eval', 7, 0).wanted.has(query), preset).toBe(true);
  }
  expect(linkOf(askedAs(FIRST_VIEW, first))).toBe('');
  // One layer: the second, which the first visit shows elsewhere, was not asked for here.
  const single = configure('control');
  expect(fitView(FIRST_VIEW, single, tasksOf(single))).toMatchObject({ view: { layer: 0 }, changed: [] });
  const { view: fitted, changed } = fitView({ ...view, k: 99, query: 40, layer: 5, key: 50 }, nano, tasksOf(nano));
  expect([fitted.k, fitted.query, fitted.layer, fitted.key]).toEqual([32, 31, 1, 31]);
  expect(changed.join(' ')).toMatch(/k = 99 is more than the 32 tokens of a row.*Token 40.*Layer 5/);
});

test('a finished run is listed with what its stages ended with', () => {
  const { preset, seed, changes } = FIRST_VIEW;
  const values = (part: Record<string, number>, phase: string, step: number) => ({ phase, step, values: part });
  const state = {
    ...{ preset, seed, set: { k: '8' }, config: nano, phases: [], phase: 'continued', step: 80, done: true },
    ...{ workMs: 1234, isolation: null, note: changes },
    points: [
      values({ lm: 3, massRecall: 0.1 }, 'base', 400),
      values({ kl: 0.4, massRecall: 0.4 }, 'sparse', 10),
      values({ lm: 0.2, kl: 0.1 }, 'sparse', 80),
      values({ lm: 0.3 }, 'continued', 80),
    ],
  };
  expect(recordOf(state, 'some adapter', 99)).toEqual({
    ...{ id: 'dsa-2r', at: 99, method: 'dsa', preset: 'nano', seed: 1, adapter: 'some adapter', wallMs: 1234 },
    config: { k: '8' },
    metrics: { lm: 0.2, kl: 0.1, massRecall: 0.4, lmDense: 0.3 },
  });
  expect(v.is(StoredRun, recordOf({ ...state, points: [] }, '', 1))).toBe(true);
});

test('rows of every preset and task are as long as the model reads, whatever is asked for last', () => {
  for (const preset of Object.keys(PRESETS)) {
    const c = configure(preset);
    for (const task of tasksOf(c)) {
      const { ids, wanted } = rowOf(c, task, 'eval', 1, 0);
      expect(ids.length, `${preset}, ${task}`).toBe(c.time);
      expect(Math.max(...wanted.keys())).toBeLessThan(c.time);
    }
  }
});

test('sparse and dense probes: what the GPU chose and paid is what the page says', async () => {
  const { gpu } = await testGpu();
  const store = dsaStore(gpu, nano, 3, false);
  const row = rowOf(nano, 'retrieval', 'eval', 7, 0);
  const { time, indexHeads: heads } = nano;
  const k = 5;
  const sparse = new Inspector(gpu, nano, store, k);
  const dense = new Inspector(gpu, nano, store, null);
  const [a, b] = [await sparse.probe(row), await dense.probe(row)];
  expect([a.path, b.path]).toEqual(['maskedMHA', 'dense']);
  // The first layer sees the same inputs either way.
  expect(a.layers[0].scores).toEqual(b.layers[0].scores);
  for (const layer of a.layers) {
    for (let t = 0; t < time; t++) {
      const { chosen, mass, best } = selectionAt(layer, time, heads, t, k);
      expect(chosen).toHaveLength(Math.min(k, t + 1));
      const paid = layer.paid!.subarray(t * time, (t + 1) * time);
      expect([...paid.keys()].filter((s) => paid[s] >= 0)).toEqual(chosen.map((c) => c.place).sort((x, y) => x - y));
      expect(chosen.reduce((sum, c) => sum + c.paid, 0)).toBeCloseTo(1, 4);
      expect(mass).toBeLessThanOrEqual(best + 1e-6);
      for (const c of chosen) expect(c.terms.reduce((sum, v) => sum + v, 0)).toBeCloseTo(c.score, 4);
      const all = selectionAt(b.layers[0], time, heads, t, k, true);
      expect(all.chosen).toHaveLength(t + 1);
      expect(all.chosen.reduce((sum, c) => sum + c.paid, 0)).toBeCloseTo(1, 4);
    }
  }
  expect(b.layers[0].paid).toBeNull();
  for (const { probability } of a.answers) expect(probability).toBeGreaterThan(1 / nano.vocab - 1e-6);
  sparse.dispose();
  dense.dispose();
  store.dispose();
});

test('maps: rows are distributions, the mask has min(k, t + 1) cells a row, figures agree with a direct count', () => {
  const time = 6;
  const k = 2;
  const scores = Float32Array.from({ length: time * time }, (_, i) => ((i * 7919) % 13) / 3);
  const p = Float32Array.from({ length: time * time }, (_, i) => {
    const [t, s] = [Math.floor(i / time), i % time];
    return s > t ? 0 : (2 * (s + 1)) / ((t + 1) * (t + 2));
  });
  const chosenAt = (t: number): number[] => topKReference(scores.subarray(t * time, (t + 1) * time), 0, t + 1, k);
  const maps = heatMaps({ p, scores, terms: new Float32Array(), paid: null }, time, chosenAt);
  const [attention, indexer, selected, difference] = maps.map((m) => m.values);
  let recall = 0;
  for (let t = 0; t < time; t++) {
    const of = (x: Float32Array): number[] => [...x.subarray(t * time, t * time + t + 1)];
    const sum = (x: number[]): number => x.reduce((total, v) => total + v, 0);
    expect(sum(of(attention))).toBeCloseTo(1, 5);
    expect(sum(of(indexer))).toBeCloseTo(1, 5);
    expect(sum(of(selected))).toBe(Math.min(k, t + 1));
    expect(sum(of(difference))).toBeCloseTo(0, 5);
    expect(selected.subarray(t * time + t + 1, (t + 1) * time).every(Number.isNaN)).toBe(true);
    if (t + 1 > k) recall += chosenAt(t).reduce((total, s) => total + p[t * time + s], 0) / (time - k);
  }
  const figures = figuresOf(maps, time, k);
  expect(figures.recall).toBeCloseTo(recall, 6);
  expect(figures.best).toBeGreaterThanOrEqual(figures.recall);
  expect(figures.kl).toBeGreaterThan(0);

  const palette = { ground: [0, 0, 0], ink: [255, 255, 255], accent: [255, 0, 0] } as const;
  const shown = windowAt(time, 2, 5, 0);
  expect(shown).toEqual({ top: 3, left: 0, size: 3 });
  const pixels = pixelsOf(maps[2], time, shown, palette);
  for (let y = 0; y < 3; y++) {
    for (let x = 0; x < 3; x++) {
      const on = chosenAt(3 + y).includes(x);
      expect([...pixels.subarray(4 * (3 * y + x), 4 * (3 * y + x) + 4)]).toEqual([on ? 255 : 0, 0, 0, 255]);
    }
  }
});

test('how warm the indexer was is read at the last step of the warm-up', () => {
  const point = (step: number, massRecall: number) => ({
    phase: 'warmup',
    step,
    values: { massRecall, massOracle: 0.8 },
  });
  const phases = [{ id: 'warmup', title: 'Indexer warm-up', steps: 8 }];
  expect(warmedShare({ phases, points: [point(4, 0.4)] })).toBeNull();
  expect(warmedShare({ phases, points: [point(4, 0.4), point(8, 0.6)] })).toBeCloseTo(0.75, 12);
  expect(warmedShare({ phases, points: [point(8, Number.NaN)] })).toBeNull();
});

test('a table as CSV says where it came from and quotes what needs it', () => {
  const text = csvOf({ columns: ['a', 'b, c'], rows: [[1, 'say "x"']] }, { seed: 7 });
  expect(text).toBe('# seed: 7\na,"b, c"\n1,"say ""x"""');
});
