// The sampler: frequencies on the GPU against the float64 distribution, and the rules of top-k and top-p at their edges.

import { expect, test } from 'vitest';
import { mix32 } from '../../src/gpu/rng.ts';
import { STATE_WORDS, sampleTokens } from '../../src/lm/decode-ops.ts';
import {
  GREEDY,
  gumbel,
  keptTokens,
  orderKey,
  packSampling,
  type Sampling,
  SETTINGS_WORDS,
  sampleToken,
} from '../../src/lm/sampler.ts';
import { normals } from '../../src/nn/params.ts';
import { compile } from '../../src/tensor/program.ts';
import { testGpu } from '../support/gpu.ts';

const VOCAB = 24;
const LOGITS = normals(3, 1, VOCAB).map((v) => Math.fround(v * 1.5));

/** Probabilities of the rule, in float64. */
function distribution(s: Sampling): number[] {
  const kept = keptTokens(LOGITS, s);
  const w = Array.from(LOGITS, (v, i) => (kept.includes(i) ? Math.exp(v / s.temperature) : 0));
  const sum = w.reduce((a, b) => a + b, 0);
  return w.map((v) => v / sum);
}

test.each<Sampling>([
  { temperature: 1, topK: 0, topP: 1 },
  { temperature: 0.6, topK: 0, topP: 1 },
  { temperature: 1.4, topK: 5, topP: 1 },
  { temperature: 1, topK: 0, topP: 0.7 },
  { temperature: 1.2, topK: 9, topP: 0.8 },
])('frequencies at %j pass a chi-square test, and every draw is the reference’s', async (sampling) => {
  const { gpu } = await testGpu();
  // Every sequence draws once, from the same logits with a seed of its own.
  const n = 8000;
  const buffer = (words: number): GPUBuffer =>
    gpu.device.createBuffer({
      size: words * 4,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
  const [tokens, logProbs, state] = [buffer(n * 2), buffer(n * 2), buffer(n * STATE_WORDS)];
  const program = compile(gpu, (graph) => {
    const parts = {
      tokens: graph.external('tokens', [n, 2], () => tokens),
      logProbs: graph.external('logProbs', [n, 2], () => logProbs),
      state: graph.external('state', [n, STATE_WORDS], () => state),
    };
    sampleTokens(graph.input('logits', [n, VOCAB]), graph.input('settings', [SETTINGS_WORDS]), parts);
    graph.output('tokens', parts.tokens);
    graph.output('logProbs', parts.logProbs);
  });
  const words = new Uint32Array(n * STATE_WORDS);
  const seeds = Array.from({ length: n }, (_, i) => mix32(5, i, 0, 0));
  seeds.forEach((seed, i) => {
    words.set([0, 2, 0, seed, 0], i * STATE_WORDS);
  });
  gpu.device.queue.writeBuffer(state, 0, words);
  const all = new Float32Array(n * VOCAB);
  for (let i = 0; i < n; i++) all.set(LOGITS, i * VOCAB);
  program.run({ logits: all, settings: packSampling(sampling, []) });
  const drawn = new Uint32Array(await program.readBytes('tokens')).filter((_, i) => i % 2 === 1);
  const counts = new Array<number>(VOCAB).fill(0);
  for (const id of drawn) counts[id] += 1;
  let chi = 0;
  let bins = 0;
  distribution(sampling).forEach((p, id) => {
    if (p === 0) {
      expect(counts[id]).toBe(0);
      return;
    }
    chi += (counts[id] - n * p) ** 2 / (n * p);
    bins += 1;
  });
  // Mean bins - 1, standard deviation sqrt(2 (bins - 1)): four of them.
  expect(chi).toBeLessThan(bins - 1 + 4 * Math.sqrt(2 * (bins - 1)));
  const same = seeds.filter((seed, i) => sampleToken(LOGITS, sampling, seed, 1).id === drawn[i]).length;
  // f32 noise may decide a draw the other way where two scores agree to six digits.
  expect(same).toBeGreaterThanOrEqual(n - 2);
  program.dispose();
  for (const b of [tokens, logProbs, state]) b.destroy();
});

test('the noise is a Gumbel variable', () => {
  const n = 20000;
  const draws = Array.from({ length: n }, (_, i) => gumbel(mix32(1, i, 2, 3)));
  const mean = draws.reduce((a, b) => a + b, 0) / n;
  const variance = draws.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
  // Euler's constant and pi^2 / 6; the bounds are four standard errors.
  expect(Math.abs(mean - 0.5772)).toBeLessThan(4 * Math.sqrt(1.645 / n));
  expect(Math.abs(variance - Math.PI ** 2 / 6)).toBeLessThan(0.1);
  expect(gumbel(0)).toBeGreaterThan(16);
  expect(gumbel(0xffffffff)).toBeLessThan(-2.7);
});

test('top-k and top-p keep ties, and always something', () => {
  const s = (topK: number, topP: number): Sampling => ({ temperature: 1, topK, topP });
  expect(keptTokens([1, 3, 2, 3], s(1, 1))).toEqual([1, 3]);
  expect(keptTokens([1, 3, 2, 3], s(3, 1))).toEqual([1, 2, 3]);
  expect(keptTokens([1, 3, 2, 3], s(9, 1))).toEqual([0, 1, 2, 3]);
  expect(keptTokens([0, 10, 0], s(0, 0.5))).toEqual([1]);
  expect(keptTokens([0, 0, 0, 0], s(0, 0.1))).toEqual([0, 1, 2, 3]);
  expect(keptTokens([0, Math.log(2), Math.log(5)], s(0, 0.7))).toEqual([1, 2]);
  // Top-p looks at the share of what top-k left.
  expect(keptTokens([0, Math.log(2), Math.log(5)], s(2, 0.7))).toEqual([2]);
});

test('order keys sort as numbers do', () => {
  const values = [-Infinity, -3.5, -1e-40, 0, 1e-40, 2, 1e30, Infinity];
  const keys = values.map(orderKey);
  expect([...keys].sort((a, b) => a - b)).toEqual(keys);
  expect(new Set(keys).size).toBe(values.length);
  expect(orderKey(-0)).toBe(orderKey(0));
});

test('greedy takes the lowest of equal ids and reports the log-probability at temperature 1', () => {
  const { id, logProb } = sampleToken([0, 2, 2, 1], GREEDY, 1, 1);
  expect(id).toBe(1);
  expect(logProb).toBeCloseTo(2 - Math.log(1 + 2 * Math.exp(2) + Math.exp(1)), 12);
});

test.each<[Sampling, number[], string]>([
  [{ ...GREEDY, temperature: -1 }, [], 'temperature -1'],
  [{ ...GREEDY, temperature: Number.NaN }, [], 'temperature NaN'],
  [{ ...GREEDY, topP: 0 }, [], 'top-p 0'],
  [{ ...GREEDY, topK: 1.5 }, [], 'top-k 1.5'],
  [GREEDY, new Array(9).fill(1), '9 stop tokens'],
])('%j is refused', (sampling, stops, message) => {
  expect(() => packSampling(sampling, stops)).toThrow(message);
});
