/**
 * Stored hashes of terrain, replays and frames. If a change of rules is intended: raise RULES in src/world/version.ts (tables raise the version by
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
  frames: string[];
}
const file = new URL('./golden.json', import.meta.url);

it('terrain, replays and frames have the stored hashes; forks and restored snapshots go on as their originals', async () => {
  const now = await runBundled<{ stored: Golden; branches: string[] }>('./golden-run.ts');
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, `${JSON.stringify(now.stored, null, 1)}\n`);
  const stored = JSON.parse(readFileSync(file, 'utf8')) as Golden;
  expect(now.stored.simVersion).toBe(stored.simVersion);
  expect(now.stored.terrain).toEqual(stored.terrain);
  expect(now.stored.replay).toEqual(stored.replay);
  expect(now.stored.frames).toEqual(stored.frames);
  expect(new Set(stored.frames.map((line) => line.split(' ')[2])).size).toBeGreaterThan(170);
  // 20 logs, three branches, ten hashes of the second thousand ticks.
  expect(now.branches.length).toBe(600);
  const known = new Set(stored.replay);
  expect(now.branches.filter((line) => !known.has(line))).toEqual([]);
}, 120000);

it('the unbundled modules give the same bits', () => {
  const stored = JSON.parse(readFileSync(file, 'utf8')) as Golden;
  const first = goldenReplay(1, 1);
  expect(first.length).toBe(20);
  expect(first).toEqual(stored.replay.slice(0, 20));
}, 60000);
