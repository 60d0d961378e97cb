// What this page keeps in the browser: the weights trained here, and a training that is not over. A full disk is said, not thrown.

import { opfsStorage } from '../../../data/storage.ts';

export type Kept = 'weights.safetensors' | 'training.safetensors';
const FOLDER = 'learn2pd';

export async function fromShelf(name: Kept): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    return await (await opfsStorage(FOLDER)).read(name);
  } catch {
    return null;
  }
}

/** null if it is kept, else why not. */
export async function toShelf(name: Kept, bytes: Uint8Array<ArrayBuffer>): Promise<string | null> {
  try {
    await (await opfsStorage(FOLDER)).write(name, bytes);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export async function offShelf(name: Kept): Promise<void> {
  try {
    await (await opfsStorage(FOLDER)).remove(name);
  } catch {
    // There is no storage, so there is nothing in it.
  }
}
