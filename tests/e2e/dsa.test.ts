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
  expect(await page.evaluate(() => location.hash)).toContain('query=2&layer=1&k=7');
  await page.reload();
  await page.getByTestId('tokens').waitFor({ timeout: 60_000 });
  expect(await page.locator('[data-testid="tokens"] [aria-pressed="true"]').count()).toBe(1);
  expect(await selected.count()).toBe(3);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => v.id)).toEqual([]);

  await page.getByTestId('train').click();
  await page.waitForFunction(() => /Dense base: step [1-9]/.test(document.body.innerText), null, { timeout: 60_000 });
  await page.getByTestId('pause').click();
  await page.locator('figure', { hasText: 'Dense base: loss' }).waitFor();
  expect(errors).toEqual([]);
  await close();
});
