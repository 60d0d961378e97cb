// `npm run test:clone`: what a newcomer does. Clones HEAD into a temporary folder and, with an empty home, runs `npm start` until the
// page answers, then `npm test`. `--start-only` leaves the tests out. Needs git and a network; takes what `npm test` takes and some minutes.

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkNode, ROOT } from './prepare.mjs';

checkNode();

const MINUTES = 20;
const argv = process.argv.slice(2);
const startOnly = argv.includes('--start-only');
const unknown = argv.find((word) => word !== '--start-only');
if (unknown !== undefined) {
  console.error(`${unknown}: not understood; usage: npm run test:clone -- [--start-only]`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'tenfold-clone-'));
const cwd = join(folder, 'tenfold');
const home = join(folder, 'home');
mkdirSync(home);
// No cache, setting or adapter of this user; npm's own variables would point into this checkout.
const kept = Object.entries(process.env).filter(
  ([name]) => !/^(npm_|TENFOLD_|XDG_|NODE_OPTIONS$|INIT_CWD$)/i.test(name),
);
const env = { ...Object.fromEntries(kept), HOME: home, USERPROFILE: home };
const shell = process.platform === 'win32';

/** `npm start` until the page and its script answer; gives the address. */
async function start() {
  // A group of its own: npm has children, and all of them end with it.
  const server = spawn('npm', ['start'], { cwd, env, shell, detached: !shell, stdio: ['ignore', 'pipe', 'inherit'] });
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  try {
    const url = await new Promise((resolve, reject) => {
      let text = '';
      timer = setTimeout(
        () => reject(new Error(`npm start printed no address in ${MINUTES} minutes`)),
        MINUTES * 60_000,
      );
      server.stdout.on('data', (chunk) => {
        text += chunk;
        const found = /^Tenfold is at (\S+)$/m.exec(text);
        if (found) resolve(found[1]);
      });
      server.on('error', reject);
      server.on('exit', (code) => reject(new Error(`npm start ended with ${code}`)));
    });
    const page = await fetch(url);
    const html = await page.text();
    const script = /<script type="module"[^>]* src="([^"]+)"/.exec(html);
    if (!page.ok || !script) throw new Error(`${url} answered ${page.status}, without the page`);
    const code = await fetch(new URL(script[1], url));
    if (!code.ok || !/javascript/.test(code.headers.get('content-type') ?? '')) {
      throw new Error(`${script[1]} answered ${code.status}`);
    }
    return url;
  } finally {
    clearTimeout(timer);
    if (server.pid !== undefined && server.exitCode === null) {
      if (shell) server.kill();
      else process.kill(-server.pid, 'SIGTERM');
    }
  }
}

let failed = false;
try {
  const { status } = spawnSync('git', ['clone', '--quiet', '--no-local', ROOT, cwd], { stdio: 'inherit', env, shell });
  if (status !== 0) throw new Error('git clone failed');
  console.log(`npm start: the page answered at ${await start()}`);
  if (!startOnly) {
    const tests = spawnSync('npm', ['test'], { cwd, env, shell, stdio: 'inherit' });
    if (tests.status !== 0) throw new Error('npm test failed in the clone');
    console.log('npm test passed');
  }
} catch (error) {
  failed = true;
  console.error(`fresh clone: ${error instanceof Error ? error.message : error}`);
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
}
process.exit(failed ? 1 : 0);
