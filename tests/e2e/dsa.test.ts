// The page of sparse attention in a real browser: the three views of one row on the shipped weights, their link, a run that a reload
// does not end, and input that cannot work.

import AxeBuilder from '@axe-core/playwright';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, openPage } from '../support/browser.ts';

/** Three pages of kernels are compiled, on a CPU adapter that may have company. */
const SLOW_MS = 200_000;

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser('compute');
});

afterAll(() => browser?.close());

test('inspector, maps and theatre show one query; a link and a reload bring everything back', async () => {
  const { page, errors, close } = await openPage(browser, '#/dsa?row=3&query=25&layer=1&k=99');
  const selected = page.locator('[data-testid="tokens"] [data-selected="true"]');
  const settled = (): Promise<void> => page.locator('[data-testid="tokens"][aria-busy="false"]').waitFor();
  await page.getByTestId('tokens').waitFor({ timeout: SLOW_MS });
  // More keys than tokens: said, and every token that the query sees is read.
  await page.getByText('k = 99 is more than the 32 tokens of a row').waitFor();
  expect(await selected.count()).toBe(26);
  const slider = page.getByTestId('k');
  await slider.fill('4');
  expect(await selected.count()).toBe(4);
  await slider.focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight');
  expect(await selected.count()).toBe(7);
  // The third token sees three.
  await page.locator('[data-testid="tokens"] button').nth(2).click();
  expect(await selected.count()).toBe(3);
  expect(await page.getByTestId('summary').textContent()).toMatch(/^3 of 3 tokens hold 100\.0 %/);

  // A cell of a map leads the inspector; the theatre follows.
  const map = page.getByTestId('maps').locator('canvas').first();
  const colours = await map.evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
  expect(colours).toBeGreaterThan(8);
  await map.scrollIntoViewIfNeeded();
  const box = (await map.boundingBox())!;
  await page.mouse.click(box.x + (box.width * 9.5) / 32, box.y + (box.height * 20.5) / 32);
  expect(await page.getByTestId('map-reading').textContent()).toMatch(/^Query 20 to key 9: p \d/);
  expect(await selected.count()).toBe(7);
  const show = (name: string): Promise<void> => page.getByRole('tab', { name, exact: true }).click();
  await page.getByRole('tab', { name: 'Maps' }).focus();
  await page.keyboard.press('ArrowRight');
  expect(await page.getByTestId('theatre').locator('li').count()).toBe(4);
  await page.getByRole('button', { name: '11, 11 and 10 bits' }).click();
  expect(await page.getByTestId('theatre').locator('li').count()).toBe(3);
  await page.getByTestId('run-selectors').click();
  await page.getByText('radix: the same 7 tokens · split: the same 7 tokens · bisect: the same 7 tokens').waitFor();
  // Dense attention reads everything.
  await page.getByRole('button', { name: 'dense', exact: true }).click();
  expect(await selected.count()).toBe(21);

  // The bench answers, and says what it cannot read.
  await show('FP8');
  await page.getByTestId('codes').waitFor();
  const bench = page.locator('section', { has: page.locator('#codes') }).last();
  await bench.getByRole('button', { name: 'int8' }).click();
  await page.getByTestId('outlier').fill('40');
  await page.getByTestId('typed').fill('1 2 3');
  await page.getByText('3 numbers: a row has 16 channels.').waitFor();

  // What the card measured is drawn; the page's own sheets keep what they hold while others are shown.
  await show('Where');
  expect(await page.getByTestId('ages').locator('td').count()).toBe(2 * 6);
  expect(await page.getByTestId('positions').locator('circle').count()).toBeGreaterThan(4);

  // A run begins, and the browser keeps it.
  await show('Training');
  await page.getByTestId('changes').fill('k=40');
  await page.getByTestId('train').click();
  await page.getByText('k = 40 is more than the 32 tokens of a row').waitFor();
  await page.getByTestId('changes').fill('base.steps=30 warmup.steps=1 sparse.steps=1');
  await page.getByTestId('train-seed').fill('5');
  await page.getByTestId('train').click();
  await page.waitForFunction(() => /Dense base: step [1-9]/.test(document.body.innerText), null, { timeout: SLOW_MS });
  await show('Cost');
  await show('Training');
  await page.getByTestId('pause').click();
  // One step at a time.
  const step = async (): Promise<number> =>
    Number(/Dense base: step (\d+)/.exec(await page.locator('body').innerText())?.[1] ?? 0);
  await page.locator('[data-testid="step"]:enabled').waitFor();
  const rested = await step();
  await page.getByTestId('step').click();
  await page.getByText(`Dense base: step ${rested + 1} of`).waitFor();
  await page
    .getByTestId('curve-lm')
    .getByText(/base, warm-up, sparse \d/)
    .waitFor();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => v.id)).toEqual([]);
  // A phone: nothing is wider than the window, on any sheet, and the inspector is there.
  await page.setViewportSize({ width: 390, height: 844 });
  for (const name of [
    'Maps',
    'Top-k',
    'FP8',
    'Training',
    'Parity',
    'Where',
    'Post-training',
    'Cost',
    'Model and paper',
  ]) {
    await show(name);
    const [content, window_] = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return [scrollWidth, clientWidth];
    });
    expect(content, name).toBeLessThanOrEqual(window_);
  }
  const tokens = (await page.getByTestId('tokens').boundingBox())!;
  expect(tokens.width).toBeGreaterThan(300);
  expect(tokens.x + tokens.width).toBeLessThanOrEqual(390);
  await page.locator('[data-testid="tokens"] button').nth(20).scrollIntoViewIfNeeded();
  expect(await page.locator('[data-testid="tokens"] button').nth(20).isVisible()).toBe(true);
  await page.setViewportSize({ width: 1280, height: 800 });
  await show('Training');
  // The run opened other weights; the view stayed.
  await settled();
  expect(await page.evaluate(() => location.hash)).toBe(
    '#/dsa?tab=train&row=3&query=20&k=7&attention=dense&key=9&digits=split&seed=5&changes=base.steps%3D30+warmup.steps%3D1+sparse.steps%3D1',
  );

  await page.reload();
  await page.getByTestId('tokens').waitFor({ timeout: SLOW_MS });
  expect(await selected.count()).toBe(21);
  await page.getByTestId('kept').getByText('kept a run of preset nano, seed 5').waitFor();
  await page.getByLabel('Weights from this disk').setInputFiles({
    name: 'broken.safetensors',
    mimeType: 'application/octet-stream',
    buffer: Buffer.from('no weights at all'),
  });
  await page.getByText('broken.safetensors: Not a usable safetensors file').waitFor();
  expect(await selected.count()).toBe(21);

  // The kept run goes on behind the step where it was kept; one that is forgotten is gone from the disk.
  const kept = Number(/at step (\d+)/.exec(await page.getByTestId('kept').innerText())?.[1]);
  expect(kept).toBeGreaterThan(0);
  await page.getByTestId('resume').click();
  await page.getByTestId('pause').getByText('Pause').waitFor();
  await page.getByTestId('pause').click();
  await page.getByTestId('pause').getByText('Go on').waitFor();
  expect(await step()).toBeGreaterThanOrEqual(kept);
  // To the end of all stages; the run is then among the runs of this browser.
  await page.getByTestId('pause').click();
  await page.getByText('All stages are done.').waitFor({ timeout: SLOW_MS });
  await page.reload();
  await page.getByTestId('kept').getByRole('button', { name: 'Forget it' }).click();
  await page.getByTestId('kept').waitFor({ state: 'detached' });
  const files = await page.evaluate(async () => {
    const names: string[] = [];
    const walk = async (folder: FileSystemDirectoryHandle): Promise<void> => {
      for await (const entry of (folder as unknown as { values(): AsyncIterable<FileSystemHandle> }).values()) {
        names.push(entry.name);
        if (entry.kind === 'directory') await walk(entry as FileSystemDirectoryHandle);
      }
    };
    await walk(await navigator.storage.getDirectory());
    return names;
  });
  expect(files).not.toContain('run.safetensors');
  await page.evaluate(() => {
    location.hash = '#/runs';
  });
  const listed = page.locator('main tbody tr');
  await page.getByRole('heading', { name: 'Runs', exact: true }).waitFor();
  await listed.waitFor();
  expect(await listed.locator('td').nth(2).innerText()).toBe('dsa');
  expect(await listed.locator('td').nth(4).innerText()).toBe('5');
  expect(await listed.innerText()).toMatch(/massRecall 0\.\d+/);
  expect(errors).toEqual([]);
  await close();
}, 500_000);

test('without an adapter the page says so and still shows what needs none', async () => {
  const plain = await launchBrowser('no-adapter');
  const { page, close } = await openPage(plain, '#/dsa');
  await page
    .getByRole('alert')
    .getByText(/WebGPU/)
    .waitFor();
  await page.getByRole('heading', { name: 'What the paper reports' }).waitFor();
  await close();
  await plain.close();
});
