// `npm start`: installs what is missing, builds the page if its sources changed, serves it and prints the address.
// `npm start -- --dev` serves the sources with hot reload instead. Options: --port N, --host (reachable from outside).

import { checkNode, ensurePackages, ROOT } from './prepare.mjs';

checkNode();

const USAGE = 'usage: npm start -- [--dev] [--port N] [--host]';
const argv = process.argv.slice(2);
let dev = false;
/** @type {number | undefined} */
let port;
let host = false;
while (argv.length > 0) {
  const flag = argv.shift();
  if (flag === '--dev') dev = true;
  else if (flag === '--host') host = true;
  else if (flag === '--port' && /^\d{1,5}$/.test(argv[0] ?? '') && Number(argv[0]) < 65536) port = Number(argv.shift());
  else {
    console.error(flag === '--help' ? USAGE : `${flag}: not understood; ${USAGE}`);
    process.exit(flag === '--help' ? 0 : 2);
  }
}

ensurePackages();

const [{ createServer, preview }, { buildPage }] = await Promise.all([import('vite'), import('./build-page.mjs')]);
if (!dev && !buildPage()) {
  console.error('The page could not be built; the reason stands above.');
  process.exit(1);
}

const options = { port, host: host || undefined };
const server = dev
  ? await (await createServer({ root: ROOT, server: options })).listen()
  : await preview({ root: ROOT, preview: options });
for (const url of server.resolvedUrls?.local ?? []) console.log(`Tenfold is at ${url}`);
for (const url of server.resolvedUrls?.network ?? []) console.log(`and, from other machines, at ${url}`);
console.log('Ctrl+C stops it.');

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0));
