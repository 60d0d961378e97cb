// The GPU tab in Chromium on SwiftShader: the doctor, the whole proof with the counts that Node plans, measurements that
// start and stop, and kernels edited in place, bad ones included.

import { readFileSync } from 'node:fs';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countPlan, proofPlan } from '../../src/bench/proof.ts';
import { launchBrowser, type OpenPage, openPage } from '../support/browser.ts';

let browser: Browser;
let lab: OpenPage;
let page: Page;

beforeAll(async () => {
  browser = await launchBrowser('compute');
  lab = await openPage(browser, '#/gpu', { acceptDownloads: true });
  ({ page } = lab);
});

afterAll(async () => {
  await lab?.close();
  await browser?.close();
});

const see = (section: string) => page.getByTestId(`see-${section}`).click();

async function serious(): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}

/** Starts a job, waits until its first results are shown, and stops it. */
async function sample(job: string, result: string, atLeast = 1): Promise<void> {
  await page.getByTestId(`run-${job}`).click();
  await page.waitForFunction(
    ({ selector, count }) => document.querySelectorAll(selector).length >= count,
    { selector: result, count: atLeast },
    { timeout: 60_000 },
  );
  const stop = page.getByTestId(`stop-${job}`);
  if (await stop.isVisible()) await stop.click().catch(() => undefined);
  await page.getByTestId(`run-${job}`).waitFor({ timeout: 60_000 });
}

test('the doctor runs a kernel and draws a picture', async () => {
  const doctor = page.getByTestId('doctor');
  await doctor.waitFor({ timeout: 30_000 });
  const words = await doctor.innerText();
  expect(words).toContain('A kernel ran and gave the right numbers.');
  expect(words).toContain('A picture was drawn and read back, pixel by pixel right.');
  expect(words).toContain('WebGPU runs here on the processor');
  expect(await page.getByTestId('adapter').innerText()).toMatch(/swiftshader/i);
});

test('the proof holds, with the counts that Node plans for such an adapter', async () => {
  await see('proof');
  await page.getByTestId('run-proof').click();
  await page.getByTestId('run-proof').waitFor({ timeout: 420_000 });
  const plan = countPlan(proofPlan({ software: true, f16: false, subgroups: true, subgroupSize: 4 }));
  const count = async (name: string) => Number(await page.getByTestId(`proof-${name}`).innerText());
  expect(await count('failed')).toBe(0);
  for (const [name, planned] of Object.entries(plan)) expect(await count(name), name).toBe(planned);
  await page.getByRole('button', { name: 'ray caster' }).first().click();
  await page.getByTestId('proof-skipped').locator('summary').click();
  expect(await page.getByTestId('proof-skipped').innerText()).toContain(
    'Needing 16-bit floats (shader-f16): matmul nn (GPU, f16)',
  );
  expect(await page.getByTestId('proof-table').innerText()).toContain('8 states at 64 x 48, 2 x 2 samples');
  expect(await serious()).toEqual([]);
}, 480_000);

test('what was found can be saved as one JSON object', async () => {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('export-json').click()]);
  const report = JSON.parse(readFileSync(await download.path(), 'utf8'));
  expect(report).toMatchObject({ kind: 'tenfold bench', counts: { failed: 0 }, adapter: { software: true } });
  expect(report.proof).toHaveLength(report.counts.cases + report.counts.gradients);
  expect(report.runtime).toMatch(/Chrome/);
  expect(Date.parse(report.date)).toBeGreaterThan(0);
  expect(report.doctor.length).toBeGreaterThan(3);
});

test('roofline, growth and methods: measured, drawn, stopped when asked', async () => {
  await see('roofline');
  await sample('tiles', '[data-testid="tiles-table"] tbody tr');
  await sample('roofline', '[data-testid="roofline-table"] tbody tr', 3);
  expect(await page.getByTestId('roof').innerText()).toMatch(/[\d.]+ [GM]FLOP\/s/);
  expect(await page.locator('figure svg circle').count()).toBeGreaterThan(2);
  expect(await serious()).toEqual([]);
  await see('growth');
  await sample('growth', '[data-testid="growth-curve"]');
  expect(await page.getByTestId('growth-curve').first().innerText()).toMatch(/exponent [\d.]+, expected 2/);
  await see('methods');
  await sample('methods', '[data-testid="methods-table"] tbody tr');
  expect(await page.getByTestId('methods-table').innerText()).toContain('reference GPT');
}, 240_000);

