// `npm start` as a process: it prints one address, serves the page there, and refuses what it does not understand.

import { spawn, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, inject, test } from 'vitest';

const START = resolve(import.meta.dirname, '../../scripts/start.mjs');

test('the printed address serves the page', async () => {
  // The set-up has built the page, or nothing here can pass.
  expect(inject('pageUrl')).toBeDefined();
  const server = spawn(process.execPath, [START, '--port', '4917'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const url = await new Promise<string>((found, failed) => {
      let text = '';
      server.stdout.on('data', (chunk) => {
        text += chunk;
        const [, address] = /^Tenfold is at (\S+)$/m.exec(text) ?? [];
        if (address) found(address);
      });
      server.on('exit', (code) => failed(new Error(`npm start ended with ${code}: ${text}`)));
    });
    const answer = await fetch(url);
    expect(answer.status).toBe(200);
    const html = await answer.text();
    expect(html).toContain('<div id="root">');
    const [, script] = /<script type="module"[^>]* src="\.\/([^"]+)"/.exec(html) ?? [];
    const code = await fetch(new URL(script, url));
    expect(code.status).toBe(200);
    expect(code.headers.get('content-type')).toMatch(/javascript/);
  } finally {
    server.kill();
  }
});

test.each([[['--prot', '80']], [['--port']], [['--port', '70000']]])('%j is refused with one line', (args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [START, ...args], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(stderr).toContain('usage: npm start');
});
