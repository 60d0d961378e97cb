// One configuration for the page (dev server and build), the command line's bundle (`vite build --ssr`) and the tests.

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { weslPlugin } from './scripts/wesl-plugin.ts';

export default defineConfig({
  // Relative addresses: the built page works from any folder of any host.
  base: './',
  plugins: [weslPlugin(), react()],
  worker: { format: 'es', plugins: () => [weslPlugin()] },
  build: { target: 'es2023', outDir: 'dist' },
  // Dawn is a native module: it is never bundled.
  ssr: { external: ['webgpu'] },
  test: {
    environment: 'node',
    include: ['tests/**/*.test.ts'],
    exclude: ['tests/long/**', 'tests/e2e/**'],
    // Two cores: GPU files beside each other on a CPU adapter only slow each other down.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
