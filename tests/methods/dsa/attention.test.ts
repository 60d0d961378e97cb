// Sparse attention as a whole (dsa.md section 3): the formats to the last bit, selectors against each other at full length,
// one result on three paths, and losses that reach only the weights that they are for.

import { expect, test } from 'vitest';
import e4m3Link from '../../../shaders/lib/e4m3.wgsl?link';
import { Decoder } from '../../../src/lm/decoder.ts';
import { lmHidden, lmLogits } from '../../../src/lm/model.ts';
import { cachedDsa } from '../../../src/methods/dsa/cached.ts';
import { configure, SPECIFIED, trunk } from '../../../src/methods/dsa/config.ts';
import { choosePath } from '../../../src/methods/dsa/dispatch.ts';
import { gradientIsolation } from '../../../src/methods/dsa/isolation.ts';
import { type AttentionPlan, DENSE, dsaMixer, dsaStore, INDEX, type Taps } from '../../../src/methods/dsa/model.ts';
import { indexLoss, indexScores, indexScoresOfCodes, quantise, rotate } from '../../../src/methods/dsa/ops.ts';
import { E4M3, e4m3Encode } from '../../../src/methods/dsa/reference.ts';
import { batchOf, rowOf, trainingBatch } from '../../../src/methods/dsa/tasks.ts';
import { stageTrainer } from '../../../src/methods/dsa/train.ts';
import { Scope } from '../../../src/nn/layers.ts';
import { normals } from '../../../src/nn/params.ts';
import { ropeTable } from '../../../src/tensor/ops/attention.ts';
import { launch } from '../../../src/tensor/ops/launch.ts';
import { type Selector, topK } from '../../../src/tensor/ops/topk.ts';
import { compile } from '../../../src/tensor/program.ts';
import { topKReference } from '../../../src/tensor/reference/topk.ts';
import { testGpu } from '../../support/gpu.ts';

const tiny = configure('nano', { time: '24', batch: '4', controlRows: '1', k: '5', pairs: '4', queries: '5' });

test('e4m3: every code comes back, ties go to even', async () => {
  const { gpu } = await testGpu();
  // 448 in every block fixes its scale at 1.
  const magnitudes = [...E4M3, ...E4M3.slice(1).map((v, i) => (v + E4M3[i]) / 2), 2 ** -12, 0];
  const values = magnitudes.flatMap((v) => [v, -v]);
  const blocks = Math.ceil(values.length / 31);
  const x = new Float32Array(blocks * 32);
  for (let b = 0; b < blocks; b++) x.set([448, ...values.slice(31 * b, 31 * b + 31)], 32 * b);
  const program = compile(gpu, (g) => {
    const q = quantise(g.input('x', [blocks, 32]), 32, 'e4m3');
    for (const [name, t] of Object.entries(q)) g.output(name, t);
  });
  program.run({ x });
  const codes = new Uint8Array(await program.readBytes('codes'));
  expect([...new Set(await program.read('scales'))]).toEqual([1]);
  expect(Array.from(codes)).toEqual(Array.from(x, e4m3Encode));
  const back = await program.read('values');
  E4M3.forEach((v) => {
    const at = x.indexOf(v);
    expect(back[at]).toBe(v);
  });
  program.dispose();
});

test('e4m3: what is larger than 448 becomes 448', async () => {
  const { gpu } = await testGpu();
  // Block scales leave no value above 448, so the encoder is asked by itself. 464 would be half way to the next step.
  const large = [448, 448.0001, 463.9, 464, 480, 512, 1e9, 3.4e38].flatMap((v) => [v, -v]);
  const program = compile(gpu, (g) => {
    const [codes, back] = launch(g, {
      label: 'e4m3 alone',
      link: () => `${e4m3Link()}
        @group(0) @binding(0) var<storage, read_write> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> codes: array<u32>;
        @group(0) @binding(2) var<storage, read_write> back: array<f32>;
        @group(0) @binding(3) var<uniform> count: vec4u;
        @compute @workgroup_size(64) fn encode(@builtin(global_invocation_id) id: vec3u) {
          if (id.x >= count.x) { return; }
          codes[id.x] = e4m3_encode(x[id.x]);
          back[id.x] = e4m3_decode(codes[id.x]);
        }`,
      entryPoint: 'encode',
      inputs: [g.input('x', [large.length])],
      outputs: [[large.length], [large.length]],
      uniforms: [large.length, 0, 0, 0],
      threads: large.length,
    });
    g.output('codes', codes);
    g.output('back', back);
  });
  program.run({ x: Float32Array.from(large) });
  const codes = new Uint32Array(await program.readBytes('codes'));
  expect(Array.from(codes)).toEqual(large.map((v) => (v > 0 ? 0x7e : 0xfe)));
  expect(Array.from(await program.read('back'))).toEqual(large.map((v) => (v > 0 ? 448 : -448)));
  expect(large.map(e4m3Encode)).toEqual(Array.from(codes));
  program.dispose();
});

