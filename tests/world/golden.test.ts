/**
 * Stored hashes of terrain and replays. If a change of rules is intended: raise RULES in src/world/version.ts (tables raise the version by
 * themselves) and rewrite the file with UPDATE_GOLDEN=1.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { runBundled } from './bundled.ts';
import { goldenReplay } from './golden.ts';

interface Golden {
  simVersion: number;
  terrain: string[];
  replay: string[];
}
const file = new URL('./golden.json', import.meta.url);

it('terrain and replays have the stored hashes of this simulator version', async () => {
  const now = await runBundled<{ stored: Golden; again: string[] }>('./golden-run.ts');
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, `${JSON.stringify(now.stored, null, 1)}\n`);
  const stored = JSON.parse(readFileSync(file, 'utf8')) as Golden;
  expect(now.stored.simVersion).toBe(stored.simVersion);
  expect(now.stored.terrain).toEqual(stored.terrain);
  expect(now.stored.replay).toEqual(stored.replay);
  expect(now.again.length).toBe(100);
  for (const line of now.again) expect(stored.replay).toContain(line);
}, 120000);

it('the unbundled modules give the same bits', () => {
  const stored = JSON.parse(readFileSync(file, 'utf8')) as Golden;
  const first = goldenReplay(1, 1);
  expect(first.length).toBe(20);
  expect(first).toEqual(stored.replay.slice(0, 20));
}, 60000);
