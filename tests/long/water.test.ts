// The properties of tests/world with 300 cases of water among arbitrary walls instead of 60.
import { expect, it } from 'vitest';
import { runBundled } from '../world/bundled.ts';

it('water comes to rest and dries up in 300 cases', async () => {
  const met = await runBundled<{ water: number }>('./properties-run.ts', '300');
  expect(met.water).toBe(300);
}, 600_000);
