/** The device of a command, with what was measured on its adapter before. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { optionalCache, type Storage } from '../data/storage.ts';
import { folderStorage } from '../data/storage-node.ts';
import { openWithTiles } from '../data/tile-cache.ts';
import { type Gpu, openGpu, type Precision } from '../gpu/device.ts';
import { UsageError } from './args.ts';

export const adapterStorage = (): Promise<Storage> =>
  folderStorage(join(process.env.TENFOLD_CACHE ?? join(homedir(), '.cache', 'tenfold'), 'adapters'));

/** Rendered frames are kept between runs; the folder may be deleted at any time. */
export const frameCache = (): string => process.env.TENFOLD_CACHE ?? join(homedir(), '.cache', 'tenfold', 'frames');

/** `frameCache` for commands that can do without it: a full or forbidden disk is said once, and costs time only. */
export async function optionalFrameCache(note: (text: string) => void): Promise<Storage | undefined> {
  const tell = (reason: string): void => note(`rendered frames and tokens are not kept: ${reason}`);
  try {
    return optionalCache(await folderStorage(frameCache()), tell);
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** f32 unless TENFOLD_PRECISION asks for f16. A run goes on with what it began with: its checkpoint holds it. */
function precisionAsked(): Precision | undefined {
  const asked = process.env.TENFOLD_PRECISION ?? '';
  if (asked === 'f16') return asked;
  if (asked === '' || asked === 'f32') return undefined;
  throw new UsageError(`TENFOLD_PRECISION=${asked}: f16 and f32 are known`);
}

export async function gpuOrFail(): Promise<Gpu> {
  const precision = precisionAsked();
  const result = await openWithTiles(() => openGpu(precision), adapterStorage);
  if (!result.ok) throw new Error(`${result.reason} ${result.advice}`);
  return result.gpu;
}
