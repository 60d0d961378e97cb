// A training checkpoint as a run in f16 would have written it.

import { expect } from 'vitest';

/** The same file with another word in its header, of the same length. */
export function inHalf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const text = Buffer.from(bytes).toString('latin1');
  const said = '"precision":"f32"';
  expect(text.split(said)).toHaveLength(2);
  return Uint8Array.from(Buffer.from(text.replace(said, '"precision":"f16"'), 'latin1'));
}

export const OTHER_PRECISION = 'This run began in f16 and would go on in f32';
