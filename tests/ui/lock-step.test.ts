// Dream and truth stay in step, whatever the dream does.

import { beforeEach, describe, expect, test } from 'vitest';
import { LockStep, type LockStepParts } from '../../src/ui/playground/lock-step.ts';
import type { DreamReport, Failure, Outcome, TruthTick } from '../../src/ui/playground/protocol.ts';

const tick = (episode: number, index: number, action: number) => ({ episode, index, action }) as TruthTick;
const report = (episode: number, index: number) => ({ episode, index }) as DreamReport;
const fail = (code: Failure['code']): Failure => ({ ok: false, code, reason: 'because', advice: 'do' });

let log: string[];
let answers: Outcome<DreamReport>[];
let rebuilt: Outcome<never> | { ok: true; value: never };
let index: number;
let episode: number;
let parts: LockStepParts;
let renew: number | undefined;

beforeEach(() => {
  log = [];
  answers = [];
  rebuilt = { ok: true, value: undefined as never };
  index = 0;
  episode = 0;
  renew = undefined;
  parts = {
    sim: {
      start: async ({ seed }) => {
        index = 0;
        log.push(`start ${seed}`);
        return tick(++episode, 0, 0);
      },
      step: async (action) => tick(episode, ++index, action ?? -1),
    },
    dream: {
      dreamFromTruth: async (of, at) => {
        log.push(`anchor ${of}.${at}`);
        return { ok: true, value: null };
      },
      step: async (of, at) => answers.shift() ?? { ok: true, value: report(of, at) },
      rebuild: async () => {
        log.push('rebuild');
        return rebuilt;
      },
    },
    chooseAction: () => 7,
    settings: () => ({ dream: { k: 4, contextCorruption: 0, seed: 1 }, film: false, speed: 1, renew }),
    onTruth: (truth) => log.push(`truth ${truth.episode}.${truth.index}`),
    onDream: (dream) => log.push(`dream ${dream.episode}.${dream.index}`),
    onRenewal: () => log.push('renewal'),
    onDreamFailure: (failure) => log.push(`failure ${failure.code}`),
    onNotice: (text) => {
      if (text.startsWith('because')) log.push('notice');
    },
  };
});

describe('one step', () => {
  test('without a dream only the truth moves', async () => {
    const clock = new LockStep(parts);
    await clock.start(5);
    await clock.step();
    expect(log).toEqual(['start 5', 'truth 1.0', 'truth 1.1']);
  });

  test('with a dream both move, truth first, same index', async () => {
    const clock = new LockStep(parts);
    await clock.start(5);
    await clock.dreamFromHere();
    await clock.step();
    await clock.step();
    expect(log.slice(2)).toEqual(['anchor 1.0', 'truth 1.1', 'dream 1.1', 'truth 1.2', 'dream 1.2']);
  });

  test('a dream that is renewed looks at the truth after so many dreamed steps, and counts anew', async () => {
    renew = 2;
    const clock = new LockStep(parts);
    await clock.start(5);
    await clock.dreamFromHere();
    await clock.step();
    await clock.dreamFromHere();
    for (let i = 0; i < 4; i++) await clock.step();
    const looks = log.flatMap((line, i) => (line === 'renewal' ? [log[i - 1], log[i + 1]] : []));
    expect(looks).toEqual(['dream 1.3', 'anchor 1.3', 'dream 1.5', 'anchor 1.5']);
    renew = undefined;
    for (let i = 0; i < 4; i++) await clock.step();
    expect(log.filter((line) => line === 'renewal')).toHaveLength(2);
  });

  test('a new start gives a running dream the new frames', async () => {
    const clock = new LockStep(parts);
    await clock.start(5);
    await clock.dreamFromHere();
    await clock.start(6);
    await clock.step();
    expect(log.slice(3)).toEqual(['start 6', 'truth 2.0', 'anchor 2.0', 'truth 2.1', 'dream 2.1']);
  });

  test('a dream that is ready late begins with the truth at the start, not where the truth has got to', async () => {
    const clock = new LockStep(parts);
    await clock.start(5);
    await clock.step();
    log = [];
    await Promise.all([clock.step(), clock.begin(5)]);
    await clock.step();
    expect(log).toEqual(['truth 1.2', 'start 5', 'truth 2.0', 'anchor 2.0', 'truth 2.1', 'dream 2.1']);
  });

  test('a dream that fails as it begins leaves the truth at the start, walking', async () => {
    const clock = new LockStep(parts);
    parts.dream.dreamFromTruth = async () => fail('internal');
    await clock.begin(5);
    await clock.step();
    expect(log).toEqual(['start 5', 'truth 1.0', 'failure internal', 'truth 1.1']);
  });

  test('calls made at once run one after the other', async () => {
    const clock = new LockStep(parts);
    await clock.start(1);
    await clock.dreamFromHere();
    log = [];
    await Promise.all([clock.step(), clock.start(2), clock.step()]);
    expect(log).toEqual(['truth 1.1', 'dream 1.1', 'start 2', 'truth 2.0', 'anchor 2.0', 'truth 2.1', 'dream 2.1']);
  });
});

