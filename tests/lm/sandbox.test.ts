// Untrusted programs: what they may do, what stops them, and that nothing of the host is in reach.

import { expect, test, vi } from 'vitest';
import { familyOf } from '../../src/lm/tasks/families.ts';
import { problemAt, wrong } from '../../src/lm/tasks/task.ts';
import { VerifierPool } from '../../src/lm/verify/pool.ts';
import { openSandbox } from '../../src/lm/verify/sandbox.ts';
import { localVerifier } from '../../src/lm/verify/verifier.ts';

test('programs map inputs to JSON values', async () => {
  const box = await openSandbox();
  expect(box.run('xs=>xs.map(x=>x*2)', [[1, 2], []])).toEqual({ ok: true, outputs: [[2, 4], []] });
  expect(box.run('x=>x+1 // a comment', [1])).toEqual({ ok: true, outputs: [2] });
});

test.each([
  ['x=>{for(;;);}', 'too many steps'],
  ['function f(x){return f(x)+1}', 'stack'],
  ['x=>{const a=[];for(;;)a.push("x".repeat(1e5)+a.length)}', 'memory'],
  ['x=>{throw new TypeError("no")}', 'TypeError: no'],
  ['x=>undefined', 'gives no value'],
  ['x=>"a".repeat(20000)', 'longer than'],
  ['x=>', 'SyntaxError'],
  ['y=>process.exit(1)', 'ReferenceError'],
  ['y=>fetch("http://localhost")', 'ReferenceError'],
  ['y=>require("fs")', 'ReferenceError'],
  ['y=>{leak=1;return 1}', 'ReferenceError'],
  [`x=>${'1+'.repeat(6000)}1`, 'longer than 10000'],
])('%s', async (source, reason) => {
  const box = await openSandbox();
  const result = box.run(source, [1]);
  expect(result.ok).toBe(false);
  if (!result.ok) expect(result.reason).toContain(reason);
  // The sandbox still works.
  expect(box.run('x=>x', [3])).toEqual({ ok: true, outputs: [3] });
});

test('one run leaves nothing for the next, and the same program ends the same way', async () => {
  const box = await openSandbox();
  expect(box.run('x=>{globalThis.n=(globalThis.n??0)+1;return globalThis.n}', [0, 0])).toEqual({
    ok: true,
    outputs: [1, 1],
  });
  expect(box.run('x=>{Array.prototype.map=()=>7;return 1}', [0])).toEqual({ ok: true, outputs: [1] });
  expect(box.run('xs=>xs.map(x=>x)', [[5]])).toEqual({ ok: true, outputs: [[5]] });
  const count = 'x=>{let n=0;for(let i=0;i<x;i++)n+=i;return n}';
  expect(box.run(count, [10_000]).ok).toBe(true);
  expect(box.run(count, [1e9])).toEqual(box.run(count, [1e9]));
});

test('answers are judged in order, by a pool as in process', async () => {
  const answers = ['pipelines', 'sums', 'pipelines', 'lists', 'stack'].map((id, i) => {
    const problem = problemAt(familyOf(id), 'train', 1, i);
    return { problem, text: i === 2 ? 'xs' : problem.answer };
  });
  const direct = await localVerifier().verify(answers);
  expect(direct.map((v) => v.score)).toEqual([1, 1, 0, 1, 1]);
  const pool = new VerifierPool(() => ({ verifier: localVerifier(), end: () => undefined }), 3);
  expect(await pool.verify(answers)).toEqual(direct);
  expect(await pool.verify([])).toEqual([]);
});

test('a worker that hangs is replaced, its answers are wrong, the others stand', async () => {
  const end = vi.fn();
  let opened = 0;
  const pool = new VerifierPool(
    () => {
      opened += 1;
      const hangs = opened === 1;
      return { verifier: hangs ? { verify: () => new Promise(() => undefined) } : localVerifier(), end };
    },
    2,
    30,
  );
  const problem = problemAt(familyOf('sums'), 'train', 1, 0);
  const answers = [problem, problem].map((p) => ({ problem: p, text: p.answer }));
  expect(await pool.verify(answers)).toEqual([wrong('the verifier did not answer in time'), { score: 1, reasons: [] }]);
  expect(end).toHaveBeenCalledTimes(1);
  expect((await pool.verify(answers)).map((v) => v.score)).toEqual([1, 1]);
  pool.dispose();
});

test('of two that come at once the one behind a hang is judged, by a new worker and in a time of its own', async () => {
  const end = vi.fn();
  let opened = 0;
  const slow = {
    verify: async () => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      return [{ score: 1, reasons: [] }];
    },
  };
  const pool = new VerifierPool(
    () => {
      opened += 1;
      return { verifier: opened === 1 ? { verify: () => new Promise(() => undefined) } : slow, end };
    },
    1,
    // Less than the wait for the first and the second's own work together.
    100,
  );
  const problem = problemAt(familyOf('sums'), 'train', 1, 0);
  const verdicts = [1, 2, 3].map(() => pool.verify([{ problem, text: problem.answer }]));
  expect((await Promise.all(verdicts)).map(([v]) => v.score)).toEqual([0, 1, 1]);
  expect([opened, end.mock.calls.length]).toEqual([2, 1]);
});

test('a verifier that fails says so to its asker alone', async () => {
  let calls = 0;
  const verify = async () => {
    calls += 1;
    if (calls === 1) throw new Error('no sandbox');
    return [{ score: 1, reasons: [] }];
  };
  const pool = new VerifierPool(() => ({ verifier: { verify }, end: () => undefined }), 1);
  const problem = problemAt(familyOf('sums'), 'train', 1, 0);
  const [first, second] = [1, 2].map(() => pool.verify([{ problem, text: problem.answer }]));
  await expect(first).rejects.toThrow('no sandbox');
  expect(await second).toEqual([{ score: 1, reasons: [] }]);
});
