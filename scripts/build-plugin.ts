// Vite plugin: `import { version, commit, jaxVersion } from 'virtual:build'` says which build this is and which jax-js it
// was built with (the package has no constant for it).

import type { Plugin } from 'vite';
import { buildFacts } from './build-facts.mjs';

const ID = 'virtual:build';

export const buildPlugin = (): Plugin => ({
  name: 'tenfold-build',
  resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
  load(id) {
    if (id !== `\0${ID}`) return;
    return Object.entries(buildFacts())
      .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`)
      .join('\n');
  },
});