test('top-k: three selectors and a sort agree at 131,072 positions, whatever is equal', async () => {
  const { gpu } = await testGpu();
  const length = 131072;
  const noise = normals(3, 4, length);
  const contents: Record<string, Float32Array<ArrayBuffer>> = {
    random: noise,
    'nine tenths zero': noise.map((v) => Math.max(0, v - 1.28)),
    constant: new Float32Array(length).fill(-2.5),
    'few values': noise.map((v) => Math.round(v)),
    'little above minus infinity': noise.map((v, i) => (i < 1000 ? v : Number.NEGATIVE_INFINITY)),
  };
  const k = 2048;
  const bounds = new Uint32Array([5, length - 7]);
  const kinds: Selector[] = ['radix', 'split', 'bisect'];
  const program = compile(gpu, (g) => {
    const [scores, seen] = [g.input('scores', [1, length]), g.input('bounds', [1, 2])];
    for (const kind of kinds) g.output(kind, topK(scores, seen, k, kind));
  });
  for (const [name, scores] of Object.entries(contents)) {
    program.run({ scores, bounds });
    const want = topKReference(scores, bounds[0], bounds[1], k);
    for (const kind of kinds) {
      expect(Array.from(new Uint32Array(await program.readBytes(kind))), `${kind}, ${name}`).toEqual(want);
    }
  }
  program.dispose();
});

test('scores of codes are those of what the codes stand for, bit by bit; rotation depends on distance only', async () => {
  const { gpu } = await testGpu();
  const shape = { heads: 2, dim: 16, sequences: 1 };
  const program = compile(gpu, (g) => {
    const [q, w, k] = [g.input('q', [9, 2, 16]), g.input('w', [9, 2]), g.input('k', [40, 16])];
    const bounds = g.input('bounds', [9, 2]);
    const [cq, ck] = [quantise(q, 16, 'e4m3'), quantise(k, 16, 'e4m3')];
    g.output('codes', indexScoresOfCodes(cq.values, w, ck, bounds, shape, 'e4m3'));
    g.output('values', indexScores(cq.values, w, ck.values, bounds, shape));
    for (const half of [true, false]) {
      const turned = rotate(
        g.input(`same ${half}`, [40, 1, 16]),
        g.table('turns', [40, 8], () => ropeTable(40, 8)),
        {
          heads: 1,
          dim: 16,
          half,
        },
      );
      g.output(`turned ${half}`, turned);
    }
  });
  const one = normals(1, 9, 16);
  const same = Float32Array.from({ length: 640 }, (_, i) => one[i % 16]);
  program.run({
    q: normals(1, 1, 288),
    w: normals(1, 2, 18),
    k: normals(1, 3, 640),
    bounds: Uint32Array.from({ length: 18 }, (_, i) => (i % 2 === 0 ? 0 : 40)),
    'same true': same,
    'same false': same,
  });
  expect(new Uint32Array(await program.readBytes('codes'))).toEqual(new Uint32Array(await program.readBytes('values')));
  for (const half of [true, false]) {
    const rows = await program.read(`turned ${half}`);
    const dot = (a: number, b: number): number => {
      let sum = 0;
      for (let c = 0; c < 16; c++) sum += rows[16 * a + c] * rows[16 * b + c];
      return sum;
    };
    for (const [a, b] of [
      [0, 5],
      [11, 16],
      [30, 35],
    ])
      expect(dot(a, b)).toBeCloseTo(dot(3, 8), 4);
    expect(Math.abs(dot(3, 8) - dot(3, 20))).toBeGreaterThan(1e-3);
  }
  program.dispose();
});

test('dense with k >= L, masked MHA and gather over latents give the same logits', async () => {
  const { gpu } = await testGpu();
  const store = dsaStore(gpu, tiny, 3);
  const n = tiny.batch * tiny.time;
  const batch = batchOf(
    tiny,
    Array.from({ length: tiny.batch }, (_, i) => rowOf(tiny, 'retrieval', 'eval', 1, i)),
  );
  const logitsOf = async (plan: Partial<AttentionPlan>): Promise<Float32Array> => {
    const taps: Taps = { losses: [], watched: [] };
    const program = compile(gpu, (g) => {
      const scope = new Scope(g, store);
      const rows = {
        ids: g.input('ids', [n]),
        positions: g.input('positions', [n]),
        previous: g.input('previous', [n]),
      };
      const at = { batch: tiny.batch, time: tiny.time, bounds: g.input('bounds', [n, 2]) };
      const mixer = dsaMixer(scope, tiny, rows, at, { ...DENSE, chooser: 'indexer', ...plan }, taps);
      g.output('logits', lmLogits(scope, trunk(tiny), lmHidden(scope, trunk(tiny), rows, mixer)));
    });
    const { ids, positions, previous, bounds } = batch;
    program.run({ ids, positions, previous, bounds });
    const logits = await program.read('logits');
    program.dispose();
    return logits;
  };
  const furthest = (a: Float32Array, b: Float32Array): number =>
    a.reduce((m, v, i) => Math.max(m, Math.abs(v - b[i])), 0);
  const dense = await logitsOf({});
  for (const path of ['maskedMHA', 'gather'] as const) {
    expect(furthest(dense, await logitsOf({ path, k: tiny.time }))).toBeLessThan(1e-4);
  }
  const masked = await logitsOf({ path: 'maskedMHA', k: tiny.k });
  expect(furthest(masked, await logitsOf({ path: 'gather', k: tiny.k }))).toBeLessThan(1e-4);
  // Five of twenty-four keys are another function.
  expect(furthest(masked, dense)).toBeGreaterThan(1e-3);
  store.dispose();
});

