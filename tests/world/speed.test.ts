/** Speed floors of methods/world.md 12 for one core (forks and columns get three times as long on a loaded machine), measured on a bundle in a process of its own: a test runner's module wrappers cost far more than the rules do. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { expect, it } from 'vitest';

it('ticks, forks and columns are fast enough', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'tenfold-speed-'));
  try {
    await build({
      configFile: false,
      logLevel: 'error',
      build: {
        ssr: fileURLToPath(new URL('./speed-run.ts', import.meta.url)),
        outDir: dir,
        rollupOptions: { output: { entryFileNames: 'run.mjs' } },
      },
      ssr: { noExternal: true },
    });
    const line = execFileSync(process.execPath, [join(dir, 'run.mjs')], { encoding: 'utf8' });
    const measured = JSON.parse(line);
    console.info(line.trim());
    expect(measured.ticksPerSecond).toBeGreaterThan(15000);
    expect(measured.forkMicros).toBeLessThan(60 * 3);
    expect(measured.columnMs).toBeLessThan(30);
  } finally {
    rmSync(dir, { recursive: true });
  }
}, 60000);
