/** A model directory on the file system. */
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelFiles } from './model-files.ts';

export async function folderFiles(folder: string): Promise<ModelFiles> {
  const sizes = new Map<string, number>();
  for (const name of await readdir(folder)) {
    const info = await stat(join(folder, name));
    if (info.isFile()) sizes.set(name, info.size);
  }
  return {
    list: () => [...sizes.keys()].sort(),
    size: (name) => sizes.get(name) ?? 0,
    async read(name, from, to) {
      const file = await open(join(folder, name));
      try {
        const bytes = new Uint8Array(to - from);
        for (let at = 0; at < bytes.length; ) {
          const { bytesRead } = await file.read(bytes, at, bytes.length - at, from + at);
          if (bytesRead === 0) throw new Error(`${name} ends at byte ${from + at}, ${to} were expected`);
          at += bytesRead;
        }
        return bytes;
      } finally {
        await file.close();
      }
    },
  };
}
