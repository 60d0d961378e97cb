// "Grow a world in your tab": a run from nothing in a real browser, paused, stepped, stopped and kept.

import { stat } from 'node:fs/promises';
import AxeBuilder from '@axe-core/playwright';
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

const DATA = ['Episodes', 'Steps per episode'];

/** The fields at their smallest. */
async function least(page: Page, fields: readonly string[]): Promise<void> {
  await page.getByText('Change a number').click();
  for (const name of fields) await page.getByLabel(name, { exact: true }).press('Home');
}

async function startNano(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'nano' }).click();
  await least(page, DATA);
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

test('the dream is played while it trains, with weights that go on, and in the playground when it is stopped', async () => {
  const { page, errors, close } = await openPage(browser, '#/dreamer4?preset=nano');
  await page.getByTestId('start-training').waitFor();
  await least(page, [...DATA, 'Tokenizer steps']);
  await page.getByTestId('start-training').click();
  await page.getByTestId('live-words').getByText('nothing to dream with').waitFor();
  const toggle = page.getByTestId('live-toggle');
  expect(await toggle.isDisabled()).toBe(true);
  await page.waitForFunction(() => /Dynamics\s+([1-9]\d*) \//.test(document.body.innerText), null, {
    timeout: 100_000,
  });
  await toggle.click();
  const count = async (id: string) => Number(await page.getByTestId(id).textContent());
  const reaches = (id: string, least: number) =>
    page.waitForFunction(
      ([testId, bound]) => Number(document.querySelector(`[data-testid="${testId}"]`)?.textContent) >= bound,
      [id, least] as const,
    );
  await reaches('live-frame', 2);
  const weights = await count('live-weights');
  expect(weights).toBeGreaterThan(0);
  await page.keyboard.down('KeyW');
  await reaches('live-weights', weights + 2);
  await page.keyboard.up('KeyW');
  const frame = await count('live-frame');
  await reaches('live-frame', frame + 2);
  await page.getByText('You are walking.').waitFor();
  expect(await page.getByTestId('live-dream').evaluate((canvas) => (canvas as HTMLCanvasElement).width)).toBe(32);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  await toggle.click();
  const at = await done(page, 'Dynamics');
  await page.waitForFunction((steps) => Number(document.body.innerText.match(/Dynamics\s+(\d+) \//)?.[1]) > steps, at);

  await page.getByRole('button', { name: 'Stop' }).click();
  await page.waitForFunction(() => document.querySelector('dl dd')?.textContent === 'done');
  expect(await page.getByRole('button', { name: 'Save', exact: true }).isEnabled()).toBe(true);
  await page.getByRole('button', { name: 'Play this model' }).click();
  await page.waitForFunction(() => /^\d/.test(document.querySelector('[data-testid="psnr"]')?.textContent ?? ''));
  expect(await page.getByTestId('dream').evaluate(({ width, height }: HTMLCanvasElement) => [width, height])).toEqual([
    32, 32,
  ]);
  expect(errors).toEqual([]);
  await close();
}, 300_000);

test('nothing to play yet, a foreign file, a full list of runs: one sentence each', async () => {
  const { page, close } = await openPage(browser, '#/dreamer4?preset=nano');
  await page.getByTestId('start-training').waitFor();
  await startNano(page);
  await page.getByRole('button', { name: 'Play this model' }).click();
  await page.waitForFunction(() =>
    /no dynamics/.test(document.querySelector('[data-testid="status"]')?.textContent ?? ''),
  );
  expect(await page.evaluate(() => location.hash)).toContain('#/dreamer4');
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

test('a full disk does not lose the run: it goes on, is saved to a file, is kept when there is room, and survives a reload', async () => {
  const { page, close } = await openPage(browser, '#/dreamer4?preset=nano');
  await page.getByTestId('start-training').waitFor();
  const devtools = await page.context().newCDPSession(page);
  const quota = (quotaSize?: number) =>
    devtools.send('Storage.overrideQuotaForOrigin', { origin: new URL(page.url()).origin, quotaSize });
  await quota(1000);
  await startNano(page);
  await page.getByRole('button', { name: 'Pause' }).click();
  const alert = page.getByRole('alert');
  await alert.waitFor();
  expect(await alert.textContent()).toMatch(/^This run will not survive a reload: The storage for this page is full/);
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save', exact: true }).click(),
  ]);
  expect(file.suggestedFilename()).toBe('dreamer4-training.safetensors');
  expect((await stat(await file.path())).size).toBeGreaterThan(100_000);
  const at = await done(page, 'Tokenizer');
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.waitForFunction((steps) => Number(document.body.innerText.match(/Tokenizer\s+(\d+) \//)?.[1]) > steps, at);

  await quota();
  await page.getByRole('button', { name: 'Pause' }).click();
  await alert.waitFor({ state: 'detached' });
  const kept = await done(page, 'Tokenizer');
  expect(kept).toBeGreaterThan(at);
  expect(await page.getByTestId('kept-at').textContent()).toBe(`Tokenizer, step ${kept}`);
  const worked = await reading(page, 'time worked').textContent();

  // Another tab of the same visitor: the run is listed, and stays with who has it open.
  const second = await page.context().newPage();
  await second.goto(page.url());
  await second.getByRole('button', { name: 'Go on with it' }).click();
  await second.getByRole('alert').getByText('This run is still open: in another tab').waitFor();
  await second.close();

  await page.reload();
  await page.getByTestId('kept').waitFor();
  expect(await page.getByTestId('kept').innerText()).toContain('Preset nano, seed 1, begun');
  expect(await page.getByTestId('kept').innerText()).toContain(`at step ${kept} of 940 of Tokenizer.`);
  await page.getByRole('button', { name: 'Go on with it' }).click();
  await page.waitForFunction(
    (steps) => Number(document.body.innerText.match(/Tokenizer\s+(\d+) \//)?.[1]) > steps,
    kept,
  );
  expect(await page.locator('figure', { hasText: 'mse' }).count()).toBe(1);
  expect(worked).toMatch(/ s$/);

  // Stopped, it is still there to be saved and gone on with; forgotten, it is gone.
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByTestId('kept').waitFor();
  expect(await page.getByRole('button', { name: 'Save', exact: true }).isEnabled()).toBe(true);
  await page.getByRole('button', { name: 'Forget it' }).click();
  await page.getByTestId('kept').waitFor({ state: 'detached' });
  await page.reload();
  await page.getByTestId('start-training').waitFor();
  expect(await page.getByTestId('kept').count()).toBe(0);
  await close();
}, 300_000);
