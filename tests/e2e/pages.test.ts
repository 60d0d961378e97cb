// Every page: loads without an error, has one heading, and axe finds nothing serious in light and in dark.

import { readFileSync } from 'node:fs';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { METHODS } from '../../src/methods/method-list.ts';
import { METHOD_PAPERS } from '../../src/methods/method-papers.ts';
import { launchBrowser, openPage } from '../support/browser.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser('compute');
});

afterAll(() => browser?.close());

/** Light and dark share all rules but the colours, and these three use every colour. */
const DARK = ['#/', '#/dreamer4', '#/gpu'];
const PAGES = [
  ...['#/', '#/dreamer4', '#/dsa', '#/learn2pd', '#/language-model', '#/gpu', '#/runs', '#/nowhere'].map((route) => ({
    route,
    scheme: 'light' as const,
  })),
  ...DARK.map((route) => ({ route, scheme: 'dark' as const })),
];

describe('loads cleanly and passes axe', () => {
  test.each(PAGES)('$route, $scheme', async ({ route, scheme }) => {
    const { page, errors, close } = await openPage(browser, route, { colorScheme: scheme });
    await page.locator('h1').waitFor({ state: 'attached' });
    await page.waitForFunction(() => !document.querySelector('main[aria-busy="true"]'));
    if (route === '#/dreamer4') await page.getByTestId('shipped').waitFor();
    expect(await page.locator('h1').count()).toBe(1);
    const { violations } = await new AxeBuilder({ page }).analyze();
    const serious = violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
    expect(serious).toEqual([]);
    expect(errors).toEqual([]);
    await close();
  });
});

test('each of the ten methods has a page with its paper', async () => {
  const { page, close } = await openPage(browser);
  for (const { id, title, started, page: own } of METHODS) {
    const { arxiv } = METHOD_PAPERS[id];
    await page.goto(`${page.url().split('#')[0]}#/${id}`);
    await page.locator(`a[href*="arxiv.org/abs/${arxiv}"]`).first().waitFor();
    if (!own) {
      expect(await page.locator('h1').textContent()).toBe(title);
      expect(await page.locator('main').textContent()).toContain(
        started ? 'on the command line it runs' : 'Not started',
      );
    }
  }
  await close();
});

test('the menu of methods opens by keyboard and leads to a method', async () => {
  const { page, close } = await openPage(browser, '#/gpu');
  await page.getByRole('button', { name: 'Methods' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: /Sparse attention/ }).click();
  await page.getByRole('heading', { name: 'Sparse attention' }).waitFor();
  expect(await page.evaluate(() => location.hash)).toBe('#/dsa');
  await close();
});

test('a stored run is listed and its record is exported whole', async () => {
  const { page, errors, close } = await openPage(browser, '#/runs');
  await page.getByRole('heading', { name: 'No runs yet' }).waitFor();
  const run = {
    ...{
      id: 'r1',
      at: 1_790_000_000_000,
      method: 'dreamer4',
      preset: 'nano',
      seed: 7,
      adapter: 'a card',
      wallMs: 1234,
    },
    ...{ config: { 'data.episodes': 3 }, metrics: { 'dynamics/loss': 0.25, step: 12 } },
  };
  await page.evaluate(
    (record) =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.open('tenfold', 1);
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          const transaction = request.result.transaction('runs', 'readwrite');
          transaction.objectStore('runs').put(record);
          transaction.oncomplete = () => resolve();
        };
      }),
    run,
  );
  await page.reload();
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByTestId('export-run').click()]);
  expect(file.suggestedFilename()).toBe('tenfold-dreamer4-nano-seed7.json');
  expect(JSON.parse(readFileSync(await file.path(), 'utf8'))).toEqual(run);
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  expect(errors).toEqual([]);
  await close();
});

test('a chosen theme stays after a reload', async () => {
  const { page, close } = await openPage(browser, '#/runs', { colorScheme: 'light' });
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.getByRole('button', { name: 'Switch to dark colours' }).click();
  const dark = await background();
  expect(dark).not.toBe(light);
  await page.reload();
  await page.getByRole('button', { name: 'Switch to light colours' }).waitFor();
  expect(await background()).toBe(dark);
  await close();
});
