// A browser for the tests below tests/e2e: Chromium on SwiftShader, the built page's address, and what the console said.

import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright';
import { inject } from 'vitest';
import { findChromium } from '../../scripts/find-chromium.mjs';

/** Without the WebGPU pair there is no adapter in a headless Chromium on a machine without a GPU. */
const COMPUTE_FLAGS = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-gpu-watchdog',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Needed for WebGPU and WebGL canvases to appear in screenshots; the work is done without them as well, only unseen. */
const PICTURE_FLAGS = ['--enable-features=Vulkan', '--use-vulkan=swiftshader', '--use-angle=swiftshader'];

/** No WebGPU at all: for what the page says then. */
const NO_WEBGPU_FLAGS = ['--no-sandbox', '--disable-features=WebGPU', '--disable-background-networking'];

const FLAGS = {
  compute: COMPUTE_FLAGS,
  pictures: [...COMPUTE_FLAGS, ...PICTURE_FLAGS],
  'no-webgpu': NO_WEBGPU_FLAGS,
};

export async function launchBrowser(mode: keyof typeof FLAGS = 'compute'): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error('no Chromium or Chrome found: set CHROMIUM to its path');
  return chromium.launch({ executablePath, headless: true, args: FLAGS[mode] });
}

export interface OpenPage {
  page: Page;
  /** console.error lines, uncaught exceptions and failed requests, in order. A test that expects none says so at its end. */
  errors: string[];
  close(): Promise<void>;
}

/** Opens the built page at a route such as '#/gpu', in a context of its own (no shared storage). */
export async function openPage(browser: Browser, route = '', options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const errors = collectErrors(page);
  await page.goto(inject('pageUrl') + route);
  return { page, errors, close: () => context.close() };
}

function collectErrors(page: Page): string[] {
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(`${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => errors.push(`uncaught: ${error.stack ?? error.message}`));
  page.on('requestfailed', (request) => {
    // A page that is left or reloaded cancels its downloads; that is not an error.
    const reason = request.failure()?.errorText ?? 'failed';
    if (reason !== 'net::ERR_ABORTED') errors.push(`${request.url()}: ${reason}`);
  });
  return errors;
}
