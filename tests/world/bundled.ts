/**
 * Runs a module of this folder as its own Node process, bundled, with arguments if it takes any, and returns the JSON it prints: simulator code runs some ten times
 * faster there than behind a test runner's module wrappers.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'vite';

export async function runBundled<T>(file: string, ...args: string[]): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'tenfold-world-'));
  try {
    await build({
      configFile: false,
      logLevel: 'error',
      build: {
        ssr: fileURLToPath(new URL(file, import.meta.url)),
        outDir: dir,
        rollupOptions: { output: { entryFileNames: 'run.mjs' } },
      },
      ssr: { noExternal: true },
    });
    const { stdout } = await promisify(execFile)(process.execPath, [join(dir, 'run.mjs'), ...args], {
      maxBuffer: 1 << 26,
    });
    return JSON.parse(stdout) as T;
  } finally {
    rmSync(dir, { recursive: true });
  }
}
