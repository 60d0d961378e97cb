// Vite plugin: `import url from './x.ts?thread'` gives the file: URL of a bundle of x.ts that `new Worker(url)` of
// node:worker_threads starts. The command line's build (`vite build --ssr`) emits it beside main.js; tests, which have no
// build, get one in .cache/threads, named after the state of the sources. In a bundle for the page it is an error.

import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'vite';
import { ROOT } from './prepare.mjs';
import { stateOf } from './sources.mjs';

/** Packages whose entry for Node lacks the names that their entry for bundlers has. */
export const NODE_BUNDLED = ['comlink'];

const SUFFIX = '?thread';
const BUILDS = join(ROOT, '.cache/threads');

/** Folder of a bundle of `file`, built if there is none of these sources. */
async function bundle(file: string): Promise<string> {
  const name = basename(file, '.ts');
  const folder = join(BUILDS, `${name}-${stateOf(['src', 'workers', 'scripts', 'package-lock.json'], ['src/ui'])}`);
  if (!existsSync(folder)) {
    const { build } = await import('vite');
    const fresh = `${folder}.${process.pid}`;
    mkdirSync(fresh, { recursive: true });
    await build({
      configFile: false,
      root: ROOT,
      logLevel: 'warn',
      ssr: { noExternal: NODE_BUNDLED },
      build: { ssr: file, outDir: fresh, copyPublicDir: false, target: 'es2023' },
    });
    try {
      renameSync(fresh, folder);
    } catch {
      // Another process finished the same build first.
      rmSync(fresh, { recursive: true, force: true });
    }
  }
  return join(folder, `${name}.js`);
}

export const threadPlugin = (): Plugin => ({
  name: 'tenfold-thread',
  // Before Vite's own, which would make addresses of a web page.
  enforce: 'pre',
  async load(id) {
    if (!id.endsWith(SUFFIX)) return null;
    const file = id.slice(0, -SUFFIX.length);
    const { consumer, command } = this.environment.config;
    if (consumer === 'client') this.error(`${file} is a thread of Node: the page cannot start it`);
    if (command === 'build') {
      const reference = this.emitFile({ type: 'chunk', id: file, name: basename(file, '.ts') });
      return { code: `export default import.meta.ROLLUP_FILE_URL_${reference};`, moduleType: 'js' };
    }
    const url = pathToFileURL(await bundle(file)).href;
    return { code: `export default ${JSON.stringify(url)};`, moduleType: 'js' };
  },
  resolveFileUrl: ({ moduleId, relativePath }) =>
    moduleId.endsWith(SUFFIX) ? `new URL(${JSON.stringify(relativePath)}, import.meta.url).href` : null,
});
