// The simulator gives the same bits in Chromium as in Node: all replays, on the page's thread and in a worker, all terrain and all frames
// of the ray caster's twin against the stored hashes.

import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, openSources } from '../support/browser.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser('compute');
});

afterAll(() => browser?.close());

const stored = JSON.parse(readFileSync(new URL('../world/golden.json', import.meta.url), 'utf8')) as {
  simVersion: number;
  terrain: string[];
  replay: string[];
  frames: string[];
};

test('replays in Chromium, on the page and in a worker, have the hashes stored in Node', async () => {
  const { page, errors, close } = await openSources(browser);
  const found = await page.evaluate(async () => {
    const worker = new Worker('/tests/world/golden-worker.ts', { type: 'module' });
    const answer = new Promise<string[]>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message || 'the worker did not start'));
    });
    worker.postMessage('go');
    const { goldenReplay } = await window.loadModule<typeof import('../world/golden.ts')>('/tests/world/golden.ts');
    const { SIM_VERSION } =
      await window.loadModule<typeof import('../../src/world/version.ts')>('/src/world/version.ts');
    return { simVersion: SIM_VERSION, page: goldenReplay(), worker: await answer };
  });
  expect(found.simVersion).toBe(stored.simVersion);
  expect(stored.replay.length).toBe(400);
  expect(found.page).toEqual(stored.replay);
  expect(found.worker).toEqual(stored.replay);
  expect(errors).toEqual([]);
  await close();
});

// The hash of a state holds what a player changed and no terrain that nobody touched.
test('terrain and frames made in Chromium have the hashes stored in Node', async () => {
  const { page, errors, close } = await openSources(browser);
  const found = await page.evaluate(async () => {
    const { goldenTerrain } = await window.loadModule<typeof import('../world/golden-terrain.ts')>(
      '/tests/world/golden-terrain.ts',
    );
    const { goldenFrames } = await window.loadModule<typeof import('../world/golden-frames.ts')>(
      '/tests/world/golden-frames.ts',
    );
    return { terrain: goldenTerrain(), frames: goldenFrames() };
  });
  expect(stored.terrain.length).toBe(24);
  expect(found.terrain).toEqual(stored.terrain);
  expect(stored.frames.length).toBe(192);
  expect(found.frames).toEqual(stored.frames);
  expect(errors).toEqual([]);
  await close();
});
