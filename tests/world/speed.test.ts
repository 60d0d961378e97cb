/** Speed floors of methods/world.md 12 for one core; forks and columns may take three times as long, for cold caches on a busy machine. */
import { expect, it } from 'vitest';
import { runBundled } from './bundled.ts';

it('ticks, forks and columns are fast enough', async () => {
  const measured = await runBundled<{ ticksPerSecond: number; forkMicros: number; columnMs: number }>('./speed-run.ts');
  console.info(JSON.stringify(measured));
  expect(measured.ticksPerSecond).toBeGreaterThan(15000);
  expect(measured.forkMicros).toBeLessThan(180);
  expect(measured.columnMs).toBeLessThan(30);
}, 120000);
