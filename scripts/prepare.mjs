// What every command does first: the Node version, and packages that match package-lock.json.
// No imports of packages here, and no syntax newer than Node 16: an old Node must get as far as the clear message.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const NEEDED = [20, 19];

/** Ends the process with one clear line if this Node is too old. */
export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return;
  console.error(
    `Tenfold needs Node ${NEEDED.join('.')} or newer; this is ${process.versions.node} (https://nodejs.org).`,
  );
  process.exit(1);
}

/** @param {string} name */
function readLock(name) {
  try {
    return JSON.parse(readFileSync(join(ROOT, name), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function packagesMatch() {
  const wanted = readLock('package-lock.json');
  const installed = readLock('node_modules/.package-lock.json');
  if (!wanted || !installed) return false;
  // An optional package may be absent: most of them are builds for other platforms.
  return Object.entries(wanted).every(([path, { version, optional, devOptional }]) => {
    if (path === '') return true;
    const found = installed[path];
    return found ? found.version === version : Boolean(optional || devOptional);
  });
}

/** Installs the packages of package-lock.json unless they are there. Everything it prints goes to standard error. */
export function ensurePackages() {
  if (packagesMatch()) return;
  console.error('Installing packages (npm ci) ...');
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
    env: { ...process.env, PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' },
  });
  if (status === 0) return;
  console.error(`npm ci failed${error ? `: ${error.message}` : ''}. Is there a network, and room on the disk?`);
  process.exit(1);
}
