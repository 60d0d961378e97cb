// One configuration for the page (dev server and build), the command line's bundle (`vite build --ssr`) and the tests.

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { buildPlugin } from './scripts/build-plugin.ts';
import { NODE_BUNDLED, threadPlugin } from './scripts/thread-plugin.ts';
import { weslPlugin } from './scripts/wesl-plugin.ts';

// Vitest 5 prints failed tests with Map.groupBy, which Node 20 lacks.
if (!('groupBy' in Map)) {
  Object.defineProperty(Map, 'groupBy', {
    value: <T, K>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> => {
      const groups = new Map<K, T[]>();
      for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
      return groups;
    },
  });
}

// Dawn is a native module that only Node loads: never bundled, and never reached in a browser.
const NATIVE = ['webgpu'];

export default defineConfig({
  // Relative addresses: the built page works from any folder of any host.
  base: './',
  plugins: [buildPlugin(), weslPlugin(), threadPlugin(), react()],
  worker: { format: 'es', plugins: () => [buildPlugin(), weslPlugin()], rolldownOptions: { external: NATIVE } },
  // three.js is one lazily loaded chunk of 0.55 MB.
  build: { target: 'es2023', chunkSizeWarningLimit: 800, rolldownOptions: { external: NATIVE } },
  optimizeDeps: { exclude: NATIVE },
  ssr: { external: NATIVE, noExternal: NODE_BUNDLED },
  test: {
    // Two cores, and CPU adapters use both: more processes only take turns.
    maxWorkers: 2,
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/long/**', 'tests/e2e/**'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          globalSetup: ['tests/support/page-server.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          // Two browsers share two cores and a CPU adapter: a page may be starved once, not twice.
          retry: 1,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          include: ['tests/long/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 3_600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
