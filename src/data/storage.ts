/**
 * Named byte files for checkpoints, caches and run records: a folder in Node, the origin's private file system in the
 * page, memory in tests. Writes are atomic: a crash leaves the old content or the new, never a mixture.
 */

export interface Storage {
  /** Content, or null if there is no such file. */
  read(name: string): Promise<Uint8Array<ArrayBuffer> | null>;
  write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  remove(name: string): Promise<void>;
  list(): Promise<string[]>;
}

/** `folder`: where, in the file system; without it, the page's own storage. */
export class StorageFull extends Error {
  constructor(folder?: string) {
    super(
      folder === undefined
        ? 'The storage for this page is full. Delete old runs or checkpoints, or free space on the disk.'
        : `There is no room left for ${folder}: the disk is full, or what may be used of it.`,
    );
  }
}

export function memoryStorage(): Storage {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    read: async (name) => files.get(name)?.slice() ?? null,
    write: async (name, bytes) => {
      files.set(name, bytes.slice());
    },
    remove: async (name) => {
      files.delete(name);
    },
    list: async () => [...files.keys()].sort(),
  };
}

/** `storage` until a write fails, then memory for all later ones; `tell` hears the reason, once. */
export function orMemory(storage: Storage, tell: (reason: string) => void): Storage {
  const memory = memoryStorage();
  let full = false;
  return {
    read: async (name) => (await memory.read(name)) ?? storage.read(name),
    async write(name, bytes) {
      if (full) return memory.write(name, bytes);
      try {
        await storage.write(name, bytes);
      } catch (error) {
        full = true;
        tell(error instanceof Error ? error.message : String(error));
        await memory.write(name, bytes);
      }
    },
    async remove(name) {
      await memory.remove(name);
      await storage.remove(name);
    },
    list: async () => [...new Set([...(await memory.list()), ...(await storage.list())])].sort(),
  };
}

/**
 * `storage` for what can be made again: the first write or removal that fails is told, and from then on nothing is written.
 * What could not be written or removed counts as missing, since there may be an older state of it.
 */
export function optionalCache(storage: Storage, tell: (reason: string) => void): Storage {
  const stale = new Set<string>();
  let off = false;
  const change = async (name: string, act: () => Promise<void>): Promise<void> => {
    if (!off) {
      try {
        await act();
        stale.delete(name);
        return;
      } catch (error) {
        off = true;
        tell(error instanceof Error ? error.message : String(error));
      }
    }
    stale.add(name);
  };
  return {
    read: async (name) => (stale.has(name) ? null : storage.read(name)),
    write: (name, bytes) => change(name, () => storage.write(name, bytes)),
    remove: (name) => change(name, () => storage.remove(name)),
    list: async () => (await storage.list()).filter((name) => !stale.has(name)),
  };
}

/**
 * A folder of the origin private file system. `createWritable` writes to a swap file and switches on close. Before that the
 * file is there and empty: an empty one is the rest of a first write that failed, or of a tab that was killed in it, and
 * counts as missing.
 */
export async function opfsStorage(folder: string): Promise<Storage> {
  const root = await navigator.storage.getDirectory();
  const dir = await root.getDirectoryHandle(folder, { create: true });
  const missing = (error: unknown): boolean => error instanceof DOMException && error.name === 'NotFoundError';
  const find = async (name: string): Promise<File | null> => {
    try {
      const file = await (await dir.getFileHandle(name)).getFile();
      return file.size > 0 ? file : null;
    } catch (error) {
      if (missing(error)) return null;
      throw error;
    }
  };
  return {
    async read(name) {
      const file = await find(name);
      return file && new Uint8Array(await file.arrayBuffer());
    },
    async write(name, bytes) {
      const handle = await dir.getFileHandle(name, { create: true });
      let stream: FileSystemWritableFileStream | null = null;
      try {
        stream = await handle.createWritable();
        await stream.write(bytes);
        await stream.close();
      } catch (error) {
        await stream?.abort().catch(() => undefined);
        const { size } = await handle.getFile().catch(() => ({ size: null }));
        if (size === 0) await dir.removeEntry(name).catch(() => undefined);
        if (error instanceof DOMException && error.name === 'QuotaExceededError') throw new StorageFull();
        throw error;
      }
    },
    async remove(name) {
      await dir.removeEntry(name).catch((error) => {
        if (!missing(error)) throw error;
      });
    },
    async list() {
      const names: string[] = [];
      for await (const name of dir.keys()) if (await find(name)) names.push(name);
      return names.sort();
    },
  };
}
