// The page of sparse attention in a real browser: the inspector on the shipped weights, its link, training that begins.

import AxeBuilder from '@axe-core/playwright';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, openPage } from '../support/browser.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser('compute');
});

afterAll(() => browser?.close());

test('the inspector highlights min(k, t + 1) tokens, follows the keyboard, and a link brings it back', async () => {
  const { page, errors, close } = await openPage(browser, '#/dsa?row=3&query=25&layer=1&k=4');
  const selected = page.locator('[data-testid="tokens"] [data-selected="true"]');
  await page.getByTestId('tokens').waitFor({ timeout: 60_000 });
  expect(await selected.count()).toBe(4);
  const slider = page.getByTestId('k').locator('input');
  await slider.focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight');
  expect(await selected.count()).toBe(7);
  // The third token sees three.
  await page.locator('[data-testid="tokens"] button').nth(2).click();
  expect(await selected.count()).toBe(3);
  expect(await page.getByTestId('summary').textContent()).toMatch(/^3 of 3 tokens hold 100\.0 %/);
  expect(await page.evaluate(() => location.hash)).toContain('query=2&k=7');
  await page.reload();
  await page.getByTestId('tokens').waitFor({ timeout: 60_000 });
  expect(await page.locator('[data-testid="tokens"] [aria-pressed="true"]').count()).toBe(1);
  expect(await selected.count()).toBe(3);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => v.id)).toEqual([]);

  // Maps and theatre are drawn of the same query; a cell of a map leads the inspector.
  const map = page.getByTestId('maps').locator('canvas').first();
  const drawn = await map.evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
  expect(drawn).toBeGreaterThan(8);
  await map.scrollIntoViewIfNeeded();
  const box = (await map.boundingBox())!;
  await page.mouse.click(box.x + (box.width * 9.5) / 32, box.y + (box.height * 20.5) / 32);
  expect(await page.getByTestId('map-reading').textContent()).toMatch(/^Query 20 to key 9: p \d/);
  expect(await selected.count()).toBe(7);
  expect(await page.getByTestId('theatre').locator('li').count()).toBe(4);
  await page.getByRole('button', { name: 'many workgroups' }).click();
  expect(await page.getByTestId('theatre').locator('li').count()).toBe(3);
  await page.getByTestId('run-selectors').click();
  await page.getByText('radix: the same 7 tokens · split: the same 7 tokens · bisect: the same 7 tokens').waitFor();
  // Dense attention reads everything.
  await page.getByRole('button', { name: 'dense', exact: true }).click();
  expect(await selected.count()).toBe(21);

  await page.getByTestId('train').click();
  await page.waitForFunction(() => /Dense base: step [1-9]/.test(document.body.innerText), null, { timeout: 60_000 });
  await page.getByTestId('pause').click();
  await page.locator('figure', { hasText: 'Dense base: loss' }).waitFor();
  expect(errors).toEqual([]);
  await close();
});
