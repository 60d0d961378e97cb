// The simulator gives the same bits in Chromium as in Node: replays and frames against the stored hashes.

import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, openSources } from '../support/browser.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser('compute');
});

afterAll(() => browser?.close());

test('replays in Chromium have the hashes stored in Node', async () => {
  const stored = JSON.parse(readFileSync(new URL('../world/golden.json', import.meta.url), 'utf8')) as {
    simVersion: number;
    replay: string[];
  };
  const { page, errors, close } = await openSources(browser);
  const found = await page.evaluate(async () => {
    const { goldenReplay } = await window.loadModule<typeof import('../world/golden.ts')>('/tests/world/golden.ts');
    const { SIM_VERSION } =
      await window.loadModule<typeof import('../../src/world/version.ts')>('/src/world/version.ts');
    return { simVersion: SIM_VERSION, replay: goldenReplay(1) };
  });
  expect(found.simVersion).toBe(stored.simVersion);
  expect(found.replay.length).toBeGreaterThanOrEqual(20);
  for (const line of found.replay) expect(stored.replay).toContain(line);
  expect(errors).toEqual([]);
  await close();
});
