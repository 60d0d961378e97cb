// A card shows what it holds and nothing else.

import { expect, test } from 'vitest';
import { fetchCard, readCard } from '../../src/ui/playground/model-card.ts';

const card = {
  file: 'dreamer4-micro.safetensors',
  evaluation: {
    command: 'npm run lab -- eval dreamer4',
    adapter: 'llvmpipe',
    metrics: {
      tokenizerPsnr: 26.44,
      psnr1: 24,
      copy1: 21.5,
      shuffleRatio16: 1.31,
      drift200: 0.07,
      placedShare: 0.75,
      placedFalse: 0.09,
      extra: [1, 2],
    },
  },
};

test('measured values in words, with the floor beside those that have one', () => {
  expect(readCard(card)).toEqual({
    command: 'npm run lab -- eval dreamer4',
    rows: [
      { name: 'frames after compression', value: '26.4 dB' },
      { name: 'dream after 1 step', value: '24.0 dB (standing still: 21.5 dB)' },
      { name: 'error with wrong keys, against right ones', value: '1.31' },
      { name: 'drift over 200 steps', value: '7 %' },
      { name: 'blocks placed as in the truth', value: '75 % (without the keys: 9 %)' },
    ],
  });
});

test.each([
  null,
  3,
  {},
  { file: 'x', evaluation: { command: 'c', adapter: '', metrics: { psnr1: 'good', copy1: null } } },
])('%j is no card', (json) => {
  expect(readCard(json)).toBeNull();
});

test('a missing or broken card is no error', async () => {
  const answer = (body: string, status = 200) =>
    (async () => new Response(body, { status })) as unknown as typeof fetch;
  expect(await fetchCard('m/micro.card.json', answer('', 404))).toBeNull();
  expect(await fetchCard('m/micro.card.json', answer('<html>'))).toBeNull();
  expect(await fetchCard('m/micro.card.json', answer(JSON.stringify(card)))).not.toBeNull();
});
