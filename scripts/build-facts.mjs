// What a build says about itself: its version, its commit and the jax-js in it. A build outside of a checkout has no commit.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './prepare.mjs';

/** @param {string} folder */
const versionOf = (folder) => JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')).version;

/**
 * Short hash, with `-dirty` where files differ from it; null without a checkout or without git.
 * @returns {string | null}
 */
function commitHere() {
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

export const buildFacts = () => ({
  version: versionOf('.'),
  commit: commitHere(),
  jaxVersion: versionOf('node_modules/@jax-js/jax'),
});
