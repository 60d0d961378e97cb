// A whole run at the smallest size that still learns: figures, table, and the same figures again.

import { expect, test } from 'vitest';
import { ConfigError } from '../../../src/methods/config-values.ts';
import { configure } from '../../../src/methods/learn2pd/config.ts';
import { runLearn2pd } from '../../../src/methods/learn2pd/run.ts';
import { testGpu } from '../../support/gpu.ts';

const TINY = { d: '32', level: '4', steps: '60', rows: '16', prompts: '8', filterSteps: '50', problems: '16' };

test('run: every policy is measured, and a seed gives the same figures again', async () => {
  const { gpu } = await testGpu();
  const config = configure('nano', TINY);
  const { metrics, table } = await runLearn2pd(gpu, config, 2, () => {});
  expect(table.rows.map(([name]) => name)).toEqual([
    'static',
    'threshold',
    'egp',
    'learn2pd',
    'learn2pdEotp',
    'learn2pdEotpDual',
  ]);
  expect(metrics['static.nfe']).toBe(config.canvas);
  // The oracle writes the static text itself.
  expect(metrics['egp.sameAnswer']).toBe(1);
  expect(metrics['egp.nfe']).toBeLessThanOrEqual(config.canvas);
  expect(metrics['learn2pdEotp.nfe']).toBeLessThanOrEqual(metrics['learn2pd.nfe']);
  expect((await runLearn2pd(gpu, config, 2, () => {})).metrics).toEqual(metrics);
}, 120_000);

test('a configuration that makes no sense is refused with its path', () => {
  expect(() => configure('huge', {})).toThrow(ConfigError);
  expect(() => configure('nano', { block: '128' })).toThrow('block');
  expect(() => configure('nano', { wings: '2' })).toThrow('no such value');
});
