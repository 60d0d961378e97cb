// Weights with two columns in a word: what the upper number carries of the lower one, at the edges of the 16 bits as well.

import { expect, test } from 'vitest';
import { pairColumns, unpairColumns } from '../../src/tensor/ops/paired-product.ts';
import { random } from '../support/compute.ts';

const [K, N] = [8, 64];

/** The largest error of a column pair in steps, of which 32766 are its largest weight. */
function worst(weights: Float32Array): number {
  const read = unpairColumns(pairColumns(weights, K, N), K, N);
  let most = 0;
  for (let c = 0; c < N / 2; c++) {
    const pair = Array.from({ length: K }, (_, k) => [k * N + c, k * N + c + N / 2]).flat();
    const step = Math.max(...pair.map((i) => Math.abs(weights[i]))) / 32766;
    for (const i of pair) most = Math.max(most, Math.abs(read[i] - weights[i]) / (step || 1));
  }
  return most;
}

test('half a step of rounding at most', () => {
  const weights = random([K, N], 1).data;
  expect(worst(weights)).toBeLessThan(0.5001);
  expect(worst(weights)).toBeGreaterThan(0.4);
});

test('the largest numbers of either sign beside each other', () => {
  const signs = [1, -1, 0, 0.5, -0.5, 1 / 32766, -1 / 32766, 0.99999];
  for (const upper of signs) {
    const weights = new Float32Array(K * N);
    for (let c = 0; c < N / 2; c++) {
      for (let k = 0; k < K; k++) {
        weights[k * N + c] = 3 * signs[k];
        weights[k * N + c + N / 2] = 3 * upper;
      }
    }
    expect(worst(weights)).toBeLessThan(0.5001);
  }
});

test('zeros stay zeros, and columns keep their own scale', () => {
  const weights = new Float32Array(K * N);
  expect(unpairColumns(pairColumns(weights, K, N), K, N).every((x) => x === 0)).toBe(true);
  weights.fill(1e-6);
  weights[0] = 1e6;
  const read = unpairColumns(pairColumns(weights, K, N), K, N);
  expect(read[0]).toBeCloseTo(1e6, 0);
  expect(Math.abs(read[1] - 1e-6)).toBeLessThan(1e-10);
});
