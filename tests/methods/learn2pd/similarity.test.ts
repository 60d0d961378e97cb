// Similarity of keys and values between passes, where it is known: the first layer sees tokens alone, the second their surroundings.

import { expect, test } from 'vitest';
import type { Gpu } from '../../../src/gpu/device.ts';
import { DiffusionDecoder } from '../../../src/methods/learn2pd/decoder.ts';
import { DECODE_DEFAULTS } from '../../../src/methods/learn2pd/policy.ts';
import { AGAINST, cacheSimilarity, KINDS, keptOf, offsetOf } from '../../../src/methods/learn2pd/similarity.ts';
import { testGpu } from '../../support/gpu.ts';
import { BLOCK, CANVAS, modelOf, PROMPT, sharpStore } from './support.ts';

test('the first layer changes where tokens became final and nowhere else, the second around them', async () => {
  const { gpu } = await testGpu();
  const store = await sharpStore(gpu, 16);
  const shape = { prompt: PROMPT, block: BLOCK, canvas: CANVAS, depth: 2 };
  const prompt = [3, 5, 7];
  const spec = { ...DECODE_DEFAULTS, policy: { kind: 'static', perStep: 2 } as const };
  const s = await cacheSimilarity(gpu, modelOf(gpu, store, 1), shape, prompt, spec, { canvas: CANVAS });
  const plain = new DiffusionDecoder(gpu, modelOf(gpu, store, 1), { ...shape, perSubmission: 8 });
  const [{ trace = [], nfe }] = (await plain.decode([prompt], spec, { trace: true })).results;
  expect(s).toMatchObject({ passes: nfe, prompt: 3, positions: 3 + CANVAS, layers: 2 });
  /** Positions that pass `pass` finalised. */
  const final = (pass: number): number[] =>
    [...trace[pass].decided].flatMap((mark, i) => ((mark & 3) === 0 ? [] : [trace[pass].block - PROMPT + 3 + i]));
  const at = (against: 0 | 1, kind: number, layer: number, pass: number): number[] => {
    const from = offsetOf(s, against, kind, layer) + pass * s.positions;
    return [...s.values.subarray(from, from + s.positions)];
  };
  for (let pass = 0; pass < s.passes; pass++) {
    const opens = pass === 0 || trace[pass].block !== trace[pass - 1].block;
    for (const kind of KINDS.keys()) {
      if (pass === 0) expect(at(0, kind, 0, pass).every(Number.isNaN)).toBe(true);
      else {
        // A pass sees what the one before it wrote.
        const changed = at(0, kind, 0, pass).flatMap((v, i) => (v < 0.9999 ? [i] : []));
        expect(changed).toEqual(final(pass - 1));
        const around = at(0, kind, 1, pass).filter((v, i) => v < 0.9999999 && !changed.includes(i));
        expect(around.length).toBeGreaterThan(0);
      }
      // In a block's first pass a cache is filled: there is nothing to compare with.
      expect(at(1, kind, 0, pass).every(Number.isNaN)).toBe(opens);
      // Two passes a block: its first is the one before.
      if (!opens) expect(at(1, kind, 1, pass)).toEqual(at(0, kind, 1, pass));
    }
  }
  const [before, block, behind] = keptOf(s);
  expect(AGAINST).toEqual(['before', 'first']);
  for (const kind of KINDS.keys()) {
    expect(block.mean[kind]).toBeLessThan(Math.min(before.mean[kind], behind.mean[kind]));
    expect(behind.least[kind]).toBeLessThanOrEqual(behind.mean[kind]);
  }
  plain.dispose();
  store.dispose();
});

test('caches of half precision are read as what they hold', async () => {
  const { gpu } = await testGpu();
  const half = { ...gpu, conditions: { ...gpu.conditions, precision: 'f16' } } as Gpu;
  const store = await sharpStore(gpu, 16);
  const shape = { prompt: PROMPT, block: BLOCK, canvas: CANVAS, depth: 2 };
  const spec = { ...DECODE_DEFAULTS, policy: { kind: 'static', perStep: 2 } as const };
  const s = await cacheSimilarity(half, modelOf(half, store, 1), shape, [3, 5, 7], spec, { canvas: CANVAS });
  const from = offsetOf(s, 0, 0, 0) + s.positions;
  const second = [...s.values.subarray(from, from + s.positions)];
  // Two tokens of the first block became final, and the first layer sees nothing else.
  expect(second.filter((v) => v < 0.999)).toHaveLength(2);
  for (const v of [...second.slice(0, 3), ...second.slice(3 + BLOCK)]) expect(v).toBeCloseTo(1, 6);
  store.dispose();
});
