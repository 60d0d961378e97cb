// The shipped dream in a real browser: it moves, obeys, starts again from the truth, survives a lost device, and refuses
// files that are no checkpoint.

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser, type OpenPage, openPage } from '../support/browser.ts';
import { changed, frameIndex, panePixels, waitForFrame, waitForStatus } from '../support/playground.ts';

const SHIPPED = existsSync(resolve(import.meta.dirname, '../../public/models/dreamer4/index.json'));
const index = { json: { files: [{ rung: 'x', file: 'x.safetensors', card: 'x.card.json', title: 'x' }] } };

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser('compute');
});

afterAll(() => browser?.close());

async function dreaming(page: Page): Promise<void> {
  await page.waitForFunction(
    () => /^\d/.test(document.querySelector('[data-testid="psnr"]')?.textContent ?? ''),
    null,
    {
      timeout: 60_000,
    },
  );
}

/** At the page's address but without the page, so that requests can be rerouted before it loads. */
async function openUnloaded(): Promise<OpenPage> {
  const opened = await openPage(browser, 'icon.svg');
  // A picture on its own makes the browser ask for /favicon.ico.
  opened.errors.length = 0;
  return opened;
}

/** A page whose checkpoint is what the test says, whatever the build ships. */
async function withCheckpoint(bytes: Buffer): Promise<OpenPage> {
  const opened = await openUnloaded();
  const context = opened.page.context();
  await context.route('**/models/dreamer4/index.json', (route) => route.fulfill(index));
  await context.route('**/models/dreamer4/x.safetensors', (route) => route.fulfill({ body: bytes }));
  await opened.page.goto(new URL('.', opened.page.url()).href);
  return opened;
}

describe.skipIf(!SHIPPED)('the shipped dream', () => {
  test('moves beside the truth, is measured, and shows its denoising', async () => {
    const { page, errors, close } = await openPage(browser, '#/?seed=25&film=1&overlay=1');
    await dreaming(page);
    const before = await panePixels(page, 'dream');
    expect(new Set(before).size).toBeGreaterThan(16);
    const at = await frameIndex(page);
    await waitForFrame(page, at + 8);
    expect(changed(before, await panePixels(page, 'dream'))).toBeGreaterThan(0.2);
    expect(Number(await page.getByTestId('psnr').textContent())).toBeGreaterThan(8);
    await page.getByRole('img', { name: /denoising steps/ }).waitFor();
    // Nobody plays: the dream looks at the truth now and then, until it is told to go on by itself.
    await waitForStatus(page, 'every 6 s');
    await page.getByRole('button', { name: 'Let it dream on' }).click();
    await page.getByRole('button', { name: 'Show it the truth every 6 s' }).waitFor();
    expect(page.url()).toContain('renew=0');
    expect(await page.getByTestId('status').textContent()).not.toContain('every');
    expect(errors).toEqual([]);
    await close();
  });

  test('answers to the visitor’s keys: two pages that differ in one held key dream apart', async () => {
    const pictures: number[][] = [];
    for (const key of ['ArrowRight', 'ArrowLeft']) {
      const { page, close } = await openPage(browser, '#/?seed=25&noise=3');
      await dreaming(page);
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByRole('button', { name: 'Restart' }).click();
      await page.waitForFunction(() => document.querySelector('[data-testid="frame-index"]')?.textContent === '0');
      await page.locator('[aria-label^="Dream and truth"]').focus();
      await page.keyboard.down(key);
      for (let i = 1; i <= 4; i++) {
        await page.keyboard.press('.');
        await waitForFrame(page, i);
      }
      await dreaming(page);
      pictures.push(await panePixels(page, 'dream'));
      await close();
    }
    expect(changed(pictures[0], pictures[1])).toBeGreaterThan(0.3);
  });

  test('after "dream from here" it is close to the truth again', async () => {
    const { page, close } = await openPage(browser, '#/?seed=25&renew=0');
    await dreaming(page);
    const at = await frameIndex(page);
    await waitForFrame(page, at + 30, 60_000);
    await page.getByRole('button', { name: 'Pause' }).click();
    const drifted = Number(await page.getByTestId('psnr').textContent());
    await page.getByRole('button', { name: 'Dream from here' }).click();
    await waitForStatus(page, 'Paused.');
    const paused = await frameIndex(page);
    // A step that is asked for while the context is handed over is not taken: ask until it is.
    await expect
      .poll(
        async () => {
          await page.keyboard.press('.');
          return frameIndex(page);
        },
        { timeout: 60_000, interval: 700 },
      )
      .toBeGreaterThan(paused);
    // Measured at three places of two worlds: 7.5 to 15 dB above the drifted dream, which falls back within ten frames.
    await expect
      .poll(async () => Number(await page.getByTestId('psnr').textContent()), { timeout: 20_000 })
      .toBeGreaterThan(drifted + 5);
    await close();
  });

  test('a lost device is rebuilt and the dream goes on', async () => {
    const { page, errors, close } = await openUnloaded();
    // The worker's own script, with one more line: it listens for the order to lose its device.
    await page.context().route('**/assets/gpu-*.js', async (route) => {
      const answer = await route.fetch();
      const listen = `
        const orders = new BroadcastChannel('lose');
        const request = GPUAdapter.prototype.requestDevice;
        GPUAdapter.prototype.requestDevice = async function (...a) {
          const device = await request.apply(this, a);
          orders.onmessage = () => device.destroy();
          return device;
        };`;
      await route.fulfill({ response: answer, body: listen + (await answer.text()) });
    });
    await page.goto(new URL('.', page.url()).href);
    await dreaming(page);
    const at = await frameIndex(page);
    await page.evaluate(() => new BroadcastChannel('lose').postMessage('now'));
    await waitForStatus(page, 'Rebuilding');
    await waitForFrame(page, at + 12, 60_000);
    await waitForStatus(page, 'scripted player');
    const before = await panePixels(page, 'dream');
    await waitForFrame(page, at + 16, 60_000);
    expect(changed(before, await panePixels(page, 'dream'))).toBeGreaterThan(0.05);
    // The picture that openUnloaded shows makes the browser ask for an icon, sometimes late.
    expect(errors.filter((e) => !e.includes('/favicon.ico'))).toEqual([]);
    await close();
  });

  test('a truncated copy of the shipped file is refused, and the truth plays on', async () => {
    const folder = resolve(import.meta.dirname, '../../public/models/dreamer4');
    const { files } = JSON.parse(readFileSync(resolve(folder, 'index.json'), 'utf8'));
    const bytes = readFileSync(resolve(folder, files[0].file));
    const { page, close } = await withCheckpoint(bytes.subarray(0, bytes.length >> 1));
    expect(await page.getByRole('alert').textContent()).toMatch(/cannot be played/);
    const at = await frameIndex(page);
    await waitForFrame(page, at + 5);
    await close();
  });
});

describe('a bad checkpoint', () => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('<!doctype html><title>Not found</title>')],
    ['a foreign safetensors', foreign()],
  ])('%s is refused in one message, and the truth plays on', async (_, bytes) => {
    const { page, errors, close } = await withCheckpoint(bytes);
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(/cannot be played: .+\./);
    const at = await frameIndex(page);
    await waitForFrame(page, at + 5);
    expect(errors).toEqual([]);
    await close();
  });
});

/** A correct safetensors file of somebody else's model. */
function foreign(): Buffer {
  const header = Buffer.from(JSON.stringify({ weight: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(8)]);
}