test('the losses are isolated: warm-up moves the indexer only, and frozen weights keep every bit', async () => {
  const { gpu } = await testGpu();
  for (const stage of ['base', 'warmup', 'sparse'] as const) {
    const store = dsaStore(gpu, tiny, 3);
    const { trainer } = stageTrainer(gpu, tiny, stage, store, 1);
    const before = await store.read('value');
    trainer.advance(trainingBatch(tiny, 1, 1));
    await trainer.settle();
    const [after, grads] = [await store.read('value'), await store.read('grad')];
    for (const [name, values] of grads) {
      const zero = values.every((v) => v === 0);
      const frozen = (stage === 'base' && name.includes(INDEX)) || (stage === 'warmup' && !name.includes(INDEX));
      expect(zero, `${stage}: gradient of ${name}`).toBe(frozen);
      if (frozen) expect(after.get(name), name).toEqual(before.get(name));
    }
    trainer.dispose();
    store.dispose();
  }
});

test.each(['warmup', 'sparse'] as const)(
  '%s: each loss alone gives exactly nothing to the weights of the other',
  async (stage) => {
    const { gpu } = await testGpu();
    const store = dsaStore(gpu, tiny, 3);
    const norms = await gradientIsolation(gpu, tiny, store, 1, stage);
    expect([norms.indexLossOnMain, norms.lmLossOnIndexer]).toEqual([0, 0]);
    expect(norms.indexLossOnIndexer).toBeGreaterThan(0);
    expect(norms.lmLossOnMain).toBeGreaterThan(0);
    store.dispose();
  },
);

test('a step of the sparse stage adds both losses and their gradients; done twice it has the same bits', async () => {
  const { gpu } = await testGpu();
  const store = dsaStore(gpu, tiny, 3);
  const { lmLossOnMain, indexLossOnIndexer } = await gradientIsolation(gpu, tiny, store, 1);
  const gradients = async (): Promise<Map<string, Float32Array>> => {
    const { trainer } = stageTrainer(gpu, tiny, 'sparse', store, 1);
    trainer.advance(trainingBatch(tiny, 1, 1));
    await trainer.settle();
    const grads = await store.read('grad');
    const metrics = await trainer.metrics();
    expect(metrics.kl).toBeGreaterThan(0);
    expect(metrics.loss).toBeCloseTo(metrics.lm + metrics.kl, 5);
    expect(metrics.gradNorm / Math.hypot(lmLossOnMain, indexLossOnIndexer)).toBeCloseTo(1, 5);
    trainer.dispose();
    return grads;
  };
  const initial = await store.read('value');
  const first = await gradients();
  for (const [name, values] of initial) store.write('value', name, values);
  const second = await gradients();
  for (const [name, values] of first) expect(second.get(name), name).toEqual(values);
  store.dispose();
});

