// The decode theatre in a real browser, on the checkpoint that ships: it plays, its counters are the worker's, tau decides,
// the link brings everything back, and what cannot be decoded is said.

import AxeBuilder from '@axe-core/playwright';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, openPage } from '../support/browser.ts';

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser('compute');
});

afterAll(() => browser?.close());

const pane = (page: Page, index: number) => page.getByTestId('pane').nth(index);
const nfeOf = async (page: Page, index: number): Promise<number> =>
  Number(await pane(page, index).getByTestId('nfe').getAttribute('data-value'));

/** All panes are decoded. */
const decoded = (page: Page) =>
  page.waitForFunction(
    () => {
      const panes = [...document.querySelectorAll('[data-testid="pane"]')];
      return panes.length > 0 && panes.every((p) => (p as HTMLElement).dataset.state === 'done');
    },
    null,
    { timeout: 90_000 },
  );

/** Nothing is wider than the screen, and the first pane of the theatre is seen in full width. */
async function fitsPhone(page: Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  const map = pane(page, 0).getByTestId('map');
  expect(await map.isVisible()).toBe(true);
  const box = await map.boundingBox();
  expect(box?.x).toBeGreaterThanOrEqual(0);
  expect(box?.width).toBeGreaterThan(300);
  expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(390);
}

async function axe(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  expect(serious).toEqual([]);
}

/** Gives up the next comparison in the moment its button appears: however fast it is, its result comes in a later task. */
const cancelComparison = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        new MutationObserver((_, observer) => {
          const button = document.querySelector<HTMLButtonElement>('[data-testid="cancel-compare"]');
          if (!button) return;
          observer.disconnect();
          button.click();
          resolve();
        }).observe(document.body, { childList: true, subtree: true });
      }),
  );

test('plays a decode, counts what the worker counts, and tau changes the passes', async () => {
  const { page, errors, close } = await openPage(browser, '#/learn2pd');
  // The playhead runs by itself, whatever is not decoded yet streams in.
  await decoded(page);
  await page.waitForFunction(
    () => document.querySelector('[data-testid="play"]')?.getAttribute('title') === 'Play',
    null,
    {
      timeout: 60_000,
    },
  );
  const [plain, learned] = [await nfeOf(page, 0), await nfeOf(page, 1)];
  // Static decoding is a pass for every position of the canvas.
  expect(plain).toBe(
    Number(await page.locator('fieldset', { hasText: 'Canvas length' }).locator('[aria-pressed="true"]').textContent()),
  );
  expect(learned).toBeLessThan(plain);
  // At the end of the play every pane stands at its last pass.
  expect(await pane(page, 0).getByTestId('pass').textContent()).toBe(String(plain));
  expect(await pane(page, 1).getByTestId('pass').textContent()).toBe(String(learned));
  const drawn = await pane(page, 0)
    .getByTestId('map')
    .evaluate((canvas: HTMLCanvasElement) => {
      const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      return new Set(Array.from({ length: data.length / 4 }, (_, i) => data.slice(4 * i, 4 * i + 4).join())).size;
    });
  expect(drawn).toBeGreaterThan(4);

  // Scrubbing back: one token a pass.
  const scrubber = page.getByTestId('scrubber');
  await scrubber.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  expect(await pane(page, 0).getByTestId('pass').textContent()).toBe('2');
  await page.locator('h1').click();
  await page.keyboard.press('.');
  expect(await pane(page, 0).getByTestId('pass').textContent()).toBe('3');

  // tau 1 never trusts the filter: as static, but cut behind the end token.
  const tau = page.getByTestId('tau');
  await tau.focus();
  await page.keyboard.press('End');
  await decoded(page);
  const never = await nfeOf(page, 1);
  await page.keyboard.press('Home');
  await decoded(page);
  const always = await nfeOf(page, 1);
  expect(always).toBeLessThan(never);
  expect(learned).toBeGreaterThanOrEqual(always);
  expect(learned).toBeLessThanOrEqual(never);
  await axe(page);
  expect(errors).toEqual([]);
  await close();
});

