// Verifiers in threads of Node, from the bundle that `?thread` gives: what they judge, and what becomes of an answer that hangs.

import { afterEach, expect, test } from 'vitest';
import { familyOf } from '../../src/lm/tasks/families.ts';
import { problemAt } from '../../src/lm/tasks/task.ts';
import { nodeVerifiers, threadSeat } from '../../src/lm/verify/node-pool.ts';
import { VerifierPool } from '../../src/lm/verify/pool.ts';
import { type Answer, localVerifier } from '../../src/lm/verify/verifier.ts';

/** Milliseconds of an answer: programs take less than ten, and two busy cores may take them a hundred times longer. */
const LIMIT = 1000;
/** One built-in call that never ends: no step is counted in it. */
const HANG = '[[].indexOf.call({length:1e15},1)]';
const program = problemAt(familyOf('pipelines'), 'test', 1, 0);

let pool: VerifierPool<Answer>;
afterEach(() => pool.dispose());

test('threads judge as this thread does, whatever their number', async () => {
  const answers = ['pipelines', 'sums', 'pipelines', 'lists', 'stack', 'words'].map((id, i) => {
    const problem = problemAt(familyOf(id), 'train', 1, i);
    return { problem, text: i === 2 ? 'process.exit(1)' : problem.answer };
  });
  const direct = await localVerifier().verify(answers);
  expect(direct.map((v) => v.score)).toEqual([1, 1, 0, 1, 1, 1]);
  for (const size of [1, 3]) {
    pool = nodeVerifiers(size);
    expect(await pool.verify(answers), `${size} threads`).toEqual(direct);
    pool.dispose();
  }
});

test('an answer that hangs in one built-in call is wrong within its limit, those beside and behind it are right', async () => {
  const right = { problem: program, text: program.answer };
  for (const size of [1, 2]) {
    pool = nodeVerifiers(size, LIMIT);
    // The threads have started, so that what is timed is the limit.
    expect((await pool.verify([right, right])).map((v) => v.score)).toEqual([1, 1]);
    let ticks = 0;
    const clock = setInterval(() => ticks++, 20);
    const started = performance.now();
    const [before, hung, after] = await pool.verify([right, { problem: program, text: HANG }, right]);
    const took = performance.now() - started;
    clearInterval(clock);
    expect(hung).toEqual({ score: 0, reasons: ['the verifier did not answer in time'] });
    expect([before.score, after.score], `${size} threads`).toEqual([1, 1]);
    expect(took).toBeGreaterThanOrEqual(LIMIT - 5);
    // The rest is the start of a new thread.
    expect(took).toBeLessThan(LIMIT + 10_000);
    // This thread went on meanwhile.
    expect(ticks).toBeGreaterThan(10);
    pool.dispose();
  }
});

test('a thread that cannot start is an error for who asks, not a wrong answer', async () => {
  pool = new VerifierPool(() => threadSeat<Answer>(new URL('./no-such-thread.js', import.meta.url).href), 1);
  const asked = pool.verify([{ problem: program, text: program.answer }]);
  await expect(asked).rejects.toThrow('A worker of the verifier could not be started: Cannot find module');
});
