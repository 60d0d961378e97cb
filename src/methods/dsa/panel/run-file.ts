// A run as the browser keeps it: what was asked for and measured in one file, the training checkpoint in another. The measured
// points are written first, so that they are never behind the weights; what is ahead of them is measured again.

import * as v from 'valibot';
import { SafetensorsError } from '../../../data/safetensors.ts';
import type { Storage } from '../../../data/storage.ts';
import { CheckpointError } from '../../../train/checkpoint.ts';
import { ConfigError } from '../../config-values.ts';
import { configure } from '../config.ts';
import { runOf } from '../session.ts';
import type { SavedRun } from './protocol.ts';

const POINTS = 'run.json';
const WEIGHTS = 'run.safetensors';

const Numbers = v.record(v.string(), v.number());
const RunFileSchema = v.object({
  request: v.object({ preset: v.string(), seed: v.number(), set: v.record(v.string(), v.string()) }),
  points: v.array(v.object({ phase: v.string(), step: v.number(), values: Numbers })),
  /** Files from before it was kept say nothing of it. */
  workMs: v.optional(v.number(), 0),
  isolation: v.nullable(
    v.object({
      phase: v.string(),
      step: v.number(),
      norms: v.object({
        indexLossOnMain: v.number(),
        lmLossOnIndexer: v.number(),
        indexLossOnIndexer: v.number(),
        lmLossOnMain: v.number(),
      }),
    }),
  ),
});
export type RunFile = v.InferOutput<typeof RunFileSchema>;

export interface KeptRun {
  file: RunFile;
  bytes: Uint8Array<ArrayBuffer>;
}

export async function writeRun(storage: Storage, { file, bytes }: KeptRun): Promise<void> {
  await storage.write(POINTS, new TextEncoder().encode(JSON.stringify(file)));
  await storage.write(WEIGHTS, bytes);
}

/** Null if there is none, or if one half does not fit the other: a run that was begun and never kept. */
export async function readRun(storage: Storage): Promise<KeptRun | null> {
  const [points, bytes] = [await storage.read(POINTS), await storage.read(WEIGHTS)];
  if (!points || !bytes) return null;
  try {
    const file = v.parse(RunFileSchema, JSON.parse(new TextDecoder().decode(points)));
    const { config, seed } = runOf(bytes);
    const asked = configure(file.request.preset, file.request.set);
    return seed === file.request.seed && JSON.stringify(config) === JSON.stringify(asked) ? { file, bytes } : null;
  } catch (error) {
    const foreign = [CheckpointError, SafetensorsError, ConfigError, v.ValiError, SyntaxError];
    if (foreign.some((kind) => error instanceof kind)) return null;
    throw error;
  }
}

export async function removeRun(storage: Storage): Promise<void> {
  await storage.remove(WEIGHTS);
  await storage.remove(POINTS);
}

/** What a kept run says about itself. */
export function openingOf({ file }: KeptRun): SavedRun {
  const last = file.points.at(-1);
  return { ...file.request, phase: last?.phase ?? 'base', step: last?.step ?? 0 };
}
