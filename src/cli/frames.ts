// `lab world frames`: renders the training and held-out frames of a Dreamer 4 preset into the cache that runs read. Several processes with
// parts of it work side by side; a run does the same by itself, one episode after the other.

import { folderStorage } from '../data/storage-node.ts';
import { configure } from '../methods/dreamer4/config-file.ts';
import { buildFrames, frameName, holdoutSpecs, trainingSpecs } from '../methods/dreamer4/dataset.ts';
import { HOLDOUT_EPISODES } from '../methods/dreamer4/session.ts';
import { UsageError } from './args.ts';
import type { Output } from './command.ts';
import { frameCache } from './open.ts';

/** What `--set` knows besides fields of the configuration. */
const OWN = { preset: 'micro', part: '0', parts: '1', seconds: '1000000' };

export async function renderFrames(seed: number, set: Readonly<Record<string, string>>, output: Output): Promise<void> {
  const own = { ...OWN };
  const changes: Record<string, string> = {};
  for (const [key, value] of Object.entries(set)) {
    if (Object.hasOwn(own, key)) own[key as keyof typeof own] = value;
    else changes[key] = value;
  }
  const [part, parts, seconds] = [own.part, own.parts, own.seconds].map(Number);
  if (!(Number.isInteger(part) && Number.isInteger(parts) && part >= 0 && part < parts)) {
    throw new UsageError(`world frames: part ${own.part} of ${own.parts} does not exist`);
  }
  if (!(seconds >= 0)) throw new UsageError(`--set seconds=${own.seconds} is not a time`);
  const config = configure(own.preset, changes);
  const specs = trainingSpecs(config, seed);
  const storage = await folderStorage(frameCache());
  const until = performance.now() + 1000 * seconds;
  const held = holdoutSpecs(config, seed, HOLDOUT_EPISODES);
  const mine = [...held, ...specs].filter((_, i) => i % parts === part);
  for (const [i, spec] of mine.entries()) {
    if (performance.now() >= until) break;
    await buildFrames(config, [spec], storage);
    if (i % 10 === 9) output.note(`part ${part} of ${parts}: ${i + 1} of ${mine.length} episodes`);
  }
  const there = new Set(await storage.list());
  const missing = specs.findIndex((spec) => !there.has(frameName(config, spec)));
  const ready = missing < 0 ? specs.length : missing;
  output.line(`${ready} of ${specs.length} episodes are ready, counted from the first`);
  output.result({ action: 'frames', preset: own.preset, seed, ready, episodes: specs.length });
}
