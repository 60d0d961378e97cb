// Fetching the shipped checkpoint: every way a server can answer.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { chooseModel, fetchShipped } from '../../src/ui/playground/checkpoint-source.ts';

const json = (value: unknown) =>
  new Response(JSON.stringify(value), { headers: { 'content-type': 'application/json; charset=utf-8' } });
const serve = (answers: Record<string, Response | Error>) =>
  ((address: string) => {
    const answer = answers[address];
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve(answer ?? new Response('', { status: 404 }));
  }) as unknown as typeof fetch;

const model = (rung: string) => ({ rung, file: `${rung}.safetensors`, card: `${rung}.card.json`, title: rung });
const files = [model('micro'), model('small')];
const ANY = '';

test('the default model, with the list of all', async () => {
  const fetcher = serve({
    'm/index.json': json({ files }),
    'm/micro.safetensors': new Response(Uint8Array.of(1, 2, 3)),
    'm/small.safetensors': new Response(Uint8Array.of(4)),
  });
  const result = await fetchShipped('m/', ANY, fetcher);
  expect(result.ok && [...result.value.bytes]).toEqual([1, 2, 3]);
  expect(result.ok && result.value.model.rung).toBe('micro');
  expect(result.ok && result.value.models).toEqual(files);
});

test.each([
  ['', ['micro', 'small'], 'micro'],
  ['', ['nano', 'micro', 'small'], 'micro'],
  ['small', ['micro', 'small'], 'small'],
  ['unknown', ['micro', 'small'], 'micro'],
  ['', ['x', 'y'], 'x'],
])('asked for "%s" of %j: %s', (wanted, rungs, rung) => {
  expect(chooseModel(rungs.map(model), wanted).rung).toBe(rung);
});

test('every shipped model but the default says what choosing it gains and costs', () => {
  const { files } = JSON.parse(
    readFileSync(resolve(import.meta.dirname, '../../public/models/dreamer4/index.json'), 'utf8'),
  );
  const { rung: standard } = chooseModel(files, '');
  expect(standard).toBe('micro');
  for (const { rung, note } of files) expect(Boolean(note), rung).toBe(rung !== standard);
});

test.each([
  ['no index', {}, 'no-checkpoint'],
  [
    'a server that answers with the page',
    { 'm/index.json': new Response('<html>', { headers: { 'content-type': 'text/html' } }) },
    'no-checkpoint',
  ],
  ['an empty list', { 'm/index.json': json({ files: [] }) }, 'bad-checkpoint'],
  ['a foreign shape', { 'm/index.json': json(['micro.safetensors']) }, 'bad-checkpoint'],
  [
    'a path out of the folder',
    { 'm/index.json': json({ files: [{ ...model('x'), file: '../x.safetensors' }] }) },
    'bad-checkpoint',
  ],
  [
    'broken JSON',
    { 'm/index.json': new Response('{', { headers: { 'content-type': 'application/json' } }) },
    'bad-checkpoint',
  ],
  ['a listed file that is missing', { 'm/index.json': json({ files: [model('a')] }) }, 'no-checkpoint'],
  ['no network', { 'm/index.json': new TypeError('failed to fetch') }, 'network'],
  [
    'no network in the middle',
    { 'm/index.json': json({ files: [model('a')] }), 'm/a.safetensors': new TypeError('reset') },
    'network',
  ],
])('%s', async (_, answers, code) => {
  const result = await fetchShipped('m/', ANY, serve(answers as Record<string, Response | Error>));
  expect(result).toMatchObject({ ok: false, code });
  if (!result.ok) {
    expect(result.reason).toMatch(/\.$/);
    expect(result.advice).toMatch(/\.$/);
  }
});
