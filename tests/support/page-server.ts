// Set-up of the browser tests: builds the page once if its sources changed and serves it for all of them.

import { resolve } from 'node:path';
import { preview } from 'vite';
import type { TestProject } from 'vitest/node';
import { buildPage } from '../../scripts/build-page.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the built page, with a slash at the end. */
    pageUrl: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (!buildPage()) throw new Error('the page could not be built');
  const server = await preview({
    root: resolve(import.meta.dirname, '../..'),
    logLevel: 'warn',
    preview: { port: 0, host: '127.0.0.1' },
  });
  const address = server.httpServer.address();
  if (typeof address !== 'object' || address === null) throw new Error('the page server has no address');
  project.provide('pageUrl', `http://127.0.0.1:${address.port}/`);
  return () => server.close();
}