test('the versions of a kernel are raced on this adapter', async () => {
  await see('versions');
  await page.getByRole('button', { name: /^rmsnorm ≡/ }).click();
  expect(page.url()).toContain('kernel=rmsnorm');
  await page.getByRole('button', { name: 'race these' }).click();
  await page.waitForFunction(
    () => /ms[\s\S]*1\.00 x/.test(document.querySelector('[data-testid="ladder"]')?.textContent ?? ''),
    null,
    { timeout: 60_000 },
  );
  expect(await page.getByTestId('ladder').locator('tbody tr').count()).toBe(3);
  expect(await serious()).toEqual([]);
}, 90_000);

/** Types a changed source, tries it and returns what the report says. */
async function tryEdit(from: string, to: string): Promise<{ state: string; words: string; marked: string[] }> {
  const source = page.getByTestId('wgsl');
  const text = await source.inputValue();
  expect(text).toContain(from);
  await source.fill(text.replace(from, to));
  await page.getByTestId('edit-try').click();
  const report = page.getByTestId('edit-report');
  await page.waitForFunction(
    () =>
      !['running', undefined].includes(
        document.querySelector<HTMLElement>('[data-testid="edit-report"]')?.dataset.state,
      ),
    null,
    { timeout: 60_000 },
  );
  const marked = await page.locator('[data-bad="true"]').allInnerTexts();
  const result = { state: (await report.getAttribute('data-state')) ?? '', words: await report.innerText(), marked };
  await page.getByTestId('edit-reset').click();
  expect(await source.inputValue()).toBe(text);
  return result;
}

test('a kernel is edited in place: right, wrong, out of bounds, endless, not WGSL; the tab goes on', async () => {
  await page.getByTestId('wgsl').waitFor();
  const store = 'rstd[row] = r;';
  const wrong = await tryEdit('+ params.eps', '+ params.eps + 0.5');
  expect(wrong).toMatchObject({ state: 'wrong' });
  expect(wrong.words).toMatch(/Wrong in 4 of 4 cases[\s\S]*instead of/);
  const outside = await tryEdit(store, `${store} rstd[row + params.rows + 4u] = r;`);
  expect(outside.words).toMatch(/out of bounds: it wrote \d+ words past the end/);
  const typo = await tryEdit(store, 'rstd[row] = nowhere;');
  expect(typo).toMatchObject({ state: 'error' });
  const lines = readFileSync('shaders/ops/rmsnorm.wgsl', 'utf8').split('\n');
  const line = lines.findIndex((text) => text.includes(store)) + 1;
  expect(typo.words).toMatch(new RegExp(`ops/rmsnorm\\.wgsl:${line} .*nowhere`));
  expect(typo.marked).toEqual([String(line)]);
  expect(wrong.marked).toEqual([]);
  const endless = await tryEdit(store, `${store} while (r > 0.0) { rstd[row] = r; }`);
  expect(endless.words).toMatch(/A loop does not end/);
  const right = await tryEdit(store, `let copy = r; rstd[row] = copy;`);
  expect(right).toMatchObject({ state: 'done' });
  expect(right.words).toMatch(/Right in all 4 cases[\s\S]*Before [\d.]+ .s .* after [\d.]+ .s/);
}, 180_000);

test('a draft is marked, can be exported, and is gone after a reload', async () => {
  const source = page.getByTestId('wgsl');
  const text = await source.inputValue();
  await source.fill(`${text}// mine\n`);
  expect(await page.getByRole('button', { name: /^rmsnorm ≡ edited/ }).count()).toBe(1);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('edit-export').click()]);
  expect(download.suggestedFilename()).toBe('rmsnorm.wgsl');
  expect(readFileSync(await download.path(), 'utf8')).toBe(`${text}// mine\n`);
  await page.reload();
  await source.waitFor({ timeout: 30_000 });
  expect(await source.inputValue()).toBe(text);
  expect(lab.errors).toEqual([]);
});

test('on a phone nothing is wider than the screen, and every section is reached by keyboard', async () => {
  await page.setViewportSize({ width: 390, height: 800 });
  for (const section of ['device', 'proof', 'roofline', 'versions', 'race', 'methods', 'growth']) {
    const link = page.getByTestId(`see-${section}`);
    await link.focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction((id) => document.querySelector(`[data-testid="see-${id}"][aria-current]`), section);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width, section).toBeLessThanOrEqual(390);
  }
});
