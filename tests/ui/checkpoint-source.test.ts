// Fetching the shipped checkpoint: every way a server can answer.

import { expect, test } from 'vitest';
import { fetchShipped } from '../../src/ui/playground/checkpoint-source.ts';

const json = (value: unknown) =>
  new Response(JSON.stringify(value), { headers: { 'content-type': 'application/json; charset=utf-8' } });
const serve = (answers: Record<string, Response | Error>) =>
  ((address: string) => {
    const answer = answers[address];
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve(answer ?? new Response('', { status: 404 }));
  }) as unknown as typeof fetch;

test('the first listed file', async () => {
  const fetcher = serve({
    'm/index.json': json({ files: [{ file: 'micro.safetensors', title: 'micro' }, { file: 'nano.safetensors' }] }),
    'm/micro.safetensors': new Response(Uint8Array.of(1, 2, 3)),
  });
  const result = await fetchShipped('m/', fetcher);
  expect(result.ok && [...result.value]).toEqual([1, 2, 3]);
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
  ['a path out of the folder', { 'm/index.json': json({ files: [{ file: '../x.safetensors' }] }) }, 'bad-checkpoint'],
  [
    'broken JSON',
    { 'm/index.json': new Response('{', { headers: { 'content-type': 'application/json' } }) },
    'bad-checkpoint',
  ],
  ['a listed file that is missing', { 'm/index.json': json({ files: [{ file: 'a.safetensors' }] }) }, 'no-checkpoint'],
  ['no network', { 'm/index.json': new TypeError('failed to fetch') }, 'network'],
  [
    'no network in the middle',
    { 'm/index.json': json({ files: [{ file: 'a.safetensors' }] }), 'm/a.safetensors': new TypeError('reset') },
    'network',
  ],
])('%s', async (_, answers, code) => {
  const result = await fetchShipped('m/', serve(answers as Record<string, Response | Error>));
  expect(result).toMatchObject({ ok: false, code });
  if (!result.ok) {
    expect(result.reason).toMatch(/\.$/);
    expect(result.advice).toMatch(/\.$/);
  }
});
