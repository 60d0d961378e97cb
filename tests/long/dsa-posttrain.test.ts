// Post-training from base to the mixed stage on both models, every stage at toy length.

import { expect, test } from 'vitest';
import { memoryStorage } from '../../src/data/storage.ts';
import { configurePost } from '../../src/methods/dsa/posttrain/config.ts';
import { Journal } from '../../src/methods/dsa/posttrain/journal.ts';
import { postTrain } from '../../src/methods/dsa/posttrain/pipeline.ts';
import type { PostEvent } from '../../src/methods/dsa/posttrain/reinforce.ts';
import { postReport } from '../../src/methods/dsa/posttrain/report.ts';
import { testGpu } from '../support/gpu.ts';

test('both models go through every stage, and training recognises what was rolled out', async () => {
  const { gpu } = await testGpu();
  const config = configurePost('post-nano', { 'rl.mixed': '5', every: '5', sequential: 'true' });
  const events: PostEvent[] = [];
  const result = await postTrain(gpu, await Journal.begin(memoryStorage(), config, 2), (event) => events.push(event));
  const steps = events.filter((e) => e.kind === 'step');
  for (const arm of ['dense', 'sparse'] as const) {
    const own = steps.filter((e) => e.arm === arm);
    expect(own.map((e) => e.stage)).toEqual([
      ...['specialist math', 'specialist search-agent'],
      ...['mixed', 'mixed', 'mixed', 'mixed', 'mixed'],
      ...['sequential math', 'sequential math', 'sequential math'],
      ...['sequential search-agent', 'sequential search-agent', 'sequential search-agent'],
    ]);
    expect(result.arms[arm].mismatch).toBeLessThan(1e-3);
    expect(result.arms[arm].mismatch).toBeGreaterThan(0);
  }
  // Only the sparse model has an indexer that learns, in reinforcement learning too.
  expect(steps.every((e) => (e.result.further !== undefined) === (e.arm === 'sparse'))).toBe(true);
  expect(steps.filter((e) => e.arm === 'sparse').every((e) => (e.result.further ?? 0) > 0)).toBe(true);
  const { metrics, tables } = postReport(config, result, 1);
  expect(Object.values(metrics).every(Number.isFinite)).toBe(true);
  expect(tables.map((t) => [t.name, t.rows.length])).toEqual([
    ['postDomains', 2],
    ['postStages', 4],
    ['postCurves', 8],
    ['postForgetting', 4],
  ]);
}, 240_000);
