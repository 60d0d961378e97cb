// Which of the checkpoints that come with the page is opened, and what is no index or no card.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { chooseFile, fetchCard, fetchIndex } from '../../../src/methods/learn2pd/panel/shipped.ts';

const FOLDER = 'public/models/learn2pd/';
const served =
  (text: string, type = 'application/json'): typeof fetch =>
  async () =>
    new Response(text, { headers: { 'content-type': type } });

test('the index that ships names files that are there, each with a card whose tables can be read', async () => {
  const files = await fetchIndex(served(readFileSync(`${FOLDER}index.json`, 'utf8')));
  expect(files.length).toBeGreaterThan(0);
  const sizes = files.map(({ file }) => readFileSync(FOLDER + file).length);
  expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
  expect(Math.max(...sizes)).toBeLessThan(10e6);
  for (const file of files) {
    const card = await fetchCard(file, served(readFileSync(FOLDER + file.card, 'utf8')));
    expect(
      card?.evaluation?.tables?.map((t) => t.name),
      file.rung,
    ).toContain('lengthScaling');
  }
});

test('a processor gets the smallest, a GPU the largest, and who asks for one gets that', () => {
  const files = ['mini', 'small'].map((rung) => ({ rung, file: `${rung}.safetensors`, card: `${rung}.json` }));
  expect(chooseFile(files, 'shipped', true)?.rung).toBe('mini');
  expect(chooseFile(files, 'shipped', false)?.rung).toBe('small');
  expect(chooseFile(files, 'small', true)?.rung).toBe('small');
  expect(chooseFile(files, 'gone', true)?.rung).toBe('mini');
  expect(chooseFile([], 'mini', true)).toBeUndefined();
});

test('a page in place of the index, or a file name that leads elsewhere, is no index', async () => {
  expect(await fetchIndex(served('<!doctype html>', 'text/html'))).toEqual([]);
  expect(await fetchIndex(served('{"files":[{"rung":"x","file":"../x.safetensors","card":"x.json"}]}'))).toEqual([]);
  expect(await fetchIndex(async () => Promise.reject(new TypeError('offline')))).toEqual([]);
});
