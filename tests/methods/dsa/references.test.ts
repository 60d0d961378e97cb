// The float64 references themselves (dsa.md section 3): their derivatives by finite differences, the transform that changes no
// product, and the selection from the layer's input on against the one that the kernels make.

import { expect, test } from 'vitest';
import { configure, type DsaConfig } from '../../../src/methods/dsa/config.ts';
import { dsaStore, indexVectors, rotations } from '../../../src/methods/dsa/model.ts';
import { indexScores } from '../../../src/methods/dsa/ops.ts';
import {
  hadamardReference,
  indexLossReference,
  indexScore,
  rotateReference,
} from '../../../src/methods/dsa/reference.ts';
import { Scope } from '../../../src/nn/layers.ts';
import { normals } from '../../../src/nn/params.ts';
import { ropeTable } from '../../../src/tensor/ops/attention.ts';
import { topK } from '../../../src/tensor/ops/topk.ts';
import { compile } from '../../../src/tensor/program.ts';
import { latentReference } from '../../../src/tensor/reference/latent-attention.ts';
import { testGpu } from '../../support/gpu.ts';

const float64 = (seed: number, n: number): Float64Array => Float64Array.from(normals(seed, 1, n));

/** Central differences of f at `count` coordinates spread over x, against the derivative d. */
function compare(f: () => number, x: Float64Array, d: ArrayLike<number>, count: number): void {
  const h = 1e-5;
  for (let n = 0; n < count; n++) {
    const i = (n * 7919) % x.length;
    const kept = x[i];
    x[i] = kept + h;
    const above = f();
    x[i] = kept - h;
    const below = f();
    x[i] = kept;
    const slope = (above - below) / (2 * h);
    expect(Math.abs(slope - d[i])).toBeLessThan(1e-6 * Math.max(1, Math.abs(slope)));
  }
}

test.each([
  { heads: 1, groups: 1 },
  { heads: 4, groups: 2 },
  { heads: 8, groups: 1 },
])('gather attention, $heads heads on $groups groups: derivatives are finite differences at 50 places', (form) => {
  const s = { ...form, key: 12, value: 8, offset: 0, scale: 0.3, per: 5, length: 9 };
  const [q, kv] = [float64(1, 5 * s.heads * 12), float64(2, 9 * s.groups * 12)];
  const probe = float64(3, 5 * s.heads * 8);
  // Rows see one key, a few, or all that are there.
  const keys = (row: number): number[] => [[4], [0, 3, 8], [1, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8], [7, 8]][row];
  const run = () => latentReference(q, kv, keys, s, probe);
  const value = (): number => run().out.reduce((sum, v, i) => sum + v * probe[i], 0);
  const { dq, dkv, p } = run();
  for (const row of p) expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
  compare(value, q, dq, 50);
  compare(value, kv, dkv, 50);
});

test('the loss of the indexer is never negative, and its derivatives are finite differences at 50 places', () => {
  const z = { heads: 2, dim: 16, per: 6, length: 6 };
  const [q, w, k] = [float64(1, 6 * 32), float64(2, 12), float64(3, 6 * 16)];
  const slots = (row: number): number[] => Array.from({ length: row + 1 }, (_, i) => i);
  const p = (row: number): number[] => slots(row).map((i) => 1 + ((row * 5 + i * 3) % 7));
  const run = () => indexLossReference(q, w, k, slots, p, z);
  const { loss, dq, dw, dk } = run();
  expect(loss).toBeGreaterThan(0);
  compare(() => run().loss, q, dq, 50);
  compare(() => run().loss, w, dw, 12);
  compare(() => run().loss, k, dk, 50);
});

test.each([16, 32, 64, 128])('the Hadamard transform of %i channels keeps every dot product', (dim) => {
  const [a, b] = [float64(4, dim), float64(5, dim)];
  const dot = (x: Float64Array, y: Float64Array): number => x.reduce((sum, v, i) => sum + v * y[i], 0);
  expect(dot(hadamardReference(a, dim), hadamardReference(b, dim))).toBeCloseTo(dot(a, b), 9);
});

