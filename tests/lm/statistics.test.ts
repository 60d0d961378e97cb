// Intervals: known values, coverage measured by simulation, and what pairing is for.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mix32, uniform01 } from '../../src/gpu/rng.ts';
import { pairedBootstrap, wilson } from '../../src/lm/statistics.ts';

test('Wilson: published values, and sense at the edges', () => {
  // Newcombe 1998, table I: 81 of 263 and 0 of 20.
  const some = wilson(81, 263);
  expect(some.lower).toBeCloseTo(0.2553, 4);
  expect(some.upper).toBeCloseTo(0.3662, 4);
  const none = wilson(0, 20);
  expect(none.lower).toBe(0);
  expect(none.upper).toBeCloseTo(0.1611, 4);
  expect(wilson(0, 0)).toMatchObject({ lower: 0, upper: 1 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(500), (n, k) => {
      const { value, lower, upper } = wilson(Math.min(k, n), n);
      expect(lower).toBeLessThanOrEqual(value);
      expect(upper).toBeGreaterThanOrEqual(value);
    }),
  );
});

/** Scores of two policies on problems of very different difficulty; the second is better by `gain` on each. */
function scores(seed: number, n: number, gain: number): [number[], number[]] {
  const draw = (i: number, stream: number): number => uniform01(mix32(seed, i, stream, 1));
  const ease = Array.from({ length: n }, (_, i) => draw(i, 0) * (1 - gain));
  // One draw for both: a problem that one policy solves by luck, the other often does too.
  const luck = ease.map((_, i) => draw(i, 1));
  return [ease.map((e, i) => Number(luck[i] < e + gain)), ease.map((e, i) => Number(luck[i] < e))];
}

test('the paired interval covers the true difference about 95 times in 100', () => {
  let covered = 0;
  let width = 0;
  const [runs, n, gain] = [200, 300, 0.1];
  for (let run = 0; run < runs; run++) {
    const [a, b] = scores(run, n, gain);
    const { lower, upper } = pairedBootstrap(a, b, run, 400);
    if (lower <= gain && gain <= upper) covered += 1;
    width += (upper - lower) / runs;
  }
  // Three standard deviations of a binomial share around 0.95, and a little for the percentile method at this size.
  expect(covered / runs).toBeGreaterThan(0.88);
  // Unpaired, two shares near one half give 4 * sqrt(0.5 / n) = 0.16.
  expect(width).toBeLessThan(0.1);
});

test('the same seed gives the same interval; equal policies have none', () => {
  const [a, b] = scores(1, 50, 0.2);
  expect(pairedBootstrap(a, b, 3)).toEqual(pairedBootstrap(a, b, 3));
  expect(pairedBootstrap(a, a, 3)).toEqual({ value: 0, lower: 0, upper: 0 });
  const { value, lower, upper } = pairedBootstrap(a, b, 3);
  expect(pairedBootstrap(b, a, 3).value).toBeCloseTo(-value, 12);
  expect(lower).toBeLessThanOrEqual(value);
  expect(upper).toBeGreaterThanOrEqual(value);
  expect(() => pairedBootstrap([1], [], 1)).toThrow('1 and 0 scores are not pairs');
});
