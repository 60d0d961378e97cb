// Sparse attention as a whole (dsa.md section 3): the formats to the last bit, selectors against each other at full length,
// one result on three paths, and losses that reach only the weights that they are for.

import { expect, test } from 'vitest';
import e4m3Link from '../../../shaders/lib/e4m3.wgsl?link';
import { mix32, uniform01 } from '../../../src/gpu/rng.ts';
import { Decoder } from '../../../src/lm/decoder.ts';
import { lmHidden, lmLogits } from '../../../src/lm/model.ts';
import { cachedDsa } from '../../../src/methods/dsa/cached.ts';
import { configure, SPECIFIED, trunk } from '../../../src/methods/dsa/config.ts';
import { choosePath } from '../../../src/methods/dsa/dispatch.ts';
import { gradientIsolation } from '../../../src/methods/dsa/isolation.ts';
import { type AttentionPlan, DENSE, dsaMixer, dsaStore, INDEX, type Taps } from '../../../src/methods/dsa/model.ts';
import {
  hadamard,
  indexLoss,
  indexScores,
  indexScoresOfCodes,
  quantise,
  rotate,
} from '../../../src/methods/dsa/ops.ts';
import { blockScale, E4M3, e4m3Decode, e4m3Encode } from '../../../src/methods/dsa/reference.ts';
import { batchOf, rowOf, trainingBatch } from '../../../src/methods/dsa/tasks.ts';
import { stageTrainer } from '../../../src/methods/dsa/train.ts';
import { Scope } from '../../../src/nn/layers.ts';
import { normals } from '../../../src/nn/params.ts';
import { ropeTable } from '../../../src/tensor/ops/attention.ts';
import { launch } from '../../../src/tensor/ops/launch.ts';
import { NONE, type Selector, topK } from '../../../src/tensor/ops/topk.ts';
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

/** Numbers through the encoder and codes through both decoders, without any block scale. */
async function formatAlone(x: Float32Array<ArrayBuffer>, given: Uint32Array<ArrayBuffer>) {
  const { gpu } = await testGpu();
  const program = compile(gpu, (g) => {
    const [codes, one, four] = launch(g, {
      label: 'e4m3 alone',
      link: () => `${e4m3Link()}
        @group(0) @binding(0) var<storage, read_write> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> given: array<u32>;
        @group(0) @binding(2) var<storage, read_write> codes: array<u32>;
        @group(0) @binding(3) var<storage, read_write> one: array<f32>;
        @group(0) @binding(4) var<storage, read_write> four: array<vec4f>;
        @group(0) @binding(5) var<uniform> count: vec4u;
        @compute @workgroup_size(64) fn alone(@builtin(global_invocation_id) id: vec3u) {
          let i = id.x + 65535u * 64u * id.y;
          if (i < count.x) { codes[i] = e4m3_encode(x[i]); }
          if (i < count.y) {
            one[i] = e4m3_decode(given[i]);
            four[i] = e4m3_decode4(given[i] | (given[(i + 1u) % count.y] << 8u) | (given[(i + 2u) % count.y] << 16u) |
              (given[(i + 3u) % count.y] << 24u));
          }
        }`,
      entryPoint: 'alone',
      inputs: [g.input('x', [x.length]), g.input('given', [given.length])],
      outputs: [[x.length], [given.length], [given.length, 4]],
      uniforms: [x.length, given.length, 0, 0],
      threads: Math.max(x.length, given.length),
    });
    for (const [name, t] of Object.entries({ codes, one, four })) g.output(name, t);
  });
  program.run({ x, given });
  const codes = [...new Uint32Array(await program.readBytes('codes'))];
  const [one, four] = [[...(await program.read('one'))], [...(await program.read('four'))]];
  program.dispose();
  return { codes, one, four };
}

