/** Speed floors of methods/world.md 12 for one core; forks and columns may take three times as long, for cold caches on a busy machine. */
import { expect, it } from 'vitest';
import { runBundled } from './bundled.ts';

interface Measured {
  ticksPerSecond: number;
  botTicksPerSecond: number;
  forkMicros: number;
  columnMs: number;
  framesPerSecond: Record<'64x48' | '64x48, 2x2' | '160x96', number>;
}

it('ticks, players, forks, columns and frames of the twin are fast enough', async () => {
  const measured = await runBundled<Measured>('./speed-run.ts');
  console.info(JSON.stringify(measured));
  expect(measured.ticksPerSecond).toBeGreaterThan(15000);
  expect(measured.forkMicros).toBeLessThan(180);
  expect(measured.columnMs).toBeLessThan(30);
  expect(measured.botTicksPerSecond).toBeGreaterThan(2000);
  // The floors are for 64x36, 128x72 and 640x360 pixels: 150, 50 and 3 frames a second; here by pixels.
  expect(measured.framesPerSecond['64x48']).toBeGreaterThan(112);
  expect(measured.framesPerSecond['64x48, 2x2']).toBeGreaterThan(28);
  expect(measured.framesPerSecond['160x96']).toBeGreaterThan(30);
}, 120000);
