/** The device of a command, with what was measured on its adapter before. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Storage } from '../data/storage.ts';
import { folderStorage } from '../data/storage-node.ts';
import { openWithTiles } from '../data/tile-cache.ts';
import { type Gpu, openGpu } from '../gpu/device.ts';

export const adapterStorage = (): Promise<Storage> =>
  folderStorage(join(process.env.TENFOLD_CACHE ?? join(homedir(), '.cache', 'tenfold'), 'adapters'));

/** Rendered frames are kept between runs; the folder may be deleted at any time. */
export const frameCache = (): string => process.env.TENFOLD_CACHE ?? join(homedir(), '.cache', 'tenfold', 'frames');

export async function gpuOrFail(): Promise<Gpu> {
  const result = await openWithTiles(openGpu, adapterStorage);
  if (!result.ok) throw new Error(`${result.reason} ${result.advice}`);
  return result.gpu;
}
