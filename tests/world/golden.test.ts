/**
 * Stored hashes of terrain and replays. If a change of rules is intended: raise RULES in src/world/version.ts (tables raise the version by
 * themselves) and rewrite the file with UPDATE_GOLDEN=1.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SIM_VERSION } from '../../src/world/version.ts';
import { goldenReplay } from './golden.ts';
import { goldenTerrain } from './golden-terrain.ts';

const file = new URL('./golden.json', import.meta.url);

it('terrain and replays have the stored hashes of this simulator version', () => {
  const now = { simVersion: SIM_VERSION, terrain: goldenTerrain(), replay: goldenReplay() };
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, `${JSON.stringify(now, null, 1)}\n`);
  const stored = JSON.parse(readFileSync(file, 'utf8'));
  expect(now.simVersion).toBe(stored.simVersion);
  expect(now.terrain).toEqual(stored.terrain);
  expect(now.replay).toEqual(stored.replay);
}, 60000);

it('does not change within one run of the program', () => {
  expect(goldenReplay(1)).toEqual(goldenReplay(1));
}, 60000);
