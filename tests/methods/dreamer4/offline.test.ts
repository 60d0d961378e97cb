// The offline rule (dreamer4 11.2): training and dreaming reach no simulator; one file builds data from it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const SRC = resolve(import.meta.dirname, '../../../src');
const METHOD = join(SRC, 'methods/dreamer4');

/** Files that a module brings in when it runs; imports of types vanish. */
function imports(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const found: string[] = [];
  for (const [statement, , name] of text.matchAll(/(import|export)\s[^;]*?from\s+'([^']+)'|^\n/gm)) {
    if (!name?.startsWith('.') || /^(import|export)\s+type\s/.test(statement)) continue;
    found.push(name);
  }
  for (const [, name] of text.matchAll(/import\(\s*'(\.[^']+)'\s*\)|^import\s+'(\.[^']+)'/gm))
    if (name) found.push(name);
  return found.map((name) => resolve(dirname(file), name.replace(/\?.*$/, '')));
}

/** Everything that is loaded with a module. */
function closure(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file) || !/\.tsx?$/.test(file) || !existsSync(file)) return seen;
  seen.add(file);
  for (const next of imports(file)) closure(next, seen);
  return seen;
}

const inWorld = (file: string): boolean => !relative(join(SRC, 'world'), file).startsWith('..');
const modules = readdirSync(METHOD).filter((name) => name.endsWith('.ts'));

test('the walk sees imports', () => {
  expect(modules.length).toBeGreaterThan(12);
  expect([...closure(join(METHOD, 'dataset.ts'))].some(inWorld)).toBe(true);
  expect(closure(join(METHOD, 'model.ts')).has(join(SRC, 'tensor/ops/attention.ts'))).toBe(true);
});

test('only the files that build data import the simulator', () => {
  const seeing = modules.filter((name) => imports(join(METHOD, name)).some(inWorld));
  expect(seeing).toEqual(['dataset.ts', 'touch-data.ts', 'walk-data.ts']);
});

test.each([
  'tokenizer-trainer.ts',
  'dynamics-trainer.ts',
  'tokens.ts',
  'frames.ts',
  'model.ts',
  'play.ts',
  'reconstruct.ts',
])('%s reaches no simulator through what it imports', (name) => {
  const reached = [...closure(join(METHOD, name))].filter(inWorld).map((file) => relative(SRC, file));
  expect(reached).toEqual([]);
});
