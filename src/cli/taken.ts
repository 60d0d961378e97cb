import type { Writable } from 'node:stream';

/** Resolves when all that was written so far has left the process, or nobody reads it any more. */
export function taken(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });
}
