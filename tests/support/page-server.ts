// Set-up of the browser tests: the built page, served as a visitor gets it, and the sources, served module by module,
// so that a test can run any module of the engine or the simulator inside the browser.

import { resolve } from 'node:path';
import { createServer, type Plugin, preview, type ViteDevServer } from 'vite';
import type { TestProject } from 'vitest/node';
import { buildPage } from '../../scripts/build-page.mjs';
import { INSECURE_HOST, LOCAL_HOST } from '../../scripts/chromium-flags.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the built page, with a slash at the end; undefined if it could not be built. */
    pageUrl: string | undefined;
    /** Address of the repository's root as modules, with a slash at the end. */
    sourceUrl: string;
  }
}

const ROOT = resolve(import.meta.dirname, '../..');

function addressOf(server: { httpServer: unknown }): string {
  const { httpServer } = server as Pick<ViteDevServer, 'httpServer'>;
  const address = httpServer?.address();
  if (typeof address !== 'object' || !address) throw new Error('the server has no address');
  return `http://${LOCAL_HOST}:${address.port}/`;
}

/** A real answer of this server: a page that the test fulfils itself has no address, and may then fetch nothing local. */
const emptyPage: Plugin = {
  name: 'tenfold-empty-page',
  configureServer(server) {
    server.middlewares.use('/empty.html', (_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(
        '<!doctype html><link rel="icon" href="data:," /><script>window.loadModule = (path) => import(path);</script>',
      );
    });
  },
};

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Tests of single modules run even when the page does not build; tests of the page then say so.
  const page = buildPage()
    ? await preview({
        root: ROOT,
        logLevel: 'warn',
        preview: { port: 0, host: LOCAL_HOST, allowedHosts: [INSECURE_HOST] },
      })
    : undefined;
  project.provide('pageUrl', page && addressOf(page));
  const sources = await createServer({
    root: ROOT,
    logLevel: 'warn',
    appType: 'custom',
    cacheDir: '.cache/vite-e2e',
    // Packages are bundled up front: a package found later would reload the page under a running test.
    optimizeDeps: { entries: ['index.html', 'workers/*.ts', 'src/**/*.ts'] },
    plugins: [emptyPage],
    server: { port: 0, host: LOCAL_HOST, allowedHosts: [INSECURE_HOST], hmr: false, watch: null },
  });
  await sources.listen();
  project.provide('sourceUrl', addressOf(sources));
  return async () => {
    await Promise.all([page?.close(), sources.close()]);
  };
}
