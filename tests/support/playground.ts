// What tests of the playground do again and again: wait for the world, read a pane's pixels, wait for a status.

import type { Page } from 'playwright';

/** RGBA bytes of a pane at the model's resolution. The canvas belongs to a worker; the page may still draw from it. */
export function panePixels(page: Page, pane: 'truth' | 'dream'): Promise<number[]> {
  return page.evaluate((testId) => {
    const canvas = document.querySelector<HTMLCanvasElement>(`[data-testid="${testId}"]`);
    const copy = document.createElement('canvas');
    copy.width = 64;
    copy.height = 48;
    const context = copy.getContext('2d');
    if (!canvas || !context) throw new Error(`no canvas ${testId}`);
    context.drawImage(canvas, 0, 0);
    return [...context.getImageData(0, 0, 64, 48).data];
  }, pane);
}

/** Share of pixels that differ, 0..1, inside a box of frame pixels. */
export function changed(a: number[], b: number[], [x0, y0, x1, y1] = [0, 0, 64, 48]): number {
  let count = 0;
  for (let y = y0; y < y1; y++)
    for (let x = x0; x < x1; x++) {
      const i = (y * 64 + x) * 4;
      if (a[i] !== b[i] || a[i + 1] !== b[i + 1] || a[i + 2] !== b[i + 2]) count++;
    }
  return count / ((x1 - x0) * (y1 - y0));
}

export async function frameIndex(page: Page): Promise<number> {
  return Number(await page.getByTestId('frame-index').textContent());
}

export async function waitForFrame(page: Page, atLeast: number, timeout = 90_000): Promise<void> {
  await page.waitForFunction(
    (index) => Number(document.querySelector('[data-testid="frame-index"]')?.textContent) >= index,
    atLeast,
    { timeout },
  );
}

/** Until a dreamed frame has been compared with the truth. */
export async function waitForDream(page: Page, timeout = 90_000): Promise<void> {
  await page.waitForFunction(
    () => /^\d/.test(document.querySelector('[data-testid="psnr"]')?.textContent ?? ''),
    null,
    { timeout },
  );
}

export async function waitForStatus(page: Page, words: string, timeout = 90_000): Promise<void> {
  await page.waitForFunction(
    (text) => document.querySelector('[data-testid="status"]')?.textContent?.includes(text),
    words,
    { timeout },
  );
}

/** Pauses, and goes back to frame 0 of the present world. */
export async function toStart(page: Page): Promise<void> {
  if ((await page.getByRole('button', { name: 'Pause' }).count()) > 0) {
    await page.getByRole('button', { name: 'Pause' }).click();
  }
  await page.getByRole('button', { name: 'Restart' }).click();
  await page.waitForFunction(() => document.querySelector('[data-testid="frame-index"]')?.textContent === '0');
}
