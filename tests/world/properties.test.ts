/** The properties of properties.ts, 300 cases each; a counterexample is in the message of the process that found it. */
import { expect, it } from 'vitest';
import { runBundled } from './bundled.ts';

it('any actions keep the invariants, the balance of items and the agreement of forks; screens lose nothing, water rests', async () => {
  const met = await runBundled<{
    invariants: { ticks: number; deaths: number };
    items: { ticks: number };
    water: number;
  }>(
    './properties-run.ts',
    // Each fills the light of the world anew.
    '60',
  );
  expect(met.invariants.ticks).toBe(300 * 400);
  // Not only where nothing happens: some died and played on.
  expect(met.invariants.deaths).toBeGreaterThan(30);
  expect(met.water).toBe(60);
  expect(met.items.ticks).toBeGreaterThan(100_000);
}, 120000);
