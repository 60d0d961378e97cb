// `npm test`: installs what is missing, then type check, lint, tests in Node and tests in a browser, one after the other.
// `npm run test:long` runs tests/long instead. The last line sums up: the type check and the lint count as one test each.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkNode, ensurePackages, ROOT } from './prepare.mjs';

checkNode();
ensurePackages();

const { findChromium } = await import('./find-chromium.mjs');
const { adapterEnv } = await import('./find-adapter.mjs');
const { installChromium, tryLavapipe } = await import('./install-adapter.mjs');

const long = process.argv.includes('--long');
const REPORTS = join(ROOT, '.cache/test');
const total = { passed: 0, failed: 0, skipped: 0 };

/**
 * @param {string} title
 * @param {string[]} args of Node
 * @param {number} minutes
 */
function execute(title, args, minutes) {
  console.log(`\n== ${title}`);
  const { status, signal } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
    timeout: minutes * 60_000,
    killSignal: 'SIGKILL',
  });
  if (signal) console.log(`${title}: stopped by ${signal} (limit: ${minutes} minutes)`);
  return status === 0;
}

/** @param {string} title @param {string[]} args @param {number} minutes */
function check(title, args, minutes) {
  if (execute(title, args, minutes)) total.passed++;
  else total.failed++;
}

/** @param {string} title @param {string} project @param {number} minutes */
function vitest(title, project, minutes) {
  const report = join(REPORTS, `${project}.json`);
  rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', project, '--passWithNoTests', ...reporters];
  const good = execute(title, args, minutes);
  let failed = 0;
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    failed = result.numFailedTests;
    total.passed += result.numPassedTests;
    total.skipped += result.numPendingTests + result.numTodoTests;
  } catch {
    console.log(`${title}: no report was written`);
  }
  // A file that does not load, or an error outside of every test, fails the run without failing a test.
  if (!good && failed === 0) failed = 1;
  total.failed += failed;
}

const started = performance.now();
if (!findChromium() && !installChromium()) {
  console.log(
    'No Chromium or Chrome was found and none could be installed: set CHROMIUM to its path. Browser tests will fail.',
  );
}
let adapter = adapterEnv();
if (adapter.name === 'none' || adapter.name === 'swiftshader') {
  if (process.env.TENFOLD_ADAPTER !== 'swiftshader') tryLavapipe();
  adapter = adapterEnv();
}
const environment = adapter.env;
console.log(`Adapter for the tests in Node: ${adapter.name}`);
mkdirSync(REPORTS, { recursive: true });

if (long) {
  vitest('Long tests', 'long', 120);
} else {
  check('Types', ['node_modules/typescript/bin/tsc', '--noEmit'], 3);
  check('Lint and format', ['node_modules/@biomejs/biome/bin/biome', 'check', '.', '--colors=off'], 2);
  vitest('Tests in Node', 'unit', 15);
  vitest('Tests in a browser', 'e2e', 15);
}

const minutes = (performance.now() - started) / 60_000;
console.log(`\nTook ${minutes.toFixed(1)} minutes.`);
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
