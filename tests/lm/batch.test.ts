// Packing of documents into rows: nothing lost, nothing seen across documents, weights on answers only.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Generated } from '../../src/lm/decoder.ts';
import { type Example, NO_TOKEN, packDocuments, packExamples } from '../../src/lm/train/batch.ts';
import { groupAdvantages, packRollouts, type Rollout } from '../../src/lm/train/grpo.ts';

const PAD = 99;
const documents = fc.array(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 9 }), {
  maxLength: 12,
});

test('documents lie in their rows whole, each sees itself up to every token', () => {
  fc.assert(
    fc.property(documents, fc.integer({ min: 1, max: 4 }), (docs, rows) => {
      const time = 9;
      const { placed, batch } = packDocuments(docs, rows, time, PAD);
      const covered = new Set<number>();
      placed.forEach(({ first, length }, d) => {
        expect(length).toBe(docs[d].length);
        expect(Math.floor(first / time)).toBe(Math.floor((first + length - 1) / time));
        docs[d].forEach((id, i) => {
          const at = first + i;
          expect(covered.has(at)).toBe(false);
          covered.add(at);
          expect(batch.ids[at]).toBe(id);
          expect(batch.positions[at]).toBe(i);
          expect(batch.previous[at]).toBe(i > 0 ? docs[d][i - 1] : NO_TOKEN);
          expect(batch.targets[at]).toBe(docs[d][i + 1] ?? NO_TOKEN);
          const column = first % time;
          expect([...batch.bounds.subarray(2 * at, 2 * at + 2)]).toEqual([column, column + i + 1]);
        });
      });
      for (let at = 0; at < rows * time; at++) {
        if (covered.has(at)) continue;
        expect([batch.ids[at], batch.targets[at], batch.bounds[2 * at], batch.bounds[2 * at + 1]]).toEqual([
          PAD,
          NO_TOKEN,
          0,
          0,
        ]);
      }
      // Documents are left out from the end only, and only when the rows are full.
      if (placed.length < docs.length) expect(new Set(placed.map((p) => Math.floor(p.first / time))).size).toBe(rows);
    }),
  );
  expect(() => packDocuments([new Array(10).fill(1)], 1, 9, PAD)).toThrow('10 tokens does not fit rows of 9');
});

test('the loss falls on answers, every token of them alike', () => {
  const examples: Example[] = [
    { prompt: [1, 2, 3], answer: [4, 5] },
    { prompt: [6], answer: [7] },
  ];
  const batch = packExamples(examples, 1, 8, PAD);
  expect([...batch.ids]).toEqual([1, 2, 3, 4, 5, 6, 7, PAD]);
  const third = Math.fround(1 / 3);
  expect([...batch.weights]).toEqual([0, 0, third, third, 0, third, 0, 0]);
  for (const [i, w] of batch.weights.entries()) if (w > 0) expect([4, 5, 7]).toContain(batch.targets[i]);
});

test('advantages: mean zero, spread one, nothing from equal rewards', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 2, maxLength: 16 }), (rewards) => {
      const a = groupAdvantages(rewards, true);
      const plain = groupAdvantages(rewards, false);
      expect(a.reduce((s, v) => s + v, 0)).toBeCloseTo(0, 9);
      if (new Set(rewards).size === 1) expect(a).toEqual(rewards.map(() => 0));
      else {
        expect(a.reduce((s, v) => s + v * v, 0) / a.length).toBeCloseTo(1, 9);
        const mean = rewards.reduce((s, v) => s + v, 0) / rewards.length;
        rewards.forEach((r, i) => {
          expect(plain[i]).toBeCloseTo(r - mean, 9);
        });
      }
    }),
  );
});

test('rewards that are equal and no binary fractions teach nothing', () => {
  for (const reward of [0.05, 0.1, 1.1, -0.1, 1 / 3])
    for (let n = 2; n <= 16; n++)
      expect(groupAdvantages(new Array(n).fill(reward), true)).toEqual(new Array(n).fill(0));
});

const generated = (tokens: number[], logProbs: number[]): Generated => ({
  tokens: Uint32Array.from(tokens),
  logProbs: Float32Array.from(logProbs),
  end: 'stop',
});

test('rollouts: old log-probabilities and advantages lie where the token is predicted; masked tokens count nothing', () => {
  const rollouts: Rollout[] = [
    { prompt: [1, 2], answer: generated([3, 4], [-1, -2]), advantage: 0.5 },
    { prompt: [5], answer: generated([6, 7, 8], [-3, -4, -5]), advantage: -2, mask: [1, 0, 1] },
  ];
  const rows = { batch: 1, time: 9, pad: PAD };
  const byAnswer = packRollouts(rollouts, rows, 'answer');
  expect(byAnswer.taken).toBe(2);
  expect([...byAnswer.batch.weights]).toEqual([0, 0.25, 0.25, 0, 0.25, 0, 0.25, 0, 0]);
  expect([...byAnswer.old]).toEqual([0, -1, -2, 0, -3, 0, -5, 0, 0]);
  expect([...byAnswer.advantages]).toEqual([0, 0.5, 0.5, 0, -2, 0, -2, 0, 0]);
  const [long] = [packRollouts([rollouts[0], { ...rollouts[1], mask: undefined }], rows, 'token').batch.weights];
  expect([...long].filter((w) => w > 0).map((w) => w.toFixed(3))).toEqual(new Array(5).fill('0.200'));
  expect(packRollouts(rollouts, { ...rows, time: 5 }, 'token').taken).toBe(1);
});
