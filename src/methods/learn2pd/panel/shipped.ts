// The checkpoint that comes with the page: its card names the file and what was measured of it.

import * as v from 'valibot';

const BASE = 'models/learn2pd/';
const Table = v.object({
  name: v.string(),
  columns: v.array(v.string()),
  rows: v.array(v.array(v.union([v.string(), v.number()]))),
});
const Card = v.object({
  file: v.pipe(v.string(), v.regex(/^[\w.-]+\.safetensors$/)),
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

const NONE = {
  ok: false as const,
  reason: 'No trained checkpoint comes with this build.',
  advice: 'Build the page with its models, or reload.',
};

/** null if there is none, or none that can be read. */
export async function fetchCard(fetcher: typeof fetch = fetch): Promise<Card | null> {
  try {
    const answer = await fetcher(`${BASE}card.json`);
    // A server that answers every path with the page itself has no card either.
    if (!answer.ok || !answer.headers.get('content-type')?.includes('json')) return null;
    const card = v.safeParse(Card, await answer.json());
    return card.success ? card.output : null;
  } catch {
    return null;
  }
}

export async function fetchShipped(fetcher: typeof fetch = fetch): Promise<Shipped> {
  const card = await fetchCard(fetcher);
  if (!card) return NONE;
  try {
    const answer = await fetcher(BASE + card.file);
    if (!answer.ok)
      return { ...NONE, reason: `The checkpoint ${card.file} is missing on the server (${answer.status}).` };
    return { ok: true, bytes: new Uint8Array(await answer.arrayBuffer()) };
  } catch {
    return {
      ok: false,
      reason: 'The checkpoint could not be fetched: no connection to the server.',
      advice: 'Check the connection and reload.',
    };
  }
}
