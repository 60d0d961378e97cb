// The card of a shipped model: its world and data follow from its configuration, its bars from its metrics.

import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { bars, missed, trainingData, worldFacts } from '../../../src/methods/dreamer4/card.ts';
import { presets } from '../../../src/methods/dreamer4/config.ts';
import { checkConfig } from '../../../src/methods/dreamer4/config-file.ts';

const FOLDER = resolve(import.meta.dirname, '../../../public/models/dreamer4');

test('data: every episode of the configuration, with the frame before its first step', () => {
  const config = { ...presets.micro, data: { episodes: 18, steps: 50, walks: 2 } };
  const { players, frames, hours } = trainingData(config, 3);
  const { walker, ...others } = players;
  expect(walker).toBe(2);
  expect(Object.keys(others).sort()).toEqual(['builder', 'miner', 'noise', 'rambler']);
  expect(Object.values(others).reduce((a, b) => a + b)).toBe(18);
  expect(frames).toBe(20 * 51);
  expect(hours).toBe(0.03);
});

const GOOD = {
  tokenizerPsnr: 26,
  gain1: 1.5,
  gain4: 1.5,
  gain16: 1,
  gain1Low: 0.01,
  gain4Low: 0.01,
  gain16Low: 0.01,
  shuffleRatio16: 1.3,
  motionRatio: 1.3,
  driftMean200: 0.099,
  driftStd200: 0.099,
  msGrowth: 1.1,
  framesPerSecond: 10,
};

test('bars hold at their limits', () => {
  const all = bars(GOOD, 10);
  expect(missed(all)).toEqual([]);
  expect(Object.keys(all)).toEqual(Object.keys(GOOD));
  for (const [metric, { value, holds }] of Object.entries(all))
    expect([metric, holds, value !== null]).toEqual([metric, true, true]);
  expect(all.motionRatio).toEqual({ value: 1.3, bar: '>= 0.7, <= 1.3', holds: true });
});

test.each([
  ['tokenizerPsnr', 25.99],
  ['gain1', 1.49],
  ['gain4', 1.49],
  ['gain16', 0.99],
  ['gain1Low', 0],
  ['gain4Low', 0],
  ['gain16Low', -0.1],
  ['shuffleRatio16', 1.29],
  ['motionRatio', 0.69],
  ['motionRatio', 1.31],
  ['driftMean200', 0.1],
  ['driftStd200', 0.1],
  ['driftStd200', Number.NaN],
  ['msGrowth', 1.11],
  ['framesPerSecond', 9.9],
])('%s of %s is below its bar, and no other is', (metric, value) => {
  expect(missed(bars({ ...GOOD, [metric]: value }, 10))).toEqual([metric]);
});

test('a model plays at its own rate', () => {
  expect(missed(bars(GOOD, 20))).toEqual(['framesPerSecond']);
  expect(missed(bars({ ...GOOD, framesPerSecond: 20 }, 20))).toEqual([]);
});

test('what was not measured holds no bar', () => {
  expect(bars({}, 10).driftStd200).toEqual({ value: null, bar: '< 0.1', holds: false });
});

test.each(readdirSync(FOLDER).filter((name) => name.endsWith('.card.json')))(
  '%s says what its own figures say',
  (name) => {
    const card = JSON.parse(readFileSync(resolve(FOLDER, name), 'utf8'));
    const config = checkConfig(card.config);
    expect(card.world).toEqual(worldFacts(config));
    expect(card.training.data).toEqual(trainingData(config, card.training.dataSeed));
    expect(card.bars).toEqual(bars(card.evaluation.metrics, config.hz));
    expect(card.holds).toBe(missed(card.bars).length === 0);
  },
);
