// Finds and fetches the checkpoints that come with the page: `index.json` names the files, each with a card beside it.
// What comes over the network is outside input; every way it can be wrong has its own sentence.

import * as v from 'valibot';
import type { Failure, Outcome } from './protocol.ts';

/** `public/models/dreamer4/index.json`, the smallest model first. */
const ModelIndex = v.object({
  files: v.pipe(
    v.array(
      v.object({
        rung: v.pipe(v.string(), v.regex(/^[a-z]+$/)),
        file: v.pipe(v.string(), v.regex(/^[\w.-]+\.safetensors$/)),
        card: v.pipe(v.string(), v.regex(/^[\w.-]+\.json$/)),
        title: v.string(),
        // What choosing it gains and costs.
        note: v.optional(v.string()),
      }),
    ),
    v.minLength(1),
  ),
});
export type ShippedModel = v.InferOutput<typeof ModelIndex>['files'][number];

export interface FetchedModel {
  bytes: Uint8Array<ArrayBuffer>;
  model: ShippedModel;
  models: readonly ShippedModel[];
}

/** Holds every bar and was trained to break and place blocks; a larger one is the visitor's choice. */
const DEFAULT_RUNG = 'micro';

/** The one that is asked for, else the default, else the smallest. */
export const chooseModel = (models: readonly ShippedModel[], wanted: string): ShippedModel =>
  models.find(({ rung }) => rung === wanted) ?? models.find(({ rung }) => rung === DEFAULT_RUNG) ?? models[0];

const noCheckpoint: Failure = {
  ok: false,
  code: 'no-checkpoint',
  reason: 'No trained checkpoint in this build yet.',
  advice: 'The true world beside it is playable. You can also train a small model in this tab.',
};

/** The models that come with the page; none if there is no list. */
export async function listModels(base: string, fetcher: typeof fetch = fetch): Promise<readonly ShippedModel[]> {
  try {
    const answer = await fetcher(`${base}index.json`);
    return answer.ok ? v.parse(ModelIndex, await answer.json()).files : [];
  } catch {
    return [];
  }
}

/** `base` ends with a slash; `wanted`: a rung, or nothing for the default. */
export async function fetchShipped(
  base: string,
  wanted: string,
  fetcher: typeof fetch = fetch,
): Promise<Outcome<FetchedModel>> {
  let models: readonly ShippedModel[];
  try {
    const answer = await fetcher(`${base}index.json`);
    // A server that answers every path with the page itself has no index either.
    if (!answer.ok || !answer.headers.get('content-type')?.includes('json')) return noCheckpoint;
    models = v.parse(ModelIndex, await answer.json()).files;
  } catch (error) {
    if (error instanceof TypeError) return offline();
    return {
      ok: false,
      code: 'bad-checkpoint',
      reason: 'The list of checkpoints is not readable.',
      advice: 'Reload the page.',
    };
  }
  const model = chooseModel(models, wanted);
  try {
    const answer = await fetcher(base + model.file);
    if (!answer.ok) {
      return {
        ok: false,
        code: 'no-checkpoint',
        reason: `The checkpoint ${model.file} is missing on the server (${answer.status}).`,
        advice: noCheckpoint.advice,
      };
    }
    return { ok: true, value: { bytes: new Uint8Array(await answer.arrayBuffer()), model, models } };
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
