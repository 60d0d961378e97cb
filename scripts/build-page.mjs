// Builds the page into dist/ unless the build there is already that of the present sources.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './prepare.mjs';
import { stateOf } from './sources.mjs';

const SOURCES = [
  'index.html',
  'src',
  'workers',
  'shaders',
  'public',
  'vite.config.ts',
  'scripts/wesl-plugin.ts',
  'scripts/build-plugin.ts',
  'scripts/build-facts.mjs',
  'package-lock.json',
];

/** @returns {boolean} whether dist/ is good */
export function buildPage() {
  const stamp = join(ROOT, 'dist/.sources');
  const state = stateOf(SOURCES, ['src/cli']);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return true;
  console.error('Building the page ...');
  const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
  const { status } = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'warn'], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
    timeout: 300_000,
    // A test runner's NODE_ENV would build the development version of React.
    env: { ...process.env, NODE_ENV: 'production' },
  });
  if (status !== 0) return false;
  writeFileSync(stamp, state);
  return true;
}
