// One short name for the present state of a set of source files, to know whether a build is still good.
// It looks at names, sizes and times, not at contents, and at what a build says about itself (its commit): some ten
// milliseconds for the whole tree.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { buildFacts } from './build-facts.mjs';
import { ROOT } from './prepare.mjs';

/**
 * @param {string[]} paths files and folders, relative to the repository
 * @param {string[]} [without] path prefixes to leave out
 * @param {object} [facts] what is baked into the build
 */
export function stateOf(paths, without = [], facts = buildFacts()) {
  const hash = createHash('sha256').update(process.version).update(JSON.stringify(facts));
  /** @param {string} path */
  const visit = (path) => {
    const full = join(ROOT, path);
    if (without.includes(path) || !existsSync(full)) return;
    const stat = statSync(full);
    if (stat.isDirectory()) for (const name of readdirSync(full).sort()) visit(`${path}/${name}`);
    else hash.update(`${path} ${stat.size} ${stat.mtimeMs}\n`);
  };
  for (const path of paths) visit(path);
  return hash.digest('hex').slice(0, 16);
}