/** Index scores of one row of tokens in float64, from the layer's input and the stored weights on. */
function scoresOf(c: DsaConfig, x: Float32Array, weights: ReadonlyMap<string, Float32Array>): number[][] {
  const time = x.length / c.d;
  const at = (name: string): Float32Array => {
    const found = weights.get(`layer.0.index.${name}`);
    if (!found) throw new Error(`no ${name}`);
    return found;
  };
  const project = (w: Float32Array, out: number): Float64Array => {
    const y = new Float64Array(time * out);
    for (let t = 0; t < time; t++)
      for (let i = 0; i < c.d; i++) for (let o = 0; o < out; o++) y[t * out + o] += x[t * c.d + i] * w[i * out + o];
    return y;
  };
  const { indexHeads: heads, indexDim: dim } = c;
  const keys = project(at('k.w'), dim);
  for (let t = 0; t < time; t++) {
    const row = keys.subarray(t * dim, (t + 1) * dim);
    const mean = row.reduce((a, b) => a + b, 0) / dim;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / dim;
    row.forEach((v, i) => {
      row[i] = ((v - mean) / Math.sqrt(variance + 1e-6)) * at('k.g')[i] + at('k.b')[i];
    });
  }
  const table = ropeTable(time, c.dR);
  const turn = (v: Float64Array, n: number): Float64Array =>
    hadamardReference(rotateReference(v, table, { heads: n, dim, turned: c.dR, half: true }), dim);
  const [q, k] = [turn(project(at('q.w'), heads * dim), heads), turn(keys, 1)];
  const w = project(at('w.w'), heads).map((v) => v / Math.sqrt(heads * dim));
  const z = { heads, dim, per: time, length: time };
  return Array.from({ length: time }, (_, t) => Array.from({ length: t + 1 }, (_, s) => indexScore(q, w, k, t, s, z)));
}

test('the keys that are chosen are those of float64, but for scores within 1e-5 of the threshold', async () => {
  const { gpu } = await testGpu();
  const c = configure('nano', { time: '64', quant: 'f32', k: '8' });
  const store = dsaStore(gpu, c, 3);
  // Weights of a trained size: at their start all scores are near zero.
  for (const [name, values] of await store.read('value')) {
    if (name.includes('.index.') && name.endsWith('.w'))
      store.write(
        'value',
        name,
        values.map((v) => v * 20),
      );
  }
  const x = normals(8, 2, c.time * c.d);
  const bounds = Uint32Array.from({ length: 2 * c.time }, (_, i) => (i % 2 === 0 ? 0 : (i >> 1) + 1));
  const program = compile(gpu, (g) => {
    const scope = new Scope(g, store);
    const input = g.input('x', [c.time, c.d]);
    const v = indexVectors(scope, c, 'layer.0', input, input, rotations(g, c, g.input('positions', [c.time])));
    const seen = g.input('bounds', [c.time, 2]);
    const scores = indexScores(v.q, v.w, v.k, seen, { heads: c.indexHeads, dim: c.indexDim, sequences: 1 });
    g.output('scores', scores);
    g.output('chosen', topK(scores, seen, c.k));
  });
  program.run({ x, bounds, positions: Uint32Array.from({ length: c.time }, (_, i) => i) });
  const chosen = new Uint32Array(await program.readBytes('chosen'));
  const own = await program.read('scores');
  const wanted = scoresOf(c, x, await store.read('value'));
  const largest = Math.max(...wanted.flat().map(Math.abs));
  expect(largest).toBeGreaterThan(0.1);
  wanted.forEach((row, t) => {
    row.forEach((v, s) => {
      expect(Math.abs(own[t * c.time + s] - v)).toBeLessThan(1e-5 * Math.max(1, largest));
    });
    if (t < c.k) return;
    const threshold = [...row].sort((a, b) => b - a)[c.k - 1];
    const list = new Set(chosen.subarray(t * c.k, (t + 1) * c.k));
    row.forEach((v, s) => {
      if (Math.abs(v - threshold) > 1e-5) expect(list.has(s), `query ${t}, key ${s}`).toBe(v > threshold);
    });
  });
  program.dispose();
  store.dispose();
});
