// Byte files by name: memory and a folder behave alike, a folder's files are replaced as a whole.

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  memoryStorage,
  opfsStorage,
  optionalCache,
  orMemory,
  type Storage,
  StorageFull,
} from '../../src/data/storage.ts';
import { folderStorage } from '../../src/data/storage-node.ts';
import { listRuns, readRun } from '../../src/ui/training/run-file.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tenfold-storage-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(values);

describe.each<[string, () => Promise<Storage>]>([
  ['memory', async () => memoryStorage()],
  ['a folder', () => folderStorage(join(root, 'deep', 'folder'))],
])('%s', (_, open) => {
  let storage: Storage;
  beforeAll(async () => {
    storage = await open();
  });

  test('what was written is read, listed and removed', async () => {
    expect(await storage.read('a.bin')).toBeNull();
    expect(await storage.list()).toEqual([]);
    await storage.write('b.bin', bytes(9));
    await storage.write('a.bin', bytes(1, 2, 3));
    expect(await storage.read('a.bin')).toEqual(bytes(1, 2, 3));
    expect(await storage.list()).toEqual(['a.bin', 'b.bin']);
    await storage.write('a.bin', bytes());
    expect(await storage.read('a.bin')).toEqual(bytes());
    await storage.remove('a.bin');
    await storage.remove('a.bin');
    expect(await storage.read('a.bin')).toBeNull();
    expect(await storage.list()).toEqual(['b.bin']);
  });

  test('a stored file does not change with the array it came from or was read into', async () => {
    const data = bytes(1, 2, 3);
    await storage.write('c.bin', data);
    data[0] = 99;
    const got = await storage.read('c.bin');
    expect(got).toEqual(bytes(1, 2, 3));
    if (got) got[1] = 99;
    expect(await storage.read('c.bin')).toEqual(bytes(1, 2, 3));
  });
});

test('writes at once leave one whole file, and no part of one', async () => {
  const folder = join(root, 'busy');
  const storage = await folderStorage(folder);
  const wholes = Array.from({ length: 8 }, (_, i) => new Uint8Array(200_000).fill(i));
  await Promise.all(wholes.map((whole) => storage.write('x', whole)));
  const got = await storage.read('x');
  expect(got?.length).toBe(200_000);
  expect(new Set(got).size).toBe(1);
  expect(await readdir(folder)).toEqual(['x']);
});

test('half a file of a crash is not listed', async () => {
  const folder = join(root, 'crash');
  const storage = await folderStorage(folder);
  await writeFile(join(folder, 'y.123.part'), 'half');
  expect(await storage.list()).toEqual([]);
});

test('a folder that cannot be made is an error', async () => {
  await writeFile(join(root, 'file'), 'x');
  await expect(folderStorage(join(root, 'file', 'inside'))).rejects.toThrow();
  expect(new StorageFull().message).toContain('full');
});