test('e4m3: all 256 codes, 100,000 log-uniform values, subnormals and what is larger than 448, to the last bit', async () => {
  const all = Uint32Array.from({ length: 256 }, (_, code) => code);
  // 464 would be half way to the next step.
  const large = [448, 448.0001, 463.9, 464, 480, 512, 1e9, 3.4e38];
  // Steps of 2^-9 with the middles between them, which go to even, and what an adapter may flush to zero.
  const small = [
    0,
    1e-40,
    ...Array.from({ length: 18 }, (_, i) => i * 2 ** -10),
    2 ** -10 - 2 ** -33,
    2 ** -10 + 2 ** -33,
  ];
  // From a sixteenth of the smallest code to twice the largest.
  const spread = Array.from({ length: 50_000 }, (_, i) => 2 ** (-13 + 22.8 * uniform01(mix32(5, i, 0, 1))));
  const x = Float32Array.from([...large, ...small, ...spread].flatMap((v) => [v, -v]));
  const { codes, one, four } = await formatAlone(x, all);
  const want = Array.from(x, e4m3Encode);
  expect(new Set(want).size).toBe(254);
  expect(codes).toEqual(want);
  expect(codes.slice(0, 2 * large.length)).toEqual(large.flatMap(() => [0x7e, 0xfe]));
  // 0x7f and 0xff are NaN in the format. WGSL promises nothing about NaN, so no encoder here writes them (the values above
  // reach every other code and nothing else), and the decoders read the number that the bits would be, 480.
  const meant = Array.from(all, (code) => ((code & 0x7f) === 0x7f ? (code < 128 ? 480 : -480) : e4m3Decode(code)));
  expect(one).toEqual(meant);
  expect(four).toEqual(meant.flatMap((_, i) => [0, 1, 2, 3].map((n) => meant[(i + n) % 256])));
  // Every code but those comes back.
  const numbers = all.filter((code) => (code & 0x7f) !== 0x7f);
  const again = await formatAlone(
    Float32Array.from(numbers, (code) => one[code]),
    all,
  );
  expect(again.codes).toEqual([...numbers]);
});

test('blocks of 100,000 log-uniform values: scales, codes and what they stand for, to the last bit', async () => {
  const { gpu } = await testGpu();
  const [rows, dim] = [3125, 32];
  // Every block has a middle of its own, and its values lie up to 2^12 below it: normal codes, subnormal ones and zeros.
  const x = Float32Array.from({ length: rows * dim }, (_, i) => {
    const middle = -18 + 36 * uniform01(mix32(7, Math.floor(i / dim), 0, 2));
    const sign = mix32(7, i, 0, 3) & 1 ? -1 : 1;
    return sign * 2 ** (middle - 18 * uniform01(mix32(7, i, 0, 1)));
  });
  const program = compile(gpu, (g) => {
    for (const [name, t] of Object.entries(quantise(g.input('x', [rows, dim]), dim, 'e4m3'))) g.output(name, t);
  });
  program.run({ x });
  const scales = [...(await program.read('scales'))];
  const want = Array.from({ length: rows }, (_, r) => blockScale([...x.subarray(r * dim, (r + 1) * dim)]));
  expect(scales).toEqual(want);
  expect(new Set(want).size).toBeGreaterThan(20);
  const codes = Array.from(x, (v, i) => e4m3Encode(v / want[Math.floor(i / dim)]));
  expect([...new Uint8Array(await program.readBytes('codes'))]).toEqual(codes);
  expect([...(await program.read('values'))]).toEqual(codes.map((c, i) => e4m3Decode(c) * want[Math.floor(i / dim)]));
  program.dispose();
});

/** One row of every kind: what is equal, or as good as absent, decides who is right. */
function rowsOf(length: number): Record<string, Float32Array<ArrayBuffer>> {
  const noise = normals(3, 4, length);
  return {
    random: noise,
    'nine tenths zero': noise.map((v) => Math.max(0, v - 1.28)),
    constant: new Float32Array(length).fill(-2.5),
    'few values': noise.map((v) => Math.round(v) + 0),
    'little above minus infinity': noise.map((v, i) => (i < length / 100 ? v : Number.NEGATIVE_INFINITY)),
  };
}

