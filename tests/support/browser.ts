// A browser for the tests below tests/e2e: Chromium on SwiftShader, with the built page or with single modules,
// and what the console said.

import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright';
import { inject } from 'vitest';
import { CHROMIUM_FLAGS, INSECURE_HOST, LOCAL_HOST } from '../../scripts/chromium-flags.mjs';
import { findChromium } from '../../scripts/find-chromium.mjs';

export async function launchBrowser(mode: keyof typeof CHROMIUM_FLAGS = 'compute'): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error('no Chromium or Chrome found: set CHROMIUM to its path');
  return chromium.launch({ executablePath, headless: true, args: CHROMIUM_FLAGS[mode] });
}

export interface OpenOptions extends BrowserContextOptions {
  /** Open it over plain http from a host that is not this machine: no secure context, so no `navigator.gpu`, workers included. */
  insecure?: boolean;
}

export interface OpenPage {
  page: Page;
  /** console.error lines, uncaught exceptions and failed requests, in order. A test that expects none says so at its end. */
  errors: string[];
  close(): Promise<void>;
}

/** Opens the built page at a route such as '#/gpu', in a context of its own (no shared storage). */
export async function openPage(browser: Browser, route = '', options: OpenOptions = {}): Promise<OpenPage> {
  const url = inject('pageUrl');
  if (url === undefined) throw new Error('the page could not be built: see the start of this run');
  const opened = await newPage(browser, options);
  await opened.page.goto(hostFor(url, options) + route);
  return opened;
}

declare global {
  interface Window {
    /** In pages of `openSources`: imports a module of the repository. (A test's own `import()` is rewritten for Node.) */
    loadModule<Module>(path: string): Promise<Module>;
  }
}

/**
 * Opens an empty page that can import the repository's modules: inside `page.evaluate`,
 * `await window.loadModule<typeof import('../../src/gpu/rng.ts')>('/src/gpu/rng.ts')` gives the module.
 * A linked shader is at `/shaders/lib/rng.wgsl?import&link`. `body` is the page's HTML.
 */
export async function openSources(browser: Browser, body = '', options: OpenOptions = {}): Promise<OpenPage> {
  const opened = await newPage(browser, options);
  await opened.page.goto(`${hostFor(inject('sourceUrl'), options)}empty.html`);
  await opened.page.evaluate((html) => {
    document.body.innerHTML = html;
  }, body);
  return opened;
}

function hostFor(url: string, options: OpenOptions): string {
  return options.insecure ? url.replace(LOCAL_HOST, INSECURE_HOST) : url;
}

async function newPage(browser: Browser, { insecure: _, ...options }: OpenOptions): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  // Everything in a page waits for one CPU adapter here, and another test file may be at work beside it.
  context.setDefaultTimeout(90_000);
  const page = await context.newPage();
  return { page, errors: collectErrors(page), close: () => context.close() };
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