test('a link holds policies, problem and view; every view opens without an error', async () => {
  const route = '#/learn2pd?panes=static1.strict.none~egp.off.none~margin.off.dual&row=2&pass=1&tab=oracle';
  const { page, errors, close } = await openPage(browser, route, { colorScheme: 'dark' });
  await decoded(page);
  expect(await page.getByTestId('pane').count()).toBe(3);
  expect(await pane(page, 0).getByTestId('pass').textContent()).toBe('2');
  for (const [name, heading] of [
    ['Filter', 'Filter microscope'],
    ['End of text', 'End of text'],
    ['Oracle', 'Oracle'],
    ['KV cache', 'KV cache'],
    ['Training', 'Train it in this tab'],
    ['Measurements', 'Measurements'],
    ['Paper', 'What the paper reports'],
  ]) {
    await page.getByRole('tab', { name, exact: true }).click();
    await page.getByRole('heading', { name: heading, exact: true }).waitFor();
    await page.waitForFunction(
      () => !document.querySelector('[data-testid="cache-table"] td:nth-child(2)')?.textContent?.includes('…'),
    );
  }
  await axe(page);
  // A comparison of passes is given up, and another one comes to its end.
  const givenUp = cancelComparison(page);
  await page.getByRole('tab', { name: 'KV cache', exact: true }).click();
  await givenUp;
  await page.getByTestId('compare').waitFor();
  expect(await page.getByTestId('similarity-map').count()).toBe(0);
  const similarity = page.locator('[aria-labelledby="similarity"]');
  await similarity.getByRole('button', { name: 'pass before', exact: true }).click();
  await similarity.getByRole('button', { name: 'Learn2PD', exact: true }).click();
  await page.getByTestId('similarity-map').waitFor();
  expect(await page.getByTestId('similarity-map').getAttribute('aria-label')).toMatch(/least alike at 0\.\d+/);
  expect(await page.getByTestId('comparing').count()).toBe(0);
  await page.getByRole('tab', { name: 'Filter', exact: true }).click();
  const problem = await page.getByTestId('problem').inputValue();
  // A typed problem is judged exactly.
  await page.getByTestId('problem').fill('copy 1 2 3 4');
  await page.keyboard.press('Enter');
  await decoded(page);
  expect(await page.getByTestId('problem').inputValue()).toContain('copy 1 2 3 4');
  await pane(page, 0)
    .getByTestId('verdict')
    .filter({ hasText: /right|wrong/ })
    .waitFor();
  await page.getByTestId('problem').fill('dance');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'This task reads problems like' }).waitFor();
  await page.getByTestId('another').click();
  await decoded(page);
  expect(await page.getByTestId('problem').inputValue()).not.toBe(problem);
  const hash = await page.evaluate(() => location.hash);
  // On a phone, where every view must do without sideways scrolling of the page.
  await page.setViewportSize({ width: 390, height: 844 });
  await page.reload();
  await decoded(page);
  expect(await page.getByTestId('pane').count()).toBe(3);
  expect(await page.evaluate(() => location.hash)).toBe(hash);
  await fitsPhone(page);
  for (const tab of await page.getByRole('tab').all()) {
    await tab.click();
    expect(await page.evaluate(() => document.documentElement.scrollWidth), await tab.innerText()).toBe(390);
  }
  expect(errors).toEqual([]);
  await close();
}, 240_000);

test('a foreign file and a canvas that was never trained are refused in words; the theatre goes on', async () => {
  const { page, errors, close } = await openPage(browser, '#/learn2pd?canvas=4096');
  await page.getByRole('alert').filter({ hasText: 'longer than the' }).first().waitFor({ timeout: 90_000 });
  await page.getByTestId('file').setInputFiles({
    name: 'foreign.safetensors',
    mimeType: 'application/octet-stream',
    buffer: Buffer.from('this is no checkpoint'),
  });
  await page.getByText('These weights cannot be used:').waitFor();
  await page.locator('fieldset', { hasText: 'Canvas length' }).locator('button').first().click();
  await decoded(page);
  expect(errors).toEqual([]);
  await close();
});