// Any k of a row: one key, few, many, all that there are and more than that.
test.each([
  [2, [1, 2, 5]],
  [31, [1, 4, 31]],
  [1000, [1, 64, 1000, 1003]],
  [131_072, [1, 2048, 131_072]],
])('top-k: three selectors and a sort agree at %i positions on rows of every kind, k of %j', async (length, ks) => {
  const { gpu } = await testGpu();
  const rows = Object.entries(rowsOf(length));
  const scores = new Float32Array(rows.length * length);
  rows.forEach(([, row], r) => {
    scores.set(row, r * length);
  });
  // The first row sees everything, so that k can be all of it; the others leave out both ends.
  const seen = rows.map((_, r): [number, number] => (r === 0 || length < 32 ? [0, length] : [5, length - 7]));
  const kinds: Selector[] = ['radix', 'split', 'bisect'];
  for (const k of ks) {
    const program = compile(gpu, (g) => {
      const [given, bounds] = [g.input('scores', [rows.length, length]), g.input('bounds', [rows.length, 2])];
      for (const kind of kinds) g.output(kind, topK(given, bounds, k, kind));
    });
    program.run({ scores, bounds: Uint32Array.from(seen.flat()) });
    const lists = new Map<Selector, Uint32Array>();
    for (const kind of kinds) lists.set(kind, new Uint32Array(await program.readBytes(kind)));
    rows.forEach(([name, row], r) => {
      const chosen = topKReference(row, ...seen[r], k);
      const want = Uint32Array.from({ length: k }, (_, n) => chosen[n] ?? NONE);
      for (const kind of kinds) {
        const got = lists.get(kind)?.slice(r * k, (r + 1) * k) ?? new Uint32Array(0);
        expect(Buffer.compare(Buffer.from(got.buffer), Buffer.from(want.buffer)), `${kind}, ${name}, k = ${k}`).toBe(0);
      }
    });
    program.dispose();
  }
});

test('scores of codes are those of what the codes stand for, bit by bit', async () => {
  const { gpu } = await testGpu();
  const shape = { heads: 2, dim: 16, sequences: 1 };
  const program = compile(gpu, (g) => {
    const [q, w, k] = [g.input('q', [9, 2, 16]), g.input('w', [9, 2]), g.input('k', [40, 16])];
    const bounds = g.input('bounds', [9, 2]);
    const [cq, ck] = [quantise(q, 16, 'e4m3'), quantise(k, 16, 'e4m3')];
    g.output('codes', indexScoresOfCodes(cq.values, w, ck, bounds, shape, 'e4m3'));
    g.output('values', indexScores(cq.values, w, ck.values, bounds, shape));
  });
  program.run({
    q: normals(1, 1, 288),
    w: normals(1, 2, 18),
    k: normals(1, 3, 640),
    bounds: Uint32Array.from({ length: 18 }, (_, i) => (i % 2 === 0 ? 0 : 40)),
  });
  expect(new Uint32Array(await program.readBytes('codes'))).toEqual(new Uint32Array(await program.readBytes('values')));
  program.dispose();
});

test.each([16, 32, 64, 128].flatMap((dim) => [true, false].map((half) => ({ dim, half }))))(
  'indexer of $dim channels, half-split rotation $half: scores of equal content depend on the distance, Hadamard keeps products',
  async ({ dim, half }) => {
    const { gpu } = await testGpu();
    const [time, heads, turned] = [96, 4, dim / 2];
    const program = compile(gpu, (g) => {
      const turn = g.table('turns', [time, turned], () => ropeTable(time, turned));
      const [q, k] = [
        rotate(g.input('query', [time, heads, dim]), turn, { heads, dim, half }),
        rotate(g.input('key', [time, 1, dim]), turn, { heads: 1, dim, half }),
      ];
      const [hq, hk] = [hadamard(q, dim), hadamard(k, dim)];
      g.output(
        'scores',
        indexScores(hq, g.input('w', [time, heads]), hk, g.input('bounds', [time, 2]), { heads, dim, sequences: 1 }),
      );
      for (const [name, t] of Object.entries({ q, k, hq, hk })) g.output(name, t);
    });
    const [q, k, w] = [normals(1, 1, heads * dim), normals(1, 2, dim), normals(1, 3, heads)];
    program.run({
      query: Float32Array.from({ length: time * heads * dim }, (_, i) => q[i % (heads * dim)]),
      key: Float32Array.from({ length: time * dim }, (_, i) => k[i % dim]),
      w: Float32Array.from({ length: time * heads }, (_, i) => w[i % heads]),
      bounds: Uint32Array.from({ length: 2 * time }, (_, i) => (i % 2 === 0 ? 0 : time)),
    });
    const scores = await program.read('scores');
    const largest = scores.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    // Every pair against the pair of the same distance that the last query, or the last key, is of.
    let furthest = 0;
    for (let t = 0; t < time; t++) {
      for (let s = 0; s < time; s++) {
        const shift = time - 1 - Math.max(t, s);
        const off = Math.abs(scores[t * time + s] - scores[(t + shift) * time + s + shift]);
        furthest = Math.max(furthest, off);
      }
    }
    expect(furthest / largest).toBeLessThan(1e-5);
    const row = [...scores.subarray(40 * time, 41 * time)];
    expect(Math.max(...row) - Math.min(...row)).toBeGreaterThan(0.1 * largest);

    // Products before and after the transform of the kernel, in float64, against the lengths of the vectors.
    const vectors = Object.fromEntries(
      await Promise.all(['q', 'k', 'hq', 'hk'].map(async (name) => [name, await program.read(name)] as const)),
    );
    const dot = (a: string, i: number, b: string, j: number): number => {
      let sum = 0;
      for (let c = 0; c < dim; c++) sum += vectors[a][i * dim + c] * vectors[b][j * dim + c];
      return sum;
    };
    for (let n = 0; n < 200; n++) {
      const [i, j] = [(n * 37) % (time * heads), (n * 53) % time];
      const length = Math.sqrt(dot('q', i, 'q', i) * dot('k', j, 'k', j));
      expect(Math.abs(dot('hq', i, 'hk', j) - dot('q', i, 'k', j)) / length).toBeLessThan(1e-5);
    }
    expect(vectors.hq).not.toEqual(vectors.q);
    program.dispose();
  },
);

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