test('the slope of the indexer is zero where softmax(I) is the target', async () => {
  const { gpu } = await testGpu();
  const shape = { heads: 2, dim: 16, sequences: 1 };
  const [q, w, k] = [normals(1, 1, 6 * 32), normals(1, 2, 12), normals(1, 3, 6 * 16)];
  const bounds = Uint32Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 0 : (i >> 1) + 1));
  const program = compile(gpu, (g) => {
    const t = { q: g.input('q', [6, 2, 16]), w: g.input('w', [6, 2]), k: g.input('k', [6, 16]) };
    const seen = g.input('bounds', [6, 2]);
    const scores = indexScores(t.q, t.w, t.k, seen, shape);
    const loss = indexLoss({ ...t, scores }, g.input('p', [6, 6]), { bounds: seen }, shape);
    const [dq, , dk] = g.gradients(loss, [t.q, t.w, t.k], g.input('one', [1]), (a) => a);
    if (!dq || !dk) throw new Error('no gradient');
    for (const [name, x] of Object.entries({ scores, loss, dq, dk })) g.output(name, x);
  });
  const run = (p: Float32Array<ArrayBuffer>): void => program.run({ q, w, k, bounds, p, one: new Float32Array([1]) });
  run(new Float32Array(36).fill(1));
  const scores = await program.read('scores');
  const p = new Float32Array(36);
  for (let r = 0; r < 6; r++) {
    const e = Array.from({ length: r + 1 }, (_, s) => Math.exp(scores[6 * r + s]));
    e.forEach((v, s) => {
      p[6 * r + s] = v / e.reduce((a, b) => a + b, 0);
    });
  }
  const largest = async (name: string): Promise<number> =>
    (await program.read(name)).reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  expect(await largest('dq')).toBeGreaterThan(1e-3);
  run(p);
  expect(await largest('loss')).toBeLessThan(1e-6);
  expect(await largest('dq')).toBeLessThan(1e-6);
  expect(await largest('dk')).toBeLessThan(1e-6);
  program.dispose();
});

test('the dispatcher is dense up to k, masked up to the break-even, gather behind it and in decoding', () => {
  const small = SPECIFIED;
  expect(choosePath(small, 64, 64, 'decode')).toBe('dense');
  expect(choosePath(small, 65, 64, 'decode')).toBe('gather');
  expect(choosePath(small, 144, 64, 'prefill')).toBe('maskedMHA');
  expect(choosePath(small, 145, 64, 'prefill')).toBe('gather');
  expect(choosePath(small, 145, 64, 'train', true)).toBe('maskedMHA');
  expect(choosePath(small, 64, 64, 'train', true)).toBe('dense');
});

test('decoding token by token over caches chooses what a pass over whole rows chooses', async () => {
  const { gpu } = await testGpu();
  const store = dsaStore(gpu, tiny, 3);
  const [sequences, prompt] = [3, 9];
  const size = { sequences, capacity: tiny.time };
  const pins = { ...tiny, k: 7, pinFirst: 4, pinLast: 2 };
  for (const [c, k] of [
    [tiny, tiny.k],
    [tiny, tiny.time],
    // Scores near zero choose few of the first and last keys by themselves.
    [pins, pins.k],
    [{ ...pins, quant: 'f32' }, pins.k],
  ] as const) {
    const model = cachedDsa(gpu, c, store, size, k);
    const decoder = new Decoder(gpu, model, { perSubmission: 4, chunk: 4 });
    const texts = Array.from({ length: sequences }, (_, i) =>
      rowOf(tiny, 'retrieval', 'eval', 2, i).ids.slice(0, prompt + i),
    );
    const greedy = { temperature: 0, topK: 0, topP: 1, maxNew: 8, stop: [], seed: 1 };
    const { rows, stats } = await decoder.generate(texts, greedy);
    expect(stats.submissions).toBeLessThan(stats.steps);
    // The same texts in one pass: every token must be the most likely one there, with the same log-probability.
    const whole = texts.map((ids, i) => [...ids, ...rows[i].tokens]);
    const padded = whole.map((ids) => [...ids, ...new Array(tiny.time - ids.length).fill(0)]);
    const n = sequences * tiny.time;
    const batch = batchOf(
      tiny,
      padded.map((ids) => ({ ids, wanted: new Map() })),
    );
    const program = compile(gpu, (g) => {
      const scope = new Scope(g, store);
      const tokens = {
        ids: g.input('ids', [n]),
        positions: g.input('positions', [n]),
        previous: g.input('previous', [n]),
      };
      const at = { batch: sequences, time: tiny.time, bounds: g.input('bounds', [n, 2]) };
      const plan = { ...DENSE, path: k < tiny.time ? ('maskedMHA' as const) : ('dense' as const), k };
      const mixer = dsaMixer(scope, c, tokens, at, plan, { losses: [], watched: [] });
      g.output('logits', lmLogits(scope, trunk(tiny), lmHidden(scope, trunk(tiny), tokens, mixer)));
    });
    const { ids, positions, previous, bounds } = batch;
    program.run({ ids, positions, previous, bounds });
    const logits = await program.read('logits');
    rows.forEach(({ tokens, logProbs }, i) => {
      expect(tokens).toHaveLength(8);
      tokens.forEach((id, t) => {
        const from = (i * tiny.time + texts[i].length + t - 1) * tiny.vocab;
        const row = Array.from(logits.subarray(from, from + tiny.vocab));
        const most = Math.max(...row);
        expect(row.indexOf(most)).toBe(id);
        const lse = most + Math.log(row.reduce((a, v) => a + Math.exp(v - most), 0));
        expect(logProbs[t]).toBeCloseTo(row[id] - lse, 4);
      });
    });
    program.dispose();
    model.dispose();
  }
  store.dispose();
});
