// The frame cache of a command that can do without one.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { optionalFrameCache } from '../../src/cli/open.ts';

afterEach(() => vi.unstubAllEnvs());

test('a folder that cannot be made is one sentence, and no cache', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'open-'));
  const notes: string[] = [];
  try {
    await writeFile(join(folder, 'file'), '');
    vi.stubEnv('TENFOLD_CACHE', join(folder, 'file', 'inside'));
    expect(await optionalFrameCache((text) => notes.push(text))).toBeUndefined();
    expect(notes).toEqual([expect.stringMatching(/^rendered frames and tokens are not kept: .*file.inside/)]);
    vi.stubEnv('TENFOLD_CACHE', join(folder, 'frames'));
    const cache = await optionalFrameCache((text) => notes.push(text));
    await cache?.write('a', Uint8Array.of(1));
    expect(await cache?.read('a')).toEqual(Uint8Array.of(1));
    expect(notes).toHaveLength(1);
  } finally {
    await rm(folder, { recursive: true });
  }
});