test.each(['dense', 'sparse'] as const)(
  '%s: the loss and the slope of the indexer are zero where softmax(I) is the target',
  async (form) => {
    const { gpu } = await testGpu();
    const shape = { heads: 2, dim: 16, sequences: 1 };
    const [q, w, k] = [normals(1, 1, 6 * 32), normals(1, 2, 12), normals(1, 3, 6 * 16)];
    const bounds = Uint32Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 0 : (i >> 1) + 1));
    // Every other key that a query sees, itself among them; the short lists end with empty places.
    const listed = form === 'sparse';
    const keysOf = (r: number): number[] =>
      Array.from({ length: r + 1 }, (_, s) => s).filter((s) => !listed || (r - s) % 2 === 0);
    const slots = listed ? 3 : 6;
    const chosen = Uint32Array.from({ length: 6 * slots }, (_, i) => keysOf(Math.floor(i / slots))[i % slots] ?? NONE);
    const program = compile(gpu, (g) => {
      const t = { q: g.input('q', [6, 2, 16]), w: g.input('w', [6, 2]), k: g.input('k', [6, 16]) };
      const seen = { bounds: g.input('bounds', [6, 2]), ...(listed && { chosen: g.input('chosen', [6, slots]) }) };
      const scores = indexScores(t.q, t.w, t.k, seen.bounds, shape);
      const loss = indexLoss({ ...t, scores }, g.input('p', [6, slots]), seen, shape);
      const [dq, dw, dk] = g.gradients(loss, [t.q, t.w, t.k], g.input('one', [1]), (a) => a);
      if (!dq || !dw || !dk) throw new Error('no gradient');
      for (const [name, x] of Object.entries({ scores, loss, dq, dw, dk })) g.output(name, x);
    });
    const run = (p: Float32Array<ArrayBuffer>): void =>
      program.run({ q, w, k, bounds, p, one: new Float32Array([1]), ...(listed && { chosen }) });
    const largest = async (name: string): Promise<number> =>
      (await program.read(name)).reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    // A target that is another distribution has a slope, and no loss is negative.
    const flat = new Float32Array(6 * slots);
    const own = new Float32Array(6 * slots);
    for (let r = 0; r < 6; r++)
      keysOf(r).forEach((_, n, keys) => {
        flat[r * slots + n] = 1 / keys.length;
      });
    run(flat);
    expect((await program.read('loss'))[0]).toBeGreaterThan(1e-3);
    for (const name of ['dq', 'dw', 'dk']) expect(await largest(name), name).toBeGreaterThan(1e-3);
    const scores = await program.read('scores');
    for (let r = 0; r < 6; r++) {
      const e = keysOf(r).map((s) => Math.exp(scores[6 * r + s]));
      e.forEach((v, n) => {
        own[r * slots + n] = v / e.reduce((a, b) => a + b, 0);
      });
      expect(own.subarray(r * slots, (r + 1) * slots).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
    }
    run(own);
    for (const name of ['loss', 'dq', 'dw', 'dk']) expect(await largest(name), name).toBeLessThan(1e-6);
    program.dispose();
  },
);

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
