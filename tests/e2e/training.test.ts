// "Grow a world in your tab": a run from nothing in a real browser, paused, stepped, stopped and kept.

import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, openPage } from '../support/browser.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser('compute');
});

afterAll(() => browser?.close());

const reading = (page: Page, name: string) => page.locator(`dt:text-is("${name}") + dd`);
const done = async (page: Page, phase: string) =>
  Number((await page.locator('li', { hasText: phase }).first().innerText()).match(/(\d+) \/ \d+/)?.[1]);

async function startNano(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'nano' }).click();
  await page.getByTestId('start-training').click();
  await page.waitForFunction(() => /Tokenizer\s+([1-9]\d*) \//.test(document.body.innerText), null, {
    timeout: 90_000,
  });
}

test('a run starts from a link, learns, pauses, steps, shows pictures, and is listed when it stops', async () => {
  const { page, errors, close } = await openPage(browser, '#/dreamer4?preset=micro&seed=9');
  await page.getByTestId('start-training').waitFor();
  expect(await page.getByRole('button', { name: 'micro', exact: true }).getAttribute('aria-pressed')).toBe('true');
  const shipped = page.getByTestId('shipped');
  await shipped.getByText('block placed').waitFor();
  await shipped.getByRole('button', { name: /^small/ }).click();
  await shipped.getByText('was not measured').waitFor();
  expect(await shipped.locator('tbody tr[data-paper]').count()).toBe(5);
  expect(await page.getByLabel('Seed').inputValue()).toBe('9');
  await startNano(page);
  expect(await page.evaluate(() => location.hash)).toBe('#/dreamer4?preset=nano&seed=9');

  await page.getByRole('button', { name: 'Pause' }).click();
  await page.waitForFunction(() => document.body.innerText.includes('paused'));
  const at = await done(page, 'Tokenizer');
  await page.waitForTimeout(700);
  expect(await done(page, 'Tokenizer')).toBe(at);
  await page.getByRole('button', { name: 'One training step' }).click();
  await page.waitForFunction(
    (steps) => document.body.innerText.match(/Tokenizer\s+(\d+) \//)?.[1] === `${steps}`,
    at + 1,
  );
  await page.getByRole('img', { name: /^reconstruction/ }).waitFor();
  expect(await page.locator('figure', { hasText: 'mse' }).count()).toBe(1);

  await page.getByRole('button', { name: 'Go on' }).click();
  await page.waitForFunction(
    (steps) => Number(document.body.innerText.match(/Tokenizer\s+(\d+) \//)?.[1]) > steps,
    at + 1,
  );
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.waitForFunction(() => document.querySelector('dl dd')?.textContent === 'done');
  expect(await reading(page, 'state').textContent()).toBe('done');
  await page.getByRole('link', { name: 'Runs' }).click();
  const row = page.locator('tbody tr', { hasText: 'dreamer4' });
  await row.waitFor();
  expect(await row.innerText()).toMatch(/dreamer4\s+nano\s+9/);
  expect(errors).toEqual([]);
  await close();
});

test('there is nothing to play before the dynamics exists, and the page says so', async () => {
  const { page, close } = await openPage(browser, '#/dreamer4?preset=nano');
  await page.getByTestId('start-training').waitFor();
  await startNano(page);
  await page.getByRole('button', { name: 'Play this model' }).click();
  await page.waitForFunction(() =>
    /no dynamics/.test(document.querySelector('[data-testid="status"]')?.textContent ?? ''),
  );
  expect(await page.evaluate(() => location.hash)).toContain('#/dreamer4');
  await close();
});

test('a grown model is played: the smallest run, then its dream beside the truth', async () => {
  const { page, errors, close } = await openPage(browser, '#/dreamer4?preset=nano');
  await page.getByTestId('start-training').waitFor();
  await page.getByText('Change a number').click();
  for (const name of ['Episodes', 'Steps per episode', 'Tokenizer steps', 'Dynamics steps']) {
    await page.getByLabel(name, { exact: true }).press('Home');
  }
  await page.getByTestId('start-training').click();
  await page.waitForFunction(() => /Dynamics\s+([1-9]\d*) \//.test(document.body.innerText), null, {
    timeout: 100_000,
  });
  await page.getByRole('button', { name: 'Play this model' }).click();
  await page.waitForFunction(
    () => /^\d/.test(document.querySelector('[data-testid="psnr"]')?.textContent ?? ''),
    null,
    {
      timeout: 60_000,
    },
  );
  const size = await page
    .getByTestId('dream')
    .evaluate((canvas) => [(canvas as HTMLCanvasElement).width, (canvas as HTMLCanvasElement).height]);
  expect(size).toEqual([32, 32]);
  expect(errors).toEqual([]);
  await close();
});

test('a foreign file is refused with a sentence, and a full disk does not lose the run', async () => {
  const { page, close } = await openPage(browser, '#/dreamer4?preset=nano');
  await page.getByTestId('start-training').waitFor();
  await startNano(page);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.locator('input[type="file"]').setInputFiles({
    name: 'holiday.safetensors',
    mimeType: 'application/octet-stream',
    buffer: Buffer.from('not a checkpoint at all'),
  });
  await page.waitForFunction(() =>
    document
      .querySelector('[data-testid="status"]')
      ?.textContent?.startsWith('holiday.safetensors cannot be resumed here: '),
  );
  await page.evaluate(() => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
    };
  });
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.waitForFunction(() =>
    document.querySelector('[data-testid="status"]')?.textContent?.includes('storage is full'),
  );
  await close();
});
