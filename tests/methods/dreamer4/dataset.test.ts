// Frames in the cache: used while players act as they did, made anew with their marks when they do not.

import { expect, test, vi } from 'vitest';
import { memoryStorage } from '../../../src/data/storage.ts';
import { presets } from '../../../src/methods/dreamer4/config.ts';
import { buildFrames, frameName, trainingSpecs } from '../../../src/methods/dreamer4/dataset.ts';
import type { FrameEpisode } from '../../../src/methods/dreamer4/frames.ts';
import { sameBits } from '../../support/compute.ts';

const config = { ...presets.nano, handsWeight: 1, data: { episodes: 1, steps: 40, walks: 0 } };
const specs = trainingSpecs(config, 5);
const build = async (cache = memoryStorage()) => (await buildFrames(config, specs, cache, undefined, true)).episodes[0];

/** Equal in all parts; a matcher would print the difference for minutes. */
const same = (a: FrameEpisode, b: FrameEpisode): boolean =>
  sameBits(a.frames, b.frames) &&
  a.actions.join() === b.actions.join() &&
  sameBits(a.touched as Uint8Array, b.touched as Uint8Array);

/** A cache whose frames and marks are spoilt, by which their use shows, and whose player did `action` in step 7. */
async function spoilt(action?: number) {
  const cache = memoryStorage();
  const fresh = await build(cache);
  const name = frameName(config, specs[0]);
  const file = (await cache.read(name)) as Uint8Array<ArrayBuffer>;
  file.fill(77, 4 + fresh.actions.byteLength);
  if (action !== undefined) new DataView(file.buffer).setUint32(4 + 7 * 4, action, true);
  await cache.write(name, file);
  const marks = (await cache.list()).find((n) => n !== name) as string;
  await cache.write(marks, new Uint8Array((fresh.touched as Uint8Array).length).fill(78));
  return { cache, fresh };
}

test('frames of the same actions are not drawn again', async () => {
  const { cache } = await spoilt();
  const { frames, touched } = await build(cache);
  expect([...new Set(frames), ...new Set(touched)]).toEqual([77, 78]);
});

test('frames of other actions are drawn anew and kept, and their marks with them', async () => {
  const { cache, fresh } = await spoilt(1);
  expect(same(await build(cache), fresh)).toBe(true);
  expect(same(await build(cache), fresh)).toBe(true);
});

test('a set without marks leaves none of the old frames behind', async () => {
  const { cache, fresh } = await spoilt(1);
  await buildFrames(config, specs, cache);
  expect(same(await build(cache), fresh)).toBe(true);
});

test.each([
  // The version of caches from before it was part of the name.
  [802399137, 'topdown-2-meadow-32x32-miner-2-3-40.frames'],
  [7, 'topdown-2-7-meadow-32x32-miner-2-3-40.frames'],
])('names of frames under version %i of the rules', async (version, name) => {
  vi.resetModules();
  vi.doMock('../../../src/world/version.ts', () => ({ SIM_VERSION: version }));
  const dataset = await import('../../../src/methods/dreamer4/dataset.ts');
  vi.doUnmock('../../../src/world/version.ts');
  expect(dataset.frameName(config, { ...specs[0], player: 'miner', worldSeed: 2, episodeSeed: 3 })).toBe(name);
});
