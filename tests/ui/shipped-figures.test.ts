// The figures of a card, for the charts of Dreamer 4's page.

import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { listModels } from '../../src/ui/playground/checkpoint-source.ts';
import { readFigures, shortAdapter } from '../../src/ui/training/shipped-figures.ts';

const card = {
  parameters: 700_000,
  config: { frame: { width: 64, height: 48, patch: 8 } },
  evaluation: {
    command: 'npm run lab -- eval dreamer4',
    adapter: 'llvmpipe',
    metrics: {
      psnr1: 21,
      copy1: 19,
      psnr4: 18,
      placedShare: 0.8,
      placedFalse: 0.1,
      x: [],
    },
  },
};

test('horizons with their floor, events with what happens without the keys; what is not there is left out', () => {
  expect(readFigures(card)).toEqual({
    parameters: 700_000,
    width: 64,
    height: 48,
    contextSeconds: null,
    framesPerSecond: null,
    adapter: 'llvmpipe',
    command: 'npm run lab -- eval dreamer4',
    horizons: [{ frames: 1, dream: 21, still: 19 }],
    events: [{ name: 'block placed', share: 0.8, without: 0.1 }],
  });
});

test.each([null, 3, {}, { ...card, parameters: 'many' }])('%j is no card', (json) => {
  expect(readFigures(json)).toBeNull();
});

test('every shipped model is listed and has all of its horizons in its card', async () => {
  const folder = new URL('../../public/models/dreamer4/', import.meta.url);
  const fetcher = (async (at: string) => new Response(await readFile(new URL(at, folder)))) as unknown as typeof fetch;
  const models = await listModels('./', fetcher);
  expect(models.length).toBeGreaterThan(1);
  for (const { card: file } of models) {
    const figures = readFigures(JSON.parse(await readFile(new URL(file, folder), 'utf8')));
    expect(figures?.horizons.map((h) => h.frames)).toEqual([1, 4, 16]);
    for (const h of figures?.horizons ?? []) expect(h.dream).toBeGreaterThan(h.still);
  }
});

test('adapters in few words', () => {
  expect(shortAdapter('nvidia NVIDIA: 580.159.04')).toBe('NVIDIA');
  expect(shortAdapter('mesa software llvmpipe: Mesa 25.0.7')).toBe('mesa software llvmpipe');
  expect(shortAdapter('')).toBe('');
});

test('without a list there are no models', async () => {
  const answer = (body: string, status = 200) =>
    (async () => new Response(body, { status })) as unknown as typeof fetch;
  expect(await listModels('m/', answer('', 404))).toEqual([]);
  expect(await listModels('m/', answer('<html>'))).toEqual([]);
});
