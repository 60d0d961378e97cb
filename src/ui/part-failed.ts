// What a page says when a part of it, such as a worker's script, could not be loaded or broke.

import type { Failure } from './playground/protocol.ts';

/** `event`: of a worker's `onerror`, which has no words if the script was not fetched, or what a call was rejected with. */
export const partFailed = (event: { message?: string }): Failure => ({
  ok: false,
  code: 'internal',
  reason: `A part of the page failed: ${event.message || 'it did not load'}.`,
  advice: 'Reload the page.',
});
