// The card of a shipped checkpoint: what it is, how it was made, and its evaluation with the command that gave it.

import * as v from 'valibot';

const TableSchema = v.object({
  name: v.string(),
  columns: v.array(v.string()),
  rows: v.array(v.array(v.union([v.string(), v.number()]))),
});

const EvaluationSchema = v.object({
  /** What was measured, where the command does not say it. */
  about: v.optional(v.string()),
  command: v.string(),
  adapter: v.string(),
  metrics: v.record(v.string(), v.number()),
  tables: v.array(TableSchema),
});

const CardSchema = v.object({
  title: v.string(),
  file: v.string(),
  /** Wall time where it was kept. */
  training: v.object({ command: v.string(), adapter: v.string(), wallSeconds: v.optional(v.number()) }),
  /** Name of the file of a recorded run of post-training, if there is one. */
  post: v.optional(v.string()),
  evaluation: EvaluationSchema,
  /** Further evaluations of the same weights: other k and formats, cost curves. */
  more: v.optional(v.array(EvaluationSchema)),
});
export type Card = v.InferOutput<typeof CardSchema>;
export type Evaluation = v.InferOutput<typeof EvaluationSchema>;
export type FigureRows = v.InferOutput<typeof TableSchema>;

/** All evaluations of a card, the one that it stands for first. */
export const evaluationsOf = ({ evaluation, more = [] }: Card): Evaluation[] => [evaluation, ...more];

/** A recorded run of post-training, as the command line writes it, with the command. */
const PostSchema = v.object({
  command: v.string(),
  preset: v.string(),
  seed: v.number(),
  adapter: v.string(),
  tables: v.array(TableSchema),
});
export type PostCard = v.InferOutput<typeof PostSchema>;

const FOLDER = 'models/dsa/';

async function fetched(name: string): Promise<Response> {
  const response = await fetch(FOLDER + name);
  if (!response.ok) throw new Error(`${FOLDER}${name} could not be loaded (${response.status}).`);
  return response;
}

/** The run of post-training that a card names. */
export async function fetchPost(card: Card): Promise<PostCard | null> {
  if (!card.post) return null;
  const parsed = v.safeParse(PostSchema, await (await fetched(card.post)).json());
  if (!parsed.success) throw new Error(`The recorded post-training is not readable: ${parsed.issues[0].message}`);
  return parsed.output;
}

/** Shipped weights by preset; the first is opened at the first visit, on any adapter. */
export const SHIPPED = {
  nano: 'card.json',
  mini: 'dsa-mini.card.json',
  small: 'dsa-small.card.json',
  control: 'dsa-control.card.json',
} as const;
export type ShippedName = keyof typeof SHIPPED;

/** Shipped weights and their card. */
export async function fetchShipped(name: ShippedName): Promise<{ card: Card; bytes: Uint8Array<ArrayBuffer> }> {
  const parsed = v.safeParse(CardSchema, await (await fetched(SHIPPED[name])).json());
  if (!parsed.success) throw new Error(`The card of the shipped weights is not readable: ${parsed.issues[0].message}`);
  const card = parsed.output;
  return { card, bytes: new Uint8Array(await (await fetched(card.file)).arrayBuffer()) };
}
