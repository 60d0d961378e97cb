// The race's worker without its engines: which device a race gets.

import { beforeEach, expect, test } from 'vitest';
import { RaceSession } from '../../src/bench/race/session.ts';
import type { Gpu } from '../../src/gpu/device.ts';

let opened: { lostReason: string | null; error: string | null; disposed: boolean }[];
let refused: boolean;
let session: RaceSession;

beforeEach(() => {
  opened = [];
  refused = false;
  session = new RaceSession(async () => {
    if (refused) return { ok: false, reason: 'no adapter', advice: '' };
    const gpu = {
      lostReason: null,
      error: null,
      report: { software: true },
      disposed: false,
      dispose: () => {
        gpu.disposed = true;
      },
    };
    opened.push(gpu);
    return { ok: true, gpu: gpu as unknown as Gpu };
  });
});

test('one race after the other has the same device', async () => {
  expect(session.sound()).toBe(false);
  expect(await session.rows()).not.toEqual([]);
  await session.rows();
  expect(session.sound()).toBe(true);
  expect(opened).toHaveLength(1);
});

test.each([
  ['lost', { lostReason: 'driver reset' }],
  ['out of memory', { error: 'Out of memory' }],
])('a device that is %s is told and given up', async (_, trouble) => {
  await session.rows();
  Object.assign(opened[0], trouble);
  expect(session.sound()).toBe(false);
  await session.rows();
  expect(session.sound()).toBe(true);
  expect(opened.map(({ disposed }) => disposed)).toEqual([true, false]);
});

test('an adapter that was refused once is asked for again', async () => {
  refused = true;
  expect(
    await session.start(
      [],
      () => undefined,
      () => undefined,
    ),
  ).toEqual({ ok: false, reason: 'no adapter' });
  refused = false;
  expect(await session.rows()).not.toEqual([]);
});
