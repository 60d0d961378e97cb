// Every worker that owns a device uses the tiles that were measured on its adapter.

import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(resolve(ROOT, file), 'utf8');

test('whoever opens a device in the page opens it with the measured tiles', () => {
  const openers = [
    ...readdirSync(resolve(ROOT, 'workers')).map((name) => `workers/${name}`),
    'src/methods/dsa/panel/host.ts',
  ].filter((file) => /\bimport \{[^}]*\bopenGpu\b/.test(read(file)));
  expect(openers.length).toBeGreaterThan(5);
  for (const file of openers)
    expect(read(file), file).toMatch(/openWithTiles\(openGpu, \(\) => opfsStorage\('adapters'\)\)/);
});
