// Masks against their specification: block sizes, masked areas of the table of salt.md section 3, disjoint sides, the redraw cap, and
// a truncation that keeps every token equally often.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  blockSize,
  drawBatch,
  drawMask,
  fixedSizes,
  type Grid,
  MASKS,
  type MaskName,
  smallest,
  truncate,
} from '../../../src/methods/salt/masks.ts';

const grid = (side: number, time = 4): Grid => ({ time, height: side, width: side });
const names = Object.keys(MASKS) as MaskName[];

test('blocks of a 14 x 14 grid have the sizes of the formula', () => {
  // Short: floor(196 * 0.15) = 29 places; long: floor(196 * 0.7) = 137.
  expect(blockSize(grid(14), 0.15, 0.75)).toEqual([5, 6]);
  expect(blockSize(grid(14), 0.15, 1)).toEqual([5, 5]);
  expect(blockSize(grid(14), 0.15, 1.5)).toEqual([7, 4]);
  expect(blockSize(grid(14), 0.7, 0.75)).toEqual([10, 14]);
  expect(blockSize(grid(14), 0.7, 1.5)).toEqual([14, 10]);
  expect(blockSize(grid(4), 0.7, 0.75)).toEqual([3, 4]);
});

test('both sides together are the clip, in ascending order, and depend on their arguments only', () => {
  const args = fc.record({
    side: fc.integer({ min: 4, max: 14 }),
    time: fc.integer({ min: 2, max: 8 }),
    name: fc.constantFrom(...names),
    seed: fc.integer({ min: 0, max: 1000 }),
    step: fc.integer({ min: 1, max: 1000 }),
    clip: fc.integer({ min: 0, max: 63 }),
  });
  fc.assert(
    fc.property(args, ({ side, time, name, ...at }) => {
      const mask = drawMask(grid(side, time), name, at);
      expect(drawMask(grid(side, time), name, at)).toEqual(mask);
      const all = [...mask.context, ...mask.target].sort((a, b) => a - b);
      expect(all).toEqual(Array.from({ length: side * side * time }, (_, i) => i));
      for (const tokens of [mask.context, mask.target]) {
        expect(tokens.length).toBeGreaterThan(0);
        expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
      }
      // All but the causal mask hide a place through all of time.
      if (name !== 'causal') {
        const places = new Set(mask.target.map((token) => token % (side * side)));
        expect(places.size * time).toBe(mask.target.length);
      }
    }),
    { numRuns: 150 },
  );
});

/** In percent: masked area and draws that mask everything, before any is drawn again; context after 24 clips are cut to the smallest. */
function statistics(side: number, name: MaskName): { masked: number; all: number; left: number } {
  const g = grid(side, 1);
  const batches = 250;
  let [masked, all, left] = [0, 0, 0];
  for (let step = 0; step < batches; step++) {
    const at = (clip: number) => ({ seed: 3, step, clip });
    const clips = Array.from({ length: 24 }, (_, clip) => clip);
    const raw = clips.map((clip) => drawMask(g, name, at(clip), { context: 0, target: 1 }));
    masked += raw.reduce((sum, m) => sum + m.target.length, 0) / 24 / side ** 2;
    all += raw.filter((m) => m.context.length === 0).length / 24;
    left += smallest(clips.map((clip) => drawMask(g, name, at(clip)))).context / side ** 2;
  }
  return { masked: (100 * masked) / batches, all: (100 * all) / batches, left: (100 * left) / batches };
}

// salt.md section 3, measured there on the public algorithm.
test.each([
  [14, 'short', [63, 0, 23]],
  [14, 'long', [82, 2, 6]],
  [8, 'short', [65, 0, 21]],
  [8, 'long', [82, 7, 8]],
  [6, 'short', [63, 0, 23]],
  [6, 'long', [83, 13, 11]],
  [4, 'short', [56, 0, 29]],
  [4, 'long', [83, 35, 21]],
] as const)('grid of side %i, %s: areas as in the table', (side, name, wanted) => {
  const { masked, all, left } = statistics(side, name);
  for (const [i, got] of [masked, all, left].entries()) {
    expect(Math.abs(got - wanted[i]), `${got} instead of ${wanted[i]}`).toBeLessThan(2);
  }
});

test('tubes keep a tenth of the places, causal the first half of the clip', () => {
  const tube = drawMask(grid(14), 'tube', { seed: 1, step: 1, clip: 0 });
  expect(tube.context.length).toBe(20 * 4);
  const other = drawMask(grid(14), 'tube', { seed: 1, step: 1, clip: 0, variant: 1 });
  expect(other.context).not.toEqual(tube.context);
  const causal = drawMask(grid(4), 'causal', { seed: 1, step: 1, clip: 0 });
  expect([causal.context.length, causal.context.at(-1), causal.target[0]]).toEqual([32, 31, 32]);
});

test('a block that hides everything loses rows until context is left', () => {
  // A long block of aspect 1.5 is as high as a grid of 2 x 2 and covers it.
  for (let step = 0; step < 50; step++) {
    const { context, target } = drawMask(grid(2), 'long', { seed: 9, step, clip: 0 });
    expect(context.length * target.length).toBeGreaterThan(0);
  }
  const least = { context: 3 * 4, target: 4 };
  const mask = drawMask(grid(2), 'long', { seed: 9, step: 1, clip: 0 }, least);
  expect(mask.context.length).toBeGreaterThanOrEqual(least.context);
  expect(() => drawMask(grid(2), 'long', { seed: 9, step: 1, clip: 0 }, { context: 16, target: 4 })).toThrow(
    'more than',
  );
});

test('reference truncation keeps the first tokens, random truncation keeps each as often', () => {
  const all = Array.from({ length: 20 }, (_, i) => i);
  const masks = [{ context: all, target: all }];
  const sizes = { context: 5, target: 10 };
  expect(truncate(masks, sizes, 'reference', 1)[0].context).toEqual([0, 1, 2, 3, 4]);
  const counts = new Array<number>(20).fill(0);
  const draws = 4000;
  for (let seed = 0; seed < draws; seed++) {
    const [{ context, target }] = truncate(masks, sizes, 'random', seed);
    expect(context.length).toBe(5);
    expect(target).toEqual([...target].sort((a, b) => a - b));
    for (const i of context) counts[i] += 1;
  }
  const expected = draws / 4;
  // A draw without replacement spreads less than a multinomial: its statistic times 19/15 is chi-squared with 19 degrees.
  const chi = counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0) * (19 / 15);
  expect(chi).toBeLessThan(43.8); // 0.1 %
});

test('every clip of every batch of a run has the same sizes', () => {
  const g = grid(6);
  for (const name of names) {
    const sizes = fixedSizes(g, name, 8);
    for (let step = 1; step <= 20; step++) {
      for (const m of drawBatch(g, name, sizes, { seed: 2, step, batch: 8, variant: 0 })) {
        expect([m.context.length, m.target.length]).toEqual([sizes.context, sizes.target]);
        expect(m.context.filter((token) => m.target.includes(token))).toEqual([]);
      }
    }
  }
});
