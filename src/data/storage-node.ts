/** Storage in a folder of the file system; a file is written beside its place and renamed. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Storage, StorageFull } from './storage.ts';

/** Two writes of one name at once must not share a file. */
let writes = 0;

const code = (error: unknown): string | undefined => (error as { code?: string }).code;

export async function folderStorage(folder: string): Promise<Storage> {
  await mkdir(folder, { recursive: true });
  return {
    async read(name) {
      try {
        const bytes = await readFile(join(folder, name));
        return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
      } catch (error) {
        if (code(error) === 'ENOENT') return null;
        throw error;
      }
    },
    async write(name, bytes) {
      const beside = join(folder, `${name}.${process.pid}.${writes++}.part`);
      try {
        await writeFile(beside, bytes);
        await rename(beside, join(folder, name));
      } catch (error) {
        await rm(beside, { force: true });
        if (code(error) === 'ENOSPC' || code(error) === 'EDQUOT') throw new StorageFull(folder);
        throw error;
      }
    },
    remove: (name) => rm(join(folder, name), { force: true }),
    list: async () => (await readdir(folder)).filter((n) => !n.endsWith('.part')).sort(),
  };
}
