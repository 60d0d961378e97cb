import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { taken } from '../../src/cli/taken.ts';

test('waits until a slow reader has all that was written', async () => {
  const read: string[] = [];
  const slow = new Writable({
    write(chunk, _, next) {
      setTimeout(() => {
        read.push(String(chunk));
        next();
      }, 10);
    },
  });
  for (const part of ['one', 'two', 'three']) slow.write(part);
  expect(read).toEqual([]);
  await taken(slow);
  expect(read.join(' ').trim()).toBe('one two three');
});

test('a reader that is gone keeps nobody waiting', async () => {
  const closed = new Writable({
    write(_chunk, _encoding, next) {
      next(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    },
  });
  closed.write('lost');
  await taken(closed);
});
