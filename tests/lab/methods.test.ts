// The methods part of the lab: every method with code is in it, its names can be asked for, and the steps of the language
// methods run and give a cost.

import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SWEEPS } from '../../src/bench/growth.ts';
import { METHOD_BENCHES, measureMethod } from '../../src/bench/methods.ts';
import { chooseParts } from '../../src/cli/bench-choice.ts';
import { METHODS } from '../../src/methods/method-list.ts';
import { testGpu } from '../support/gpu.ts';

test('every method with code has an entry, and every entry a method with code', () => {
  const started = METHODS.filter((m) => m.started).map((m) => m.id);
  const folders = readdirSync('src/methods', { withFileTypes: true }).filter((f) => f.isDirectory());
  expect(folders.map((f) => f.name).sort()).toEqual([...started].sort());
  const benched = METHOD_BENCHES.flatMap((b) => b.method ?? []);
  expect([...new Set(benched)].sort()).toEqual([...started].sort());
});

test('names of methods and curves have no comma, since --only is a list of them', () => {
  const names = [...METHOD_BENCHES, ...SWEEPS].map((b) => b.name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => name.includes(','))).toEqual([]);
});

test('--only takes parts, kernels, curves and methods; a name narrows the parts that know it', () => {
  const known = { kernels: ['add', 'finalize filter'], growth: ['Square matmul'], methods: ['Learn2PD decoding'] };
  const choose = (...names: string[]) => chooseParts(names, known).map(({ part, only }) => [part, ...only].join(' '));
  expect(choose()).toEqual(['device', 'proof', 'tiles', 'roofline', 'versions', 'growth', 'methods']);
  expect(choose('add')).toEqual(['proof add', 'roofline add', 'versions add']);
  expect(choose('add', 'device', 'proof')).toEqual(['device', 'proof add']);
  expect(choose('Square matmul')).toEqual(['growth Square matmul']);
  expect(choose('methods', 'growth', 'Square matmul')).toEqual(['growth Square matmul', 'methods']);
  expect(choose('Learn2PD decoding', 'finalize filter')).toEqual([
    'proof finalize filter',
    'roofline finalize filter',
    'versions finalize filter',
    'methods Learn2PD decoding',
  ]);
  expect(() => choose('ad')).toThrow(/no part or kernel 'ad' .*growth: Square matmul; methods: Learn2PD decoding;/);
});

test.each([
  [
    'Sparse attention nano',
    [/dense training step/, /sparse training step/, /one token .* alone/, /one token .* 16 in/],
  ],
  ['Learn2PD nano', [/model training step/, /filter training step/]],
  ['SALT test', [/V-Pixel teacher step/, /SALT student step/, /V-JEPA baseline step/]],
])('%s: its steps are measured', async (name, steps) => {
  const { gpu } = await testGpu();
  const bench = METHOD_BENCHES.find((b) => b.name === name);
  if (!bench) throw new Error(`no bench called ${name}`);
  const roof = { peak: 1e9, peakBy: '', bandwidth: 1e9, dispatchMs: 0, submitMs: 0 };
  const costs = await measureMethod(gpu, bench, roof);
  expect(costs).toHaveLength(steps.length);
  costs.forEach((cost, i) => {
    expect(cost.method).toBe(name);
    expect(cost.step).toMatch(steps[i]);
    expect(cost.dispatches).toBeGreaterThan(0);
    expect(cost.timing.q1).toBeGreaterThan(0);
    expect(cost.timing.q3).toBeGreaterThanOrEqual(cost.timing.q1);
    expect(cost.fraction).toBeCloseTo(cost.flops / 1e9 / (cost.timing.median / 1000), 9);
  });
});
