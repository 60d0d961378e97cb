// `npm run lab -- ...`: bundles src/cli/main.ts if its sources changed, chooses the adapter and runs it.
// Standard output belongs to the command alone; everything from here goes to standard error.
// Each state of the sources has its own folder, so that a long run keeps its files while the sources change under it.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { checkNode, ensurePackages, ROOT } from './prepare.mjs';

checkNode();
ensurePackages();

const { stateOf } = await import('./sources.mjs');
const { adapterEnv } = await import('./find-adapter.mjs');

const BUILDS = join(ROOT, '.cache/lab');
const SOURCES = [
  'src',
  'workers',
  'shaders',
  'vite.config.ts',
  'scripts/wesl-plugin.ts',
  'scripts/build-plugin.ts',
  'scripts/thread-plugin.ts',
  'scripts/build-facts.mjs',
  'package-lock.json',
];
const KEEP_DAYS = 3;

function bundle() {
  const folder = join(BUILDS, stateOf(SOURCES, ['src/ui']));
  const main = join(folder, 'main.js');
  if (!existsSync(main)) {
    const fresh = `${folder}.${process.pid}`;
    const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
    const args = ['build', '--ssr', 'src/cli/main.ts', '--outDir', fresh, '--sourcemap', '--logLevel', 'warn'];
    const { status } = spawnSync(process.execPath, [vite, ...args], {
      cwd: ROOT,
      stdio: ['ignore', 2, 2],
      timeout: 300_000,
    });
    if (status !== 0) {
      rmSync(fresh, { recursive: true, force: true });
      console.error('lab: the command line could not be built; the reason stands above');
      process.exit(1);
    }
    try {
      renameSync(fresh, folder);
    } catch {
      // Another process finished the same build first.
      rmSync(fresh, { recursive: true, force: true });
    }
    removeOldBuilds();
  }
  const now = new Date();
  utimesSync(folder, now, now);
  return main;
}

function removeOldBuilds() {
  const oldest = Date.now() - KEEP_DAYS * 86_400_000;
  for (const name of readdirSync(BUILDS)) {
    const folder = join(BUILDS, name);
    if (statSync(folder).mtimeMs < oldest) rmSync(folder, { recursive: true, force: true });
  }
}

mkdirSync(BUILDS, { recursive: true });
const main = bundle();
const { env } = adapterEnv();
const child = spawn(process.execPath, ['--enable-source-maps', main, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, ...env },
});
// A terminal sends Ctrl+C to the child as well; the child decides what to save, and this process waits for it.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => {
  if (signal) console.error(`lab: ended by ${signal}`);
  process.exit(code ?? 1);
});
