// The shipped dream in a real browser: it moves, obeys, starts again from the truth, survives a lost device, and refuses
// files that are no checkpoint.

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PRELUDE_STEPS } from '../../src/ui/playground/protocol.ts';
import { launchBrowser, type OpenPage, openPage } from '../support/browser.ts';
import { changed, frameIndex, panePixels, waitForDream, waitForFrame, waitForStatus } from '../support/playground.ts';

const SHIPPED = existsSync(resolve(import.meta.dirname, '../../public/models/dreamer4/index.json'));
const index = { json: { files: [{ rung: 'x', file: 'x.safetensors', card: 'x.card.json', title: 'x' }] } };

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser('compute');
});

afterAll(() => browser?.close());

/** Keeps the weights of the shipped models from the page until the function that comes back is called. */
async function holdModel(page: Page): Promise<() => void> {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.context().route('**/models/dreamer4/*.safetensors', async (route) => {
    await held;
    await route.continue();
  });
  return () => release();
}

/**
 * Opens a link, keeps the model from it until the truth has walked `steps` steps, and hashes the first `count` dreamed
 * frames as they come from the worker. `walked`: true steps before the dream began.
 */
async function firstDreams(link: string, count: number, steps: number) {
  const { page, errors, close } = await openUnloaded();
  await page.addInitScript(() => {
    const seen = {
      walked: 0,
      actions: new Map<number, number>(),
      dreams: [] as { index: number; fill: number; rgb: Uint8Array }[],
    };
    Object.assign(window, { seen });
    window.Worker = class extends Worker {
      constructor(url: string | URL, options?: WorkerOptions) {
        super(url, options);
        this.addEventListener('message', ({ data }) => {
          const answer = data?.value;
          if (typeof answer?.action === 'number') {
            seen.actions.set(answer.index, answer.action);
            if (seen.dreams.length === 0) seen.walked = Math.max(seen.walked, answer.index);
          }
          const report = answer?.ok ? answer.value : undefined;
          if (typeof report?.ringFill === 'number') {
            seen.dreams.push({ index: report.index, fill: report.ringFill, rgb: report.rgb.slice() });
          }
        });
      }
    };
  });
  const release = await holdModel(page);
  await page.goto(new URL('.', page.url()).href + link);
  if (steps > 0) await waitForFrame(page, steps);
  release();
  const seen = await page.waitForFunction(
    (least) => {
      const { seen } = window as unknown as { seen: { walked: number; actions: Map<number, number>; dreams: [] } };
      return seen.dreams.length >= least && seen;
    },
    count,
    { timeout: 110_000 },
  );
  const found = await seen.evaluate(async (all, length) => {
    const { walked, actions, dreams } = all as unknown as {
      walked: number;
      actions: Map<number, number>;
      dreams: { index: number; fill: number; rgb: Uint8Array<ArrayBuffer> }[];
    };
    const hashed = dreams.slice(0, length).map(async ({ index, fill, rgb }) => {
      const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', rgb));
      return { index, fill, action: actions.get(index), hash: [...hash.subarray(0, 8)].join('.') };
    });
    return { walked, dreams: await Promise.all(hashed) };
  }, count);
  expect(errors.filter((e) => !e.includes('/favicon.ico'))).toEqual([]);
  await close();
  return found;
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
    await waitForDream(page);
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
      await waitForDream(page);
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByRole('button', { name: 'Restart' }).click();
      await page.waitForFunction(() => document.querySelector('[data-testid="frame-index"]')?.textContent === '0');
      await page.locator('[aria-label^="Dream and truth"]').focus();
      await page.keyboard.down(key);
      for (let i = 1; i <= 4; i++) {
        await page.keyboard.press('.');
        await waitForFrame(page, i);
      }
      await waitForDream(page);
      pictures.push(await panePixels(page, 'dream'));
      await close();
    }
    expect(changed(pictures[0], pictures[1])).toBeGreaterThan(0.3);
  });

  test('a link dreams the same frames however long the model takes to load', { timeout: 240_000 }, async () => {
    const prompt = await firstDreams('#/?seed=77&noise=5', 8, 0);
    const late = await firstDreams('#/?seed=77&noise=5', 8, 12);
    // Movement is there before the dream is, and the dream does not begin where that has got to.
    expect(late.walked).toBeGreaterThanOrEqual(12);
    expect(prompt.dreams.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    // The walk into the world, and nothing of what was seen while the model loaded.
    expect(prompt.dreams[0].fill).toBe(PRELUDE_STEPS + 2);
    expect(late.dreams).toEqual(prompt.dreams);
    expect(new Set(late.dreams.map(({ hash }) => hash)).size).toBe(8);
  });

  test('who walked before the model was there is not sent back to the start', async () => {
    const { page, close } = await openUnloaded();
    const release = await holdModel(page);
    await page.goto(`${new URL('.', page.url()).href}#/?seed=25`);
    await waitForFrame(page, 2);
    await page.keyboard.down('w');
    await waitForFrame(page, 6);
    release();
    await waitForDream(page);
    expect(await frameIndex(page)).toBeGreaterThan(6);
    await close();
  });

  test('after "dream from here" it is close to the truth again', async () => {
    const { page, close } = await openPage(browser, '#/?seed=25&renew=0');
    await waitForDream(page);
    const at = await frameIndex(page);
    await waitForFrame(page, at + 30, 60_000);
    await page.getByRole('button', { name: 'Pause' }).click();
    const drifted = Number(await page.getByTestId('psnr').textContent());
    await page.getByRole('button', { name: 'Dream from here' }).click();
    await waitForStatus(page, 'Paused.');
    const paused = await frameIndex(page);
    // A step that is asked for while the context is handed over may be lost: ask again if nothing came of it for long. Not
    // sooner, since every step drifts.
    for (let tries = 0; tries < 4 && (await frameIndex(page)) === paused; tries++) {
      await page.keyboard.press('.');
      await expect
        .poll(() => frameIndex(page), { timeout: 12_000 })
        .toBeGreaterThan(paused)
        .catch(() => {});
    }
    expect(await frameIndex(page)).toBeGreaterThan(paused);
    // Measured at nine places of this world: 4.3 to 10.3 dB above the drifted dream, which falls back within ten frames.
    await expect
      .poll(async () => Number(await page.getByTestId('psnr').textContent()), { timeout: 20_000 })
      .toBeGreaterThan(drifted + 3);
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
    await waitForDream(page);
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
