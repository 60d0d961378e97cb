// For `npm test` on a bare Debian machine, as root: installs the browser and, if it can be had, a fast CPU adapter.
// The browser brings SwiftShader, which is enough; lavapipe (5 times faster, with f16) is a bonus, and its absence no failure.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './prepare.mjs';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const PATIENCE = ['-o', 'Acquire::http::Timeout=30', '-o', 'Acquire::Retries=2', '-o', 'DPkg::Lock::Timeout=120'];

function mayInstall() {
  return process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

/** @param {string[]} args @param {number} minutes */
function apt(args, minutes) {
  const { status } = spawnSync('apt-get', [...PATIENCE, ...args], {
    stdio: ['ignore', 'ignore', 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: minutes * 60_000,
  });
  return status === 0;
}

/** Installs Debian's Chromium if that is possible here. */
export function installChromium() {
  if (!mayInstall()) return false;
  console.error('Installing Chromium and the Vulkan loader (apt-get) ...');
  const packages = ['install', '-y', '--no-install-recommends', 'chromium', 'libvulkan1'];
  return apt(packages, 5) || (apt(['update'], 3) && apt(packages, 8));
}

/** Tries to install a lavapipe that is new enough for Dawn: Debian 12 has it in its backports only. */
export function tryLavapipe() {
  if (!mayInstall() || process.env.TENFOLD_NO_LAVAPIPE) return;
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  if (!/^ID=debian$/m.test(release)) return;
  console.error('Trying to install lavapipe (apt-get) ...');
  const install = ['install', '-y', '--no-install-recommends', 'mesa-vulkan-drivers', 'libvulkan1'];
  if (!/^VERSION_CODENAME=bookworm$/m.test(release)) {
    apt(install, 4);
    return;
  }
  if (!existsSync(KEYRING)) return;
  // The extra source exists for these two commands only: the machine's own list of sources stays as it is.
  const parts = join(ROOT, '.cache/apt-sources');
  rmSync(parts, { recursive: true, force: true });
  mkdirSync(parts, { recursive: true });
  const own = '/etc/apt/sources.list.d';
  if (existsSync(own)) for (const name of readdirSync(own)) cpSync(join(own, name), join(parts, name));
  const lines = ['Types: deb', 'URIs: http://deb.debian.org/debian', 'Suites: bookworm-backports', 'Components: main'];
  writeFileSync(join(parts, 'tenfold-backports.sources'), `${[...lines, `Signed-By: ${KEYRING}`].join('\n')}\n`);
  const extra = ['-o', `Dir::Etc::SourceParts=${parts}`];
  if (apt([...extra, 'update'], 2)) apt([...extra, '-t', 'bookworm-backports', ...install], 4);
  rmSync(parts, { recursive: true, force: true });
}
