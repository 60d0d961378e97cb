// package-lock.json as a fresh clone sees it: `npm ci` refuses a lock that lacks packages for other platforms,
// and the packages themselves must accept the oldest Node that we promise.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

interface LockEntry {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  engines?: { node?: string };
  resolved?: string;
  optional?: boolean;
}

const ROOT = resolve(import.meta.dirname, '../..');
const entries: Record<string, LockEntry> = JSON.parse(
  readFileSync(resolve(ROOT, 'package-lock.json'), 'utf8'),
).packages;

/** Node's own search: beside the package, then up to the root. */
function isInstalled(name: string, from: string): boolean {
  for (let place = from; ; place = place.slice(0, Math.max(0, place.lastIndexOf('/node_modules/')))) {
    if (Object.hasOwn(entries, `${place ? `${place}/` : ''}node_modules/${name}`)) return true;
    if (place === '') return false;
  }
}

/** Whether a range such as `^20.19.0 || >=22.12.0` admits Node 20.19. The packages' ranges have these forms only. */
function admitsNode20(range: string): boolean {
  return range.split('||').some((part) => {
    const [, sign, major, minor] = /^\s*([\^~]|>=|>)?\s*v?(\d+)(?:\.(\d+|x))?/.exec(part) ?? [];
    if (major === undefined) return part.trim() === '*';
    const oldEnough = Number(major) < 20 || (Number(major) === 20 && Number(minor === 'x' ? 0 : (minor ?? 0)) <= 19);
    return oldEnough && (sign?.startsWith('>') || Number(major) === 20);
  });
}

test('every dependency has an entry, optional builds for other platforms included', () => {
  const missing = Object.entries(entries).flatMap(([path, { dependencies, optionalDependencies, devDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies, ...(path === '' ? devDependencies : {}) })
      .filter((name) => !isInstalled(name, path))
      .map((name) => `${path || 'tenfold'} needs ${name}`),
  );
  expect(missing).toEqual([]);
});

test('every package accepts Node 20.19', () => {
  const refusing = Object.entries(entries)
    .filter(([, { engines, optional }]) => !optional && engines?.node && !admitsNode20(engines.node))
    .map(([path, { engines }]) => `${path}: ${engines?.node}`);
  expect(refusing).toEqual([]);
});

test('the lock names no private registry', () => {
  const foreign = Object.values(entries).filter(
    ({ resolved }) => resolved && !resolved.startsWith('https://registry.npmjs.org/'),
  );
  expect(foreign).toEqual([]);
});