describe('the origin private file system', () => {
  /** Bytes that still fit; `create` makes an empty file at once, as browsers do. */
  let room: number;
  let files: Map<string, Uint8Array<ArrayBuffer>>;
  let storage: Storage;

  const handleOf = (name: string) => ({
    getFile: async () => new File([files.get(name) ?? bytes()], name),
    createWritable: async () => {
      let written = bytes();
      return {
        write: async (data: Uint8Array<ArrayBuffer>) => {
          if (data.length > room) throw new DOMException('', 'QuotaExceededError');
          written = data;
        },
        close: async () => void files.set(name, written),
        abort: async () => undefined,
      };
    },
  });
  const dir = {
    async getFileHandle(name: string, options?: { create: boolean }) {
      if (!files.has(name)) {
        if (!options?.create) throw new DOMException('', 'NotFoundError');
        files.set(name, bytes());
      }
      return handleOf(name);
    },
    removeEntry: async (name: string) => void files.delete(name),
    async *keys() {
      yield* files.keys();
    },
  };

  beforeEach(async () => {
    room = 4;
    files = new Map();
    vi.stubGlobal('navigator', { storage: { getDirectory: async () => ({ getDirectoryHandle: async () => dir }) } });
    storage = await opfsStorage('runs');
  });
  afterEach(() => vi.unstubAllGlobals());

  test('a first write that does not fit leaves no file, a later one leaves what was there', async () => {
    await expect(storage.write('a.bin', bytes(1, 2, 3, 4, 5))).rejects.toThrow(StorageFull);
    expect([...files.keys()]).toEqual([]);
    await storage.write('a.bin', bytes(1));
    await expect(storage.write('a.bin', bytes(1, 2, 3, 4, 5))).rejects.toThrow(StorageFull);
    expect(await storage.read('a.bin')).toEqual(bytes(1));
  });

  test('the empty file of a tab that was killed in its first write is neither read nor listed', async () => {
    await dir.getFileHandle('a.bin', { create: true });
    await storage.write('b.bin', bytes(2));
    expect(await storage.read('a.bin')).toBeNull();
    expect(await storage.list()).toEqual(['b.bin']);
  });

  test('so a run whose weights were not written is not listed', async () => {
    const id = 'one';
    const file = { id, at: 7, preset: 'short', seed: 3, set: {}, config: {}, phase: '', title: '', step: 0, steps: 0 };
    await dir.getFileHandle(`${id}.safetensors`, { create: true });
    room = 1000;
    await storage.write(
      `${id}.json`,
      new TextEncoder().encode(JSON.stringify({ ...file, done: false, workMs: 0, lines: {} })),
    );
    expect(await listRuns(storage)).toEqual([]);
    expect(await readRun(storage, id)).toBeNull();
    await storage.write(`${id}.safetensors`, bytes(1));
    expect(await listRuns(storage)).toHaveLength(1);
  });
});

test('when writes fail in the middle, memory takes over, and the reason is told once', async () => {
  const disk = memoryStorage();
  let full = false;
  const told: string[] = [];
  const storage = orMemory(
    { ...disk, write: (name, data) => (full ? Promise.reject(new StorageFull()) : disk.write(name, data)) },
    (reason) => told.push(reason),
  );
  await storage.write('a.bin', bytes(1));
  full = true;
  await storage.write('a.bin', bytes(2));
  await storage.write('b.bin', bytes(3));
  expect(told).toEqual([new StorageFull().message]);
  expect([await storage.read('a.bin'), await storage.read('b.bin')]).toEqual([bytes(2), bytes(3)]);
  expect(await disk.read('a.bin')).toEqual(bytes(1));
  expect(await storage.list()).toEqual(['a.bin', 'b.bin']);
  await storage.remove('a.bin');
  expect(await storage.read('a.bin')).toBeNull();
});

test('a cache that cannot be written says so once, keeps what it has, and gives nothing that is out of date', async () => {
  const disk = memoryStorage();
  let full = false;
  const told: string[] = [];
  const fails = (): Promise<void> => Promise.reject(new StorageFull('/some/folder'));
  const cache = optionalCache(
    {
      ...disk,
      write: (name, data) => (full ? fails() : disk.write(name, data)),
      remove: (name) => (full ? fails() : disk.remove(name)),
    },
    (reason) => told.push(reason),
  );
  for (const name of ['a', 'b', 'c']) await cache.write(name, bytes(1));
  full = true;
  await cache.write('a', bytes(2));
  await cache.remove('b');
  full = false;
  await cache.write('d', bytes(3));
  expect(told).toEqual([new StorageFull('/some/folder').message]);
  expect(told[0]).toContain('/some/folder');
  expect(await Promise.all(['a', 'b', 'c', 'd'].map(cache.read))).toEqual([null, null, bytes(1), null]);
  expect(await cache.list()).toEqual(['c']);
  expect(await disk.list()).toEqual(['a', 'b', 'c']);
});
