// A run as the browser keeps it: what was asked for and measured in one file, the training checkpoint in another. The first
// is written first, so that the measured lines are never behind the weights; what is ahead of them is measured again.

import * as v from 'valibot';
import type { Storage } from '../../data/storage.ts';
import type { KeptRun } from './train-protocol.ts';

const Count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const RunFile = v.object({
  id: v.pipe(v.string(), v.regex(/^\w+$/)),
  at: v.number(),
  preset: v.string(),
  seed: Count,
  set: v.record(v.string(), v.number()),
  /** The configuration that the preset and the changes gave: it decides, should a later version have another preset. */
  config: v.unknown(),
  /** How far the training had come. A run that goes on from here may first have to prepare its data again. */
  phase: v.string(),
  title: v.string(),
  step: Count,
  steps: Count,
  done: v.boolean(),
  workMs: v.number(),
  lines: v.record(v.string(), v.array(v.object({ step: v.number(), value: v.number() }))),
});
export type RunFile = v.InferOutput<typeof RunFile>;

const about = (id: string): string => `${id}.json`;
const weights = (id: string): string => `${id}.safetensors`;

export async function writeRun(storage: Storage, file: RunFile, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  await storage.write(about(file.id), new TextEncoder().encode(JSON.stringify(file)));
  await storage.write(weights(file.id), bytes);
}

/** Null if it is not there, or not whole: a run that was begun and never kept. */
export async function readRun(
  storage: Storage,
  id: string,
): Promise<{ file: RunFile; bytes: Uint8Array<ArrayBuffer> } | null> {
  const [file, bytes] = [await readFile(storage, id), await storage.read(weights(id))];
  return file && bytes ? { file, bytes } : null;
}

/** The newest first. */
export async function listRuns(storage: Storage): Promise<KeptRun[]> {
  const names = new Set(await storage.list());
  const runs: KeptRun[] = [];
  for (const name of names) {
    const id = name.replace(/\.json$/, '');
    if (id === name || !names.has(weights(id))) continue;
    const file = await readFile(storage, id);
    if (!file) continue;
    const { at, preset, seed, title, step, steps, done } = file;
    runs.push({ id, at, preset, seed, title, step, steps, done });
  }
  return runs.sort((a, b) => b.at - a.at);
}

export async function removeRun(storage: Storage, id: string): Promise<void> {
  await storage.remove(weights(id));
  await storage.remove(about(id));
}

async function readFile(storage: Storage, id: string): Promise<RunFile | null> {
  const text = await storage.read(about(id));
  if (!text) return null;
  try {
    const parsed = v.safeParse(RunFile, JSON.parse(new TextDecoder().decode(text)));
    return parsed.success && parsed.output.id === id ? parsed.output : null;
  } catch {
    return null;
  }
}
