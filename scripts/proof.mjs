// `npm run proof -- [lavapipe] [swiftshader]`: the proof of every kernel, variant and gradient in Node on both CPU adapters that tests
// know, one after the other, with the counts that the GPU tab plans for such an adapter. Exit code 1: something does not hold, is
// missing, or no adapter was found.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { checkNode, ensurePackages, ROOT } from './prepare.mjs';

checkNode();
ensurePackages();

/** What the engine knows of these adapters (src/gpu/device.ts). */
const KNOWN = {
  lavapipe: { software: true, lavapipe: true, f16: true, subgroups: true, subgroupSize: 8 },
  swiftshader: { software: true, f16: false, subgroups: true, subgroupSize: 4 },
};
const names = /** @type {(keyof typeof KNOWN)[]} */ (Object.keys(KNOWN));

const argv = process.argv.slice(2);
const unknown = argv.find((name) => !Object.hasOwn(KNOWN, name));
if (unknown) {
  console.error(`${unknown}: not understood; usage: npm run proof -- [lavapipe] [swiftshader]`);
  process.exit(2);
}

const [{ createServer }, { adapterEnv }] = await Promise.all([import('vite'), import('./find-adapter.mjs')]);
const server = await createServer({
  root: ROOT,
  logLevel: 'error',
  appType: 'custom',
  server: { middlewareMode: true },
});
const { proofPlan, countPlan } = await server.ssrLoadModule('/src/bench/proof.ts');
const plans = Object.fromEntries(names.map((name) => [name, countPlan(proofPlan(KNOWN[name]))]));
await server.close();

let proven = 0;
let failed = 0;
for (const name of names) {
  if (argv.length > 0 && !argv.includes(name)) continue;
  if (adapterEnv(name).name === 'none') {
    console.log(`${name}: not on this machine`);
    if (argv.length > 0) failed++;
    continue;
  }
  const lab = join(ROOT, 'scripts/lab.mjs');
  const { stdout } = spawnSync(process.execPath, [lab, 'bench', '--only', 'proof', '--json'], {
    cwd: ROOT,
    env: { ...process.env, TENFOLD_ADAPTER: name },
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
    encoding: 'utf8',
  });
  const report = stdout.trim() ? JSON.parse(stdout) : null;
  if (!report?.counts) {
    console.log(`${name}: the proof did not come to its end`);
    failed++;
    continue;
  }
  const { failed: wrong, ...counts } = report.counts;
  const planned = plans[name];
  const words = Object.entries(counts).map(([what, count]) => {
    return count === planned[what] ? `${count} ${what}` : `${count} ${what} instead of ${planned[what]}`;
  });
  const whole = Object.entries(counts).every(([what, count]) => count === planned[what]);
  console.log(`${name}: ${words.join(', ')}; ${wrong === 0 ? 'all hold' : `${wrong} fail`}`);
  for (const row of report.proof) {
    if (!row.ok) console.log(`  ${row.kernel}, ${row.variant}, ${row.case}: ${row.reason}`);
  }
  if (wrong > 0 || !whole) failed++;
  else proven++;
}
process.exit(failed > 0 || proven === 0 ? 1 : 0);
