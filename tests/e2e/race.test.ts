// The race in the GPU tab: three engines on one device, checked, timed, stopped and saved.

import { expect, test } from 'vitest';
import { launchBrowser, openPage } from '../support/browser.ts';

test('the race shows all engines of a row, stops when asked, and gives its report', async () => {
  const browser = await launchBrowser();
  try {
    const { page, errors, close } = await openPage(browser, '#/gpu?see=race');
    const disturbs = async (button: string, why: RegExp) => {
      expect(await page.getByTestId(button).isDisabled(), button).toBe(true);
      expect(await page.getByTestId(button).getAttribute('title')).toMatch(why);
    };
    await page.getByTestId('see-proof').click({ timeout: 30_000 });
    await page.getByTestId('run-proof').click();
    await page.getByTestId('stop-proof').waitFor();
    await page.getByTestId('see-race').click();
    await disturbs('race-start', /lab is measuring .*proof/);
    await page.getByTestId('see-proof').click();
    await page.getByTestId('stop-proof').click();
    await page.getByTestId('run-proof').waitFor({ timeout: 30_000 });
    await page.getByTestId('see-race').click();
    // Its worker is not fetched: that is said, nothing stays blocked, and the next try is sound.
    await page.route(/\/race-[^/]*\.js$/, (route) => route.abort());
    await page.getByTestId('race-start').click();
    await page.getByTestId('race').getByRole('alert').filter({ hasText: 'a part of the page failed' }).waitFor();
    expect(await page.getByTestId('race-start').isEnabled()).toBe(true);
    await page.unrouteAll();
    expect(errors.splice(0).every((text) => text.includes('ERR_FAILED'))).toBe(true);
    await page.getByTestId('race-start').click();
    await page.getByTestId('see-growth').click();
    await disturbs('run-growth', /race is running/);
    await page.getByTestId('see-race').click();
    const row = page.getByTestId('race-row-matmul-nn-256');
    await row.waitFor({ timeout: 90_000 });
    await page.getByTestId('race-stop').click();
    const text = await row.innerText();
    for (const name of ['Tenfold', 'jax-js', 'TensorFlow.js', '×']) expect(text).toContain(name);
    expect(text).not.toContain('Without');
    await page.getByTestId('race-done').waitFor({ timeout: 60_000 });
    expect(await page.getByTestId('race-start').isEnabled()).toBe(true);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('race-export').click()]);
    const stream = await download.createReadStream();
    let json = '';
    for await (const part of stream) json += part;
    const report = JSON.parse(json);
    expect(report.tables[0].rows[0].peers['jax-js']).toBeGreaterThan(0);
    expect(report.adapter.software).toBe(true);
    expect(errors).toEqual([]);
    await close();
  } finally {
    await browser.close();
  }
}, 180_000);
