// What the commands look for on a machine: browser, adapter, changed sources. Nothing is installed here.

import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { buildFacts } from '../../scripts/build-facts.mjs';
import { adapterEnv } from '../../scripts/find-adapter.mjs';
import { findChromium } from '../../scripts/find-chromium.mjs';
import { stateOf } from '../../scripts/sources.mjs';

const VERDICT = resolve(import.meta.dirname, '../../.cache/adapter.json');

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('browser', () => {
  test('CHROMIUM wins', () => {
    vi.stubEnv('CHROMIUM', process.execPath);
    expect(findChromium()).toBe(process.execPath);
  });

  test('a CHROMIUM that does not exist is an error, not a reason to take another one', () => {
    vi.stubEnv('CHROMIUM', '/nowhere/chromium');
    expect(() => findChromium()).toThrow('CHROMIUM points to /nowhere/chromium, which does not exist');
  });
});

describe('adapter', () => {
  test.runIf(process.platform === 'linux')('SwiftShader is a driver file beside the browser', () => {
    vi.stubEnv('LD_LIBRARY_PATH', '');
    const { name, VK_ICD_FILENAMES: file, env } = adapterEnv('swiftshader');
    expect(name).toBe('swiftshader');
    expect(env.VK_ICD_FILENAMES).toBe(file);
    const { ICD } = JSON.parse(readFileSync(file ?? '', 'utf8'));
    expect(ICD.library_path).toMatch(/swiftshader/);
    const library = isAbsolute(ICD.library_path) ? ICD.library_path : resolve(dirname(file ?? ''), ICD.library_path);
    expect(existsSync(library)).toBe(true);
  });

  test('the search finds something that computes, and remembers it', () => {
    vi.stubEnv('VK_ICD_FILENAMES', '');
    vi.stubEnv('VK_DRIVER_FILES', '');
    const first = adapterEnv('auto');
    expect(first.name).not.toBe('none');
    if (first.name === 'default') return;
    // A second probe would write the verdict again.
    const written = statSync(VERDICT).mtimeMs;
    expect(adapterEnv('auto')).toEqual(first);
    expect(statSync(VERDICT).mtimeMs).toBe(written);
  });

  test('a driver that the user has chosen is left alone', () => {
    vi.stubEnv('VK_ICD_FILENAMES', '/somewhere/driver.json');
    expect(adapterEnv('auto')).toEqual({ name: 'default', env: {} });
  });

  test('default sets nothing, nonsense is refused', () => {
    expect(adapterEnv('default')).toEqual({ name: 'default', env: {} });
    expect(() => adapterEnv('fast')).toThrow("TENFOLD_ADAPTER is 'fast'; it can be lavapipe, swiftshader or default");
  });
});

describe('state of the sources', () => {
  const folder = '.cache/test-sources';
  const full = resolve(import.meta.dirname, '../..', folder);

  afterEach(() => rmSync(full, { recursive: true, force: true }));

  test('it changes with contents, times, new files and removed files, and leaves out what is excluded', () => {
    mkdirSync(`${full}/in/left-out`, { recursive: true });
    const write = (name: string, text: string, seconds = 1000) => {
      writeFileSync(`${full}/${name}`, text);
      utimesSync(`${full}/${name}`, seconds, seconds);
    };
    const state = (facts?: object) => stateOf([folder], [`${folder}/in/left-out`], facts);
    write('a.ts', 'one');
    const before = state();
    expect(state()).toBe(before);
    write('in/left-out/b.ts', 'two');
    expect(state()).toBe(before);
    write('a.ts', 'three');
    const longer = state();
    write('a.ts', 'three', 2000);
    const later = state();
    write('in/c.ts', 'four');
    const more = state();
    expect(new Set([before, longer, later, more]).size).toBe(4);
    rmSync(`${full}/in/c.ts`);
    expect(state()).toBe(later);
    // A build that would name another commit or version is another build.
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(buildFacts()).toMatchObject({ version });
    expect(state(buildFacts())).toBe(later);
    const others = [{ commit: 'other' }, { version: 'other' }].map((part) => state({ ...buildFacts(), ...part }));
    expect(new Set([...others, later]).size).toBe(3);
  });
});
