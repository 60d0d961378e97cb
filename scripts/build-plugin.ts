// Vite plugin: `import { version, commit, jaxVersion } from 'virtual:build'` says which build this is and which jax-js it
// was built with (the package has no constant for it). A build outside of a checkout has no commit.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

const ID = 'virtual:build';
const ROOT = join(import.meta.dirname, '..');

const versionOf = (folder: string): string =>
  JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')).version;

/** Short hash, with `-dirty` where files differ from it; null without a checkout or without git. */
function commitHere(): string | null {
  if (!existsSync(join(ROOT, '.git'))) return null;
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--exclude=*'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}

export const buildPlugin = (): Plugin => ({
  name: 'tenfold-build',
  resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
  load(id) {
    if (id !== `\0${ID}`) return;
    const facts = {
      version: versionOf('.'),
      commit: commitHere(),
      jaxVersion: versionOf('node_modules/@jax-js/jax'),
    };
    return Object.entries(facts)
      .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`)
      .join('\n');
  },
});