test('training in the tab: a link sets it up, it stops where it is told to, and goes on after a reload', async () => {
  const route = '#/learn2pd?panes=learn2pd.strict.none&tab=train&seed=5&tasks=lists%3A99';
  const { page, errors, close } = await openPage(browser, route);
  await decoded(page);
  // Tasks that cannot be trained are refused before anything begins.
  await page.getByRole('alert').filter({ hasText: 'lists has levels 4 to 60, not 99 to 99.' }).waitFor();
  expect(await page.getByTestId('train').isDisabled()).toBe(true);
  expect(await page.getByTestId('seed').inputValue()).toBe('5');
  // One's own instead: digits with a given sum besides the lists of this size.
  await page.getByTestId('task-sums').check();
  await page.getByTestId('to-sums').selectOption('3');
  expect(await page.getByTestId('tasks').getByRole('alert').count()).toBe(0);
  expect(await page.evaluate(() => decodeURIComponent(location.hash))).toContain('seed=5&tasks=lists:4,sums:2-3');
  await axe(page);
  const stage = page.getByTestId('stage');
  const stepOf = async (): Promise<number> => Number(/Small LLaDA: (\d+) of/.exec(await stage.innerText())?.[1]);
  await page.getByTestId('train').click();
  await stage.filter({ hasText: /Small LLaDA: [1-9]/ }).waitFor();
  await page.getByTestId('pause-training').click();
  await page.locator('figure', { hasText: 'Small LLaDA: loss' }).waitFor();
  // The pause keeps it. It runs again when the page goes away, and what was trained after the pause is lost with it.
  const size = (): Promise<number> =>
    page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle('learn2pd', { create: true });
      const file = await folder.getFileHandle('training.safetensors').catch(() => null);
      return (await file?.getFile())?.size ?? 0;
    });
  await expect.poll(size, { timeout: 60_000 }).toBeGreaterThan(0);
  const kept = await stepOf();
  await page.getByTestId('pause-training').click();
  await page.getByTestId('pause-training').filter({ hasText: 'Pause' }).waitFor();
  await page.reload();
  await decoded(page);
  expect(await page.getByTestId('seed').inputValue()).toBe('5');
  await page.evaluate(() => {
    // Every stage that is shown, in order: the first one is where the training stands when it comes back.
    const shown = document.querySelector('[data-testid="stage"]') as HTMLElement;
    const seen: string[] = [];
    Object.assign(window, { seen });
    new MutationObserver(() => seen.push(shown.textContent ?? '')).observe(shown, {
      childList: true,
      characterData: true,
      subtree: true,
    });
  });
  await page.getByTestId('go-on-left').click();
  await expect.poll(stepOf, { timeout: 120_000 }).toBeGreaterThan(kept);
  const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen);
  // Where the pause kept it, or later if it was kept again by the clock; not at the beginning.
  expect(kept).toBeGreaterThan(0);
  expect(Number(/Small LLaDA: (\d+) of 500/.exec(seen[0])?.[1])).toBeGreaterThanOrEqual(kept);
  expect(await page.getByTestId('trains').innerText()).toBe('nano, seed 5: lists:4, sums:2-3');
  await page.getByTestId('pause-training').click();
  // Only the filter, on the weights that are open.
  await page.getByTestId('refit').click();
  const refit = page.getByTestId('refit-stage');
  await refit.filter({ hasText: /Records: \d+ of 64/ }).waitFor();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.waitForFunction(() => document.querySelector('[data-testid="refit-stage"]')?.textContent === '');
  expect(errors).toEqual([]);
  await close();
}, 240_000);

test('without an adapter the page says so and still shows the paper', async () => {
  const blind = await launchBrowser('no-adapter');
  const { page, close } = await openPage(blind, '#/learn2pd');
  await page.getByRole('alert').filter({ hasText: 'WebGPU' }).waitFor();
  await page.getByRole('heading', { name: 'What the paper reports' }).waitFor();
  await close();
  await blind.close();
});
