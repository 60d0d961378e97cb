import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { restBetweenPolls, resting } from '../../src/gpu/pace.ts';

/** What a callback of Dawn looks like from here: native and without a name. */
const native = (run: () => void): (() => void) => Object.defineProperty(run.bind(null), 'name', { value: '' });

describe('polls of Dawn on a CPU adapter', () => {
  const setup = () => {
    const log: string[] = [];
    const queue: (() => void)[] = [];
    let ms = 0;
    const ask = resting(
      (run, ...args) => queue.push(() => (run as (...a: unknown[]) => void)(...args)),
      (nap) => {
        log.push(`rest ${nap}`);
        ms += nap;
      },
      () => ms,
    );
    const turn = (): void => queue.shift()?.();
    return { log, queue, ask, turn };
  };

  it('come at once, then rest before they ask again', () => {
    const { log, queue, ask, turn } = setup();
    let left = 3;
    const poll = native(() => {
      log.push('poll');
      if (--left > 0) ask(poll);
    });
    ask(poll);
    expect(log).toEqual([]);
    for (let i = 0; i < 3; i++) turn();
    expect(log).toEqual(['poll', 'rest 0.5', 'poll', 'rest 0.5', 'poll']);
    expect(queue).toEqual([]);
    // A new wait begins without a rest.
    left = 1;
    ask(poll);
    turn();
    expect(log.slice(5)).toEqual(['poll']);
  });

  it('rest a tenth of the time waited so far, up to 4 ms', () => {
    const { log, ask, turn } = setup();
    let left = 60;
    const poll = native(() => {
      if (--left > 0) ask(poll);
    });
    ask(poll);
    for (let i = 0; i < 60; i++) turn();
    const rests = log.map((line) => Number(line.split(' ')[1]));
    expect(rests[0]).toBe(0.5);
    expect(rests.at(-1)).toBe(4);
    const before = rests.map((_, i) => rests.slice(0, i).reduce((a, b) => a + b, 0));
    for (const [i, nap] of rests.entries()) expect(nap).toBeCloseTo(Math.min(Math.max(before[i] / 10, 0.5), 4));
  });

  it('leave everyone else alone, arguments and all', () => {
    const { log, ask, turn } = setup();
    const plain = (...args: unknown[]): void => {
      log.push(args.join(' '));
    };
    (ask as (run: (...args: never[]) => void, ...args: unknown[]) => unknown)(plain, 'a', 1);
    const nested = native(() => ask(plain as () => void, 'inside'));
    ask(nested);
    for (let i = 0; i < 3; i++) turn();
    expect(log).toEqual(['a 1', 'inside']);
  });

  it('go through a setImmediate that is for everyone else what it was, however often it is installed', async () => {
    restBetweenPolls();
    const installed = setImmediate;
    restBetweenPolls();
    expect(setImmediate).toBe(installed);
    expect(await promisify(setImmediate)('value')).toBe('value');
    const seen = await new Promise((resolve) => setImmediate((a, b) => resolve([a, b]), 1, 2));
    expect(seen).toEqual([1, 2]);
    const dropped = setImmediate(() => expect.unreachable());
    clearImmediate(dropped);
    await promisify(setImmediate)();
  });

  it('leave no rest behind a poll that threw', () => {
    const { log, ask, turn } = setup();
    ask(
      native(() => {
        throw new Error('lost');
      }),
    );
    expect(turn).toThrow('lost');
    ask(native(() => log.push('poll')));
    turn();
    expect(log).toEqual(['poll']);
  });
});
