// The checkpoints that come with the page: an index names them, each has a card with what was measured of it.

import * as v from 'valibot';

const BASE = 'models/learn2pd/';
const FILE = v.pipe(v.string(), v.regex(/^[\w.-]+\.(safetensors|json)$/));
/** The one that is opened at first, then the others. */
const Index = v.object({ files: v.array(v.object({ rung: v.string(), file: FILE, card: FILE })) });
export type ShippedFile = v.InferOutput<typeof Index>['files'][number];

const Table = v.object({
  name: v.string(),
  columns: v.array(v.string()),
  /** null: not a number, such as the agreement with a text that is not there. */
  rows: v.array(v.array(v.nullable(v.union([v.string(), v.number()])))),
});
const Card = v.object({
  training: v.optional(v.object({ command: v.string(), adapter: v.string(), flops: v.number() })),
  evaluation: v.optional(
    v.object({
      command: v.string(),
      adapter: v.optional(v.string()),
      metrics: v.record(v.string(), v.unknown()),
      tables: v.optional(v.array(Table)),
    }),
  ),
});
export type Card = v.InferOutput<typeof Card>;

export type Shipped = { ok: true; bytes: Uint8Array<ArrayBuffer> } | { ok: false; reason: string; advice: string };

async function json<T>(file: string, schema: v.GenericSchema<unknown, T>, fetcher: typeof fetch): Promise<T | null> {
  try {
    const answer = await fetcher(BASE + file);
    // A server that answers every path with the page itself has no such file either.
    if (!answer.ok || !answer.headers.get('content-type')?.includes('json')) return null;
    const found = v.safeParse(schema, await answer.json());
    return found.success ? found.output : null;
  } catch {
    return null;
  }
}

/** Empty if there are none, or none that can be read. */
export const fetchIndex = async (fetcher: typeof fetch = fetch): Promise<ShippedFile[]> =>
  (await json('index.json', Index, fetcher))?.files ?? [];

export const fetchCard = (file: ShippedFile, fetcher: typeof fetch = fetch): Promise<Card | null> =>
  json(file.card, Card, fetcher);

/** The one that is asked for, else the first. */
export const chooseFile = (files: readonly ShippedFile[], wanted: string): ShippedFile | undefined =>
  files.find(({ rung }) => rung === wanted) ?? files[0];

export async function fetchShipped(file: ShippedFile | undefined, fetcher: typeof fetch = fetch): Promise<Shipped> {
  if (!file) {
    return {
      ok: false,
      reason: 'No trained checkpoint comes with this build.',
      advice: 'Build the page with its models, or reload.',
    };
  }
  try {
    const answer = await fetcher(BASE + file.file);
    if (answer.ok) return { ok: true, bytes: new Uint8Array(await answer.arrayBuffer()) };
    return {
      ok: false,
      reason: `The checkpoint ${file.file} is missing on the server (${answer.status}).`,
      advice: 'Build the page with its models, or reload.',
    };
  } catch {
    return {
      ok: false,
      reason: 'The checkpoint could not be fetched: no connection to the server.',
      advice: 'Check the connection and reload.',
    };
  }
}
