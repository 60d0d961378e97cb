// The nano preset from end to end, with the bars of dsa.md section 9: a minute on two idle cores.

import { expect, test } from 'vitest';
import { configure } from '../../src/methods/dsa/config.ts';
import { evaluate } from '../../src/methods/dsa/eval.ts';
import { DsaSession } from '../../src/methods/dsa/session.ts';
import { testGpu } from '../support/gpu.ts';

test('nano: sparse attention keeps what dense attention learned, last-k and random-k do not', async () => {
  const { gpu } = await testGpu();
  const config = configure('nano');
  const kl: number[] = [];
  const session = new DsaSession(
    {
      gpu,
      seed: 1,
      signal: new AbortController().signal,
      emit: (event) => {
        if (event.kind === 'metrics' && event.phase === 'warmup') kl.push(event.values.kl);
      },
    },
    config,
  );
  while (session.state().phase === 'base') await session.advance({ steps: 1 });
  const untrained = await evaluate(gpu, config, session.stores, { seed: 11, rows: 64 });
  expect(untrained.metrics.accuracyDense).toBeGreaterThanOrEqual(0.95);
  expect(untrained.metrics.accuracySparse).toBeLessThanOrEqual(0.6);
  expect(await session.advance({})).toBe('done');
  const { metrics } = await evaluate(gpu, config, session.stores, { seed: 12, rows: 128 });
  expect(kl[kl.length - 1]).toBeLessThan(kl[0] / 2);
  expect(metrics.massRecall).toBeGreaterThan(1.5 * untrained.metrics.massRecall);
  expect(Math.abs(metrics.accuracySparse - metrics.accuracyDense)).toBeLessThanOrEqual(0.03);
  expect(metrics.accuracyLastK).toBeLessThan(0.5);
  expect(metrics.accuracyRandomK).toBeLessThan(0.5);
  expect(metrics.controlSparse).toBeLessThan(metrics.controlDense - 0.05);
  session.dispose();
}, 600_000);
