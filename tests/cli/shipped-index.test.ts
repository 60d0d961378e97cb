// The list of shipped checkpoints: one entry a rung, smallest file first, whatever else an entry says kept.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listShipped } from '../../src/cli/shipped-index.ts';

test('entries are ordered by size, replaced by rung, and a file that is no list is not overwritten', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'index-'));
  const path = join(folder, 'index.json');
  const enter = async (rung: string, bytes: number, more: Record<string, string> = {}): Promise<unknown> => {
    await writeFile(join(folder, `${rung}.safetensors`), new Uint8Array(bytes));
    await listShipped(folder, { rung, file: `${rung}.safetensors`, card: `${rung}.card.json`, ...more });
    return JSON.parse(await readFile(path, 'utf8'));
  };
  const named = (rung: string, more = {}) => ({
    rung,
    file: `${rung}.safetensors`,
    card: `${rung}.card.json`,
    ...more,
  });
  await enter('small', 30, { title: 'small, 6.6 M' });
  expect(await enter('nano', 10)).toEqual({ files: [named('nano'), named('small', { title: 'small, 6.6 M' })] });
  expect(await enter('nano', 50)).toEqual({ files: [named('small', { title: 'small, 6.6 M' }), named('nano')] });
  await writeFile(path, '{"files":["nano"]}');
  await expect(enter('mini', 20)).rejects.toThrow('is not a list of checkpoints');
  expect(await readFile(path, 'utf8')).toBe('{"files":["nano"]}');
  await rm(folder, { recursive: true });
});
