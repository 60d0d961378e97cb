// `npm run bench:peers -- [--json] [--only ID,...] [--rounds N] [--gpu]`: our engine against jax-js, TensorFlow.js and
// onnxruntime-web on WebGPU, on one device of one headless Chromium. `--gpu` lets the browser take the machine's own GPU
// instead of SwiftShader. `--json` prints one object on standard output; progress goes to standard error. Exit code 1: our own
// result is wrong or missing in some row, or nothing could be raced.

import { checkNode, ensurePackages, ROOT } from './prepare.mjs';

checkNode();

const USAGE = 'usage: npm run bench:peers -- [--json] [--only ID,...] [--rounds N] [--gpu]';
const argv = process.argv.slice(2);
let json = false;
let gpu = false;
/** @type {string[]} */
let only = [];
/** @type {number | undefined} */
let rounds;
while (argv.length > 0) {
  const flag = argv.shift();
  if (flag === '--json') json = true;
  else if (flag === '--gpu') gpu = true;
  else if (flag === '--only' && argv[0]) only = argv.shift()?.split(',') ?? [];
  else if (flag === '--rounds' && /^\d{1,3}$/.test(argv[0] ?? '')) rounds = Number(argv.shift());
  else {
    console.error(flag === '--help' ? USAGE : `${flag}: not understood; ${USAGE}`);
    process.exit(flag === '--help' ? 0 : 2);
  }
}

ensurePackages();

const [{ createServer }, { chromium }, { findChromium }, { CHROMIUM_FLAGS, LOCAL_HOST }] = await Promise.all([
  import('vite'),
  import('playwright'),
  import('./find-chromium.mjs'),
  import('./chromium-flags.mjs'),
]);
const executablePath = findChromium();
if (!executablePath) {
  console.error('bench:peers: no Chromium or Chrome found: set CHROMIUM to its path');
  process.exit(1);
}

const server = await createServer({
  root: ROOT,
  logLevel: 'error',
  appType: 'custom',
  cacheDir: '.cache/vite-race',
  // Bundled up front: a package found later would reload the page under the race.
  optimizeDeps: { entries: ['src/bench/race/page.ts'] },
  plugins: [
    {
      name: 'tenfold-race-page',
      configureServer(vite) {
        vite.middlewares.use('/race.html', (_request, response) => {
          response.setHeader('content-type', 'text/html');
          response.end(
            '<!doctype html><link rel="icon" href="data:," /><script>window.load = (p) => import(p);</script>',
          );
        });
      },
    },
  ],
  server: { port: 0, host: LOCAL_HOST, hmr: false, watch: null },
});
await server.listen();
const browser = await chromium.launch({
  executablePath,
  headless: true,
  args: gpu ? CHROMIUM_FLAGS.gpu : CHROMIUM_FLAGS.compute,
});

let failed = false;
try {
  const page = await browser.newPage();
  page.on('console', (message) => {
    if (message.text().startsWith('race: ') || message.type() === 'error') console.error(message.text());
  });
  page.on('pageerror', (error) => console.error(`uncaught: ${error.message}`));
  const base = server.resolvedUrls?.local[0] ?? '';
  await page.goto(`${base}race.html`);
  const report = await page.evaluate(
    async (options) => (await window.load('/src/bench/race/page.ts')).raceInPage(options),
    { only, rounds, wasmAt: `${base}node_modules/onnxruntime-web/dist/` },
  );
  const { formatReport } = await server.ssrLoadModule('/src/bench/race/format.ts');
  console.log(
    json ? JSON.stringify({ ...report, browser: browser.version() }) : formatReport(report, browser.version()),
  );
  const { missingOurs } = await server.ssrLoadModule('/src/bench/race/table.ts');
  for (const row of missingOurs(report)) {
    failed = true;
    console.error(`bench:peers: without a right result of ${report.engine}: ${row}`);
  }
} catch (error) {
  failed = true;
  console.error(`bench:peers: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
}
await browser.close();
await server.close();
process.exit(failed ? 1 : 0);
