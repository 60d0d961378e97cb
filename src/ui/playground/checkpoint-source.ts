// Finds and fetches the checkpoint that comes with the page: `index.json` names the files, each with a card beside it.
// What comes over the network is outside input; every way it can be wrong has its own sentence.

import * as v from 'valibot';
import type { Failure, Outcome } from './protocol.ts';

/** `public/models/dreamer4/index.json`. The first file is the one that is played. */
export const ModelIndex = v.object({
  files: v.pipe(
    v.array(v.object({ file: v.pipe(v.string(), v.regex(/^[\w.-]+\.safetensors$/)), title: v.optional(v.string()) })),
    v.minLength(1),
  ),
});
export type ModelIndex = v.InferOutput<typeof ModelIndex>;

const noCheckpoint: Failure = {
  ok: false,
  code: 'no-checkpoint',
  reason: 'No trained checkpoint in this build yet.',
  advice: 'The true world beside it is playable. You can also train a small model in this tab.',
};

/** `base` ends with a slash. */
export async function fetchShipped(
  base: string,
  fetcher: typeof fetch = fetch,
): Promise<Outcome<Uint8Array<ArrayBuffer>>> {
  let index: ModelIndex;
  try {
    const answer = await fetcher(`${base}index.json`);
    // A server that answers every path with the page itself has no index either.
    if (!answer.ok || !answer.headers.get('content-type')?.includes('json')) return noCheckpoint;
    index = v.parse(ModelIndex, await answer.json());
  } catch (error) {
    if (error instanceof TypeError) return offline();
    return {
      ok: false,
      code: 'bad-checkpoint',
      reason: 'The list of checkpoints is not readable.',
      advice: 'Reload the page.',
    };
  }
  try {
    const answer = await fetcher(base + index.files[0].file);
    if (!answer.ok) {
      return {
        ok: false,
        code: 'no-checkpoint',
        reason: `The checkpoint ${index.files[0].file} is missing on the server (${answer.status}).`,
        advice: noCheckpoint.advice,
      };
    }
    return { ok: true, value: new Uint8Array(await answer.arrayBuffer()) };
  } catch {
    return offline();
  }
}

const offline = (): Failure => ({
  ok: false,
  code: 'network',
  reason: 'The checkpoint could not be fetched: no connection to the server.',
  advice: 'Check the connection and reload. The true world needs no connection.',
});