describe('a dream in trouble', () => {
  test('a lost device is rebuilt and the dream goes on', async () => {
    const clock = new LockStep(parts);
    await clock.start(1);
    await clock.dreamFromHere();
    answers.push(fail('device-lost'));
    await clock.step();
    await clock.step();
    expect(log.slice(3)).toEqual(['truth 1.1', 'notice', 'rebuild', 'truth 1.2', 'dream 1.2']);
    expect(clock.dreaming).toBe(true);
  });

  test('a device that cannot be rebuilt ends the dream, not the truth', async () => {
    const clock = new LockStep(parts);
    await clock.start(1);
    await clock.dreamFromHere();
    answers.push(fail('device-lost'));
    rebuilt = fail('no-webgpu') as never;
    await clock.step();
    await clock.step();
    expect(log.slice(3)).toEqual(['truth 1.1', 'notice', 'rebuild', 'failure no-webgpu', 'truth 1.2']);
  });

  test('a device that keeps getting lost is given up', async () => {
    const clock = new LockStep(parts);
    await clock.start(1);
    await clock.dreamFromHere();
    for (let i = 0; i < 4; i++) {
      answers.push({ ok: true, value: report(1, 0) }, fail('device-lost'));
      await clock.step();
      await clock.step();
    }
    expect(log.filter((line) => line === 'rebuild')).toHaveLength(3);
    expect(log.at(-1)).toBe('failure device-lost');
    expect(clock.dreaming).toBe(false);
  });

  test('a device that is lost while the dream looks at the truth is rebuilt, and the dream looks again', async () => {
    const clock = new LockStep(parts);
    await clock.start(1);
    const looks: Outcome<null>[] = [fail('device-lost'), { ok: true, value: null }, fail('internal')];
    parts.dream.dreamFromTruth = async () => looks.shift() as Outcome<null>;
    await clock.dreamFromHere();
    expect(log.slice(2)).toEqual(['notice', 'rebuild']);
    expect(clock.dreaming).toBe(true);
    await clock.dreamFromHere();
    expect(log.at(-1)).toBe('failure internal');
    expect(clock.dreaming).toBe(false);
  });

  test('losses far apart do not add up', async () => {
    const clock = new LockStep(parts);
    await clock.start(1);
    await clock.dreamFromHere();
    for (let i = 0; i < 5; i++) {
      answers.push(fail('device-lost'));
      for (let n = 0; n < 102; n++) await clock.step();
    }
    expect(log.filter((line) => line === 'rebuild')).toHaveLength(5);
    expect(clock.dreaming).toBe(true);
  });

  test('any other failure ends the dream at once', async () => {
    const clock = new LockStep(parts);
    await clock.start(1);
    await clock.dreamFromHere();
    answers.push(fail('internal'));
    await clock.step();
    expect(log.at(-1)).toBe('failure internal');
    expect(clock.dreaming).toBe(false);
  });

  test('a simulator that throws is reported to the caller and does not jam the clock', async () => {
    const clock = new LockStep(parts);
    await clock.start(1);
    const { step } = parts.sim;
    parts.sim.step = () => Promise.reject(new Error('no world'));
    await expect(clock.step()).rejects.toThrow('no world');
    parts.sim.step = step;
    await clock.step();
    expect(log.at(-1)).toBe('truth 1.1');
    expect(clock.busy).toBe(false);
  });
});

describe('the rate', () => {
  /** Steps started while pumping every 5 ms for `ms`, each step finishing before the next pump. */
  async function stepsIn(clock: LockStep, ms: number): Promise<number> {
    let started = 0;
    for (let now = 0; now < ms; now += 5) {
      const before = index;
      clock.pump(now);
      while (clock.busy) await Promise.resolve();
      started += index - before;
    }
    return started;
  }

  test('ten steps per second, five at half speed', async () => {
    const clock = new LockStep(parts);
    await clock.start(1);
    expect(await stepsIn(clock, 1000)).toBe(10);
    let speed = 0.5;
    parts.settings = () => ({ dream: { k: 4, contextCorruption: 0, seed: 1 }, film: false, speed });
    const slow = new LockStep(parts);
    expect(await stepsIn(slow, 1000)).toBe(5);
    speed = 1;
  });

  test('a slow dream is never asked twice at once, and no steps pile up', async () => {
    let release = () => {};
    parts.dream.step = (of, at) =>
      new Promise((resolve) => {
        release = () => resolve({ ok: true, value: report(of, at) });
      });
    const clock = new LockStep(parts);
    await clock.start(1);
    await clock.dreamFromHere();
    for (let now = 0; now < 2000; now += 5) {
      clock.pump(now);
      for (let i = 0; i < 5; i++) await Promise.resolve();
    }
    expect(index).toBe(1);
    release();
    while (clock.busy) await Promise.resolve();
    clock.pump(2000);
    clock.pump(2001);
    for (let i = 0; i < 5; i++) await Promise.resolve();
    expect(index).toBe(2);
  });
});
