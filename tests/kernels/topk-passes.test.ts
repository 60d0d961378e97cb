// The pass-by-pass account of radix selection that the theatre shows: it must end where sorting ends, with the digits of both kernels.

import { expect, test } from 'vitest';
import { normals } from '../../src/nn/params.ts';
import { topKReference } from '../../src/tensor/reference/topk.ts';
import { DIGITS, numberOf, orderOf, radixTrace } from '../../src/tensor/reference/topk-passes.ts';

const noise = normals(5, 2, 300);
const CONTENTS: Record<string, Float32Array> = {
  random: noise,
  'nine tenths zero': noise.map((v) => Math.max(0, v - 1.28)),
  constant: noise.map(() => -2.5),
  // Index scores hold no negative zero; the order of bits would tell it from zero.
  'few values': noise.map((v) => Math.round(v) + 0),
};

test('order keeps the order of floats of both signs and can be undone', () => {
  const sorted = [Number.NEGATIVE_INFINITY, -3.5, -1e-40, 0, 1e-40, 2 ** -9, 1, 448, Number.POSITIVE_INFINITY];
  const keys = sorted.map(orderOf);
  expect([...keys].sort((a, b) => a - b)).toEqual(keys);
  expect(keys.map(numberOf)).toEqual(sorted.map(Math.fround));
});

test.each(Object.keys(DIGITS) as (keyof typeof DIGITS)[])('%s digits end at the k-th largest value', (name) => {
  for (const [what, scores] of Object.entries(CONTENTS)) {
    for (const k of [1, 7, 150, 290, 400]) {
      const [lo, hi] = [3, 295];
      const trace = radixTrace(scores, lo, hi, k, DIGITS[name]);
      const chosen = topKReference(scores, lo, hi, k).map((s) => scores[s]);
      const least = Math.min(...chosen);
      const seen = [...scores.subarray(lo, hi)];
      expect(trace.threshold, `${what}, k = ${k}`).toBe(least);
      expect(trace.above).toBe(seen.filter((v) => v > least).length);
      expect(trace.equal).toBe(seen.filter((v) => v === least).length);
      expect(trace.above + trace.taken).toBe(Math.min(k, hi - lo));
      trace.passes.forEach((pass, i) => {
        const counted = pass.bins.reduce((sum, b) => sum + b.count, 0);
        expect(counted).toBe(pass.candidates);
        expect(pass.before).toBe(i === 0 ? Math.min(k, hi - lo) : trace.passes[i - 1].left);
        // What is left has to fit into the bin of the threshold, and what lies above it is taken.
        const higher = pass.bins.filter((b) => b.digit > pass.digit).reduce((sum, b) => sum + b.count, 0);
        expect(pass.before - pass.left).toBe(higher);
      });
    }
  }
});
