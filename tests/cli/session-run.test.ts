// The loop around a session, with a session that counts: a run that is stopped and resumed has one log and all its time, and one
// whose disk is full loses nothing.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runSession, type SessionRun } from '../../src/cli/session-run.ts';
import type { RunContext, Session } from '../../src/methods/contract.ts';

/** The file that a full disk has no room for; null = there is room for all. */
let full: RegExp | null = null;
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const writeFile: typeof real.writeFile = async (file, data, options) => {
    if (!full?.test(String(file))) return real.writeFile(file, data, options);
    // As the system does: what fits is written, then it fails.
    await real.writeFile(file, (data as Uint8Array).subarray(0, 1), options);
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  return { ...real, writeFile };
});

const STEPS = 6;
const silent = { line: () => undefined, text: () => undefined, note: () => undefined, result: () => undefined };

/** Stops like Ctrl+C after so many steps. */
function counting(stopAfter: number): SessionRun<Session, null> {
  const create = ({ emit, signal }: RunContext): Session => {
    let count = 0;
    return {
      phases: [{ id: 'count', title: 'Counting', steps: STEPS }],
      async advance() {
        await new Promise((resolve) => setTimeout(resolve, 5));
        count += 1;
        emit({ kind: 'metrics', phase: 'count', step: count, values: { half: count / 2 } });
        if (count === stopAfter) process.emit('SIGINT');
        expect(signal.aborted).toBe(count === stopAfter);
        return count >= STEPS ? 'done' : 'more';
      },
      state: () => ({ phase: 'count', step: count, done: count >= STEPS }),
      save: async () => ({ name: 'count.safetensors', bytes: Uint8Array.of(count) }),
      load: async ({ bytes }) => {
        count = bytes[0];
      },
      inspect: async () => ({ width: 0, height: 0, columns: 0, rows: [] }),
      dispose: () => undefined,
    };
  };
  return {
    file: 'count.safetensors',
    runOf: () => ({ config: null, seed: 3 }),
    configure: () => null,
    create,
    begin: () => '',
  };
}

test('a resumed run keeps the events and the wall time of the parts before', async () => {
  const out = await mkdtemp(join(tmpdir(), 'session-run-'));
  const args = { preset: 'x', seed: 3, set: {}, out, checkpointMinutes: 5 };
  const log = async () =>
    (await readFile(join(out, 'events.jsonl'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  try {
    await expect(runSession({ ...args, resume: false }, silent, counting(4))).rejects.toThrow('--resume');
    const stopped = await log();
    expect(stopped.map(({ step }) => step)).toEqual([1, 2, 3, 4, undefined]);
    const before = stopped.at(-1).wallMs;
    expect(before).toBeGreaterThan(15);
    const { earlierMs, last } = await runSession({ ...args, resume: true }, silent, counting(0));
    expect(earlierMs).toBe(before);
    expect(last).toEqual({ 'count.half': 3 });
    const whole = await log();
    expect(whole.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, undefined]);
    expect(whole.at(-1).wallMs).toBeGreaterThan(before + 8);
  } finally {
    await rm(out, { recursive: true });
  }
});

describe('a full disk', () => {
  let out: string;
  let notes: string[];
  const output = { ...silent, note: (text: string) => void notes.push(text) };
  const args = () => ({ preset: 'x', seed: 3, set: {}, out, checkpointMinutes: 0, resume: false });
  const counted = async (): Promise<number[]> => [...(await readFile(join(out, 'count.safetensors')))];
  const listeners = (): number => process.listenerCount('SIGINT') + process.listenerCount('SIGTERM');

  beforeEach(async () => {
    out = await mkdtemp(join(tmpdir(), 'session-run-full-'));
    notes = [];
  });
  afterEach(async () => {
    full = null;
    await rm(out, { recursive: true });
  });

  test('stops nothing: the last checkpoint stays, later ones are tried again, the folder is named', async () => {
    const run = counting(0);
    const states: number[][] = [];
    const onSave = async (session: Session): Promise<void> => {
      states.push(await counted());
      if (session.state().step === 2) full = /count/;
    };
    // Room is there again when the run has ended and waits for it.
    let waits = 0;
    const note = (text: string): void => {
      notes.push(text);
      if (text.includes('Waiting')) waits += 1;
      if (waits > 0) full = null;
    };
    await runSession(args(), { ...output, note }, { ...run, onSave }, { retryMs: 2, giveUpMs: 60_000 });
    expect(states).toEqual([[1], [2], [6]]);
    expect(await counted()).toEqual([6]);
    expect(await readdir(out)).toEqual(['count.safetensors', 'events.jsonl']);
    const unsaved = notes.filter((text) => text.includes('not saved'));
    expect(unsaved.map((text) => /not saved at (count \d)/.exec(text)?.[1])).toEqual([
      'count 3',
      'count 4',
      'count 5',
      'count 6',
    ]);
    for (const text of unsaved) {
      expect(text).toContain(`There is no room left for ${out}`);
      expect(text).toContain('Saved of this run: count 2.');
      expect(text).not.toContain('this page');
    }
    expect(waits).toBe(1);
  });

  test('a run that is stopped waits for room as well', async () => {
    full = /count/;
    const before = listeners();
    const note = (text: string): void => {
      if (text.includes('Waiting')) full = null;
    };
    const stopped = runSession(args(), { ...silent, note }, counting(4), { retryMs: 2, giveUpMs: 60_000 });
    await expect(stopped).rejects.toThrow('--resume');
    expect(await counted()).toEqual([4]);
    expect(listeners()).toBe(before);
  });

  test('that stays full ends in one message when the wait is over, or at once by Ctrl+C; what was saved stays', async () => {
    await expect(runSession(args(), silent, counting(2), { retryMs: 2, giveUpMs: 0 })).rejects.toThrow('--resume');
    full = /count|events/;
    const resumed = { ...args(), resume: true };
    const message = `${out}: not saved at count 6. There is no room left for ${out}`;
    await expect(runSession(resumed, output, counting(0), { retryMs: 2, giveUpMs: 20 })).rejects.toThrow(message);
    expect(await counted()).toEqual([2]);
    const stop = (text: string): void => {
      if (text.includes('Waiting')) setTimeout(() => process.emit('SIGINT'), 5);
    };
    const patience = { retryMs: 60_000, giveUpMs: 60_000 };
    await expect(runSession(resumed, { ...silent, note: stop }, counting(0), patience)).rejects.toThrow(message);
    expect(await counted()).toEqual([2]);
    expect(await readdir(out)).toEqual(['count.safetensors', 'events.jsonl']);
  });

  test('what is made of a checkpoint, such as pictures, may fail', async () => {
    const onSave = async (): Promise<void> => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    };
    await runSession(args(), output, { ...counting(0), onSave }, { retryMs: 2, giveUpMs: 0 });
    expect(await counted()).toEqual([6]);
    expect(notes).toContain(`${out}: ENOSPC: no space left on device, write`);
  });
});
