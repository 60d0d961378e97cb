// The loop around a session, with a session that counts: a run that is stopped and resumed has one log and all its time.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runSession, type SessionRun } from '../../src/cli/session-run.ts';
import type { RunContext, Session } from '../../src/methods/contract.ts';

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
