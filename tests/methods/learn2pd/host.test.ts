// The worker's half of the page in Node, on the checkpoint that ships: decodes, errors in words, a device that gets lost.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Gpu } from '../../../src/gpu/device.ts';
import { openGpu } from '../../../src/gpu/device.ts';
import type { Problem } from '../../../src/lm/tasks/task.ts';
import { VerifierPool } from '../../../src/lm/verify/pool.ts';
import { localVerifier } from '../../../src/lm/verify/verifier.ts';
import { applyFilter } from '../../../src/methods/learn2pd/filter.ts';
import { Learn2pdHost } from '../../../src/methods/learn2pd/panel/host.ts';
import {
  type Answer,
  CANCELLED,
  type DecodeRequest,
  type HostEvent,
  type Opened,
} from '../../../src/methods/learn2pd/panel/protocol.ts';
import { countsAt, replayOf } from '../../../src/methods/learn2pd/panel/replay.ts';
import { logit } from '../../../src/methods/learn2pd/policy.ts';
import { keptOf } from '../../../src/methods/learn2pd/similarity.ts';

const FOLDER = 'public/models/learn2pd/';
const bytes = (): Uint8Array<ArrayBuffer> => {
  const [{ file }] = JSON.parse(readFileSync(`${FOLDER}index.json`, 'utf8')).files;
  return new Uint8Array(readFileSync(FOLDER + file));
};

const opened: Gpu[] = [];
const host = new Learn2pdHost(async () => {
  const result = await openGpu();
  if (result.ok) opened.push(result.gpu);
  return result;
});
let card: Opened;
let problem: Problem;

function value<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new Error(answer.reason);
  return answer.value;
}

const request = (part: Partial<DecodeRequest> = {}): DecodeRequest => ({
  id: 'test',
  problem,
  canvas: card.model.canvases[0],
  policy: { kind: 'learn2pd', tau: 0.96 },
  eotp: 'strict',
  cache: 'none',
  ...part,
});

beforeAll(async () => {
  card = value(await host.open(bytes(), 'shipped'));
  problem = value(await host.problem(card.model.tasks[0].id, 0));
});

afterAll(() => {
  for (const gpu of opened) gpu.dispose();
});

test('the trace tells the whole decode: passes, decisions, length and text', async () => {
  const { prompt } = card.model.config;
  const canvas = card.model.canvases[0];
  const plain = value(await host.decode(request({ policy: { kind: 'static', perStep: 1 }, eotp: 'off' })));
  const learned = value(await host.decode(request()));
  for (const d of [plain, learned]) {
    expect(d.trace.length).toBe(d.nfe);
    const r = replayOf(d.trace, prompt, canvas, d.tokens.length, plain.tokens);
    const { filter, top, length } = countsAt(r, d.nfe - 1);
    expect(length).toBe(d.tokens.length);
    expect(filter + top).toBe(length);
    expect([...r.token.slice(0, length)]).toEqual([...d.tokens]);
    expect(d.byPolicy + d.byTop).toBeGreaterThanOrEqual(filter + top);
    expect(d.wallMs).toBeGreaterThan(0);
  }
  expect(plain.nfe).toBe(canvas);
  expect(learned.nfe).toBeLessThan(plain.nfe);
  expect(plain.cold).toBe(true);
  expect(value(await host.decode(request())).cold).toBe(false);
});

test('keys and values of every pass are compared, of the weights that ship', async () => {
  const [canvas] = card.model.canvases;
  const plain = { problem, canvas, eotp: 'off' } as const;
  const found = value(await host.similarity({ ...plain, id: 'a', policy: { kind: 'static', perStep: 8 } }));
  expect(found).toMatchObject({ passes: canvas / 8, layers: card.model.config.layers });
  const [, block] = keptOf(found);
  for (const mean of block.mean) expect(mean).toBeGreaterThan(0);
  for (const least of block.least) expect(least).toBeLessThan(0.99);
});

test('a comparison of passes can be given up while it is at work and while it waits, and the next one is whole', async () => {
  const [canvas] = card.model.canvases;
  const plain = { problem, canvas, eotp: 'off' } as const;
  const channel = new MessageChannel();
  await host.listen(channel.port2);
  const passes = new Map<string, number>();
  const begun = new Promise<void>((resolve) => {
    channel.port1.onmessage = ({ data }: { data: HostEvent }) => {
      if (data.kind !== 'compared') return;
      passes.set(data.id, data.passes);
      resolve();
    };
  });
  const all = ['at work', 'waiting', 'kept'].map((id) =>
    host.similarity({ ...plain, id, policy: { kind: 'static', perStep: id === 'kept' ? 8 : 1 } }),
  );
  await begun;
  await host.cancel('waiting');
  await host.cancel('at work');
  const [first, second, third] = await Promise.all(all);
  for (const given of [first, second]) expect(given).toEqual({ ok: false, reason: CANCELLED, advice: '' });
  expect(value(third).passes).toBe(canvas / 8);
  // The last report may still be on its way.
  await new Promise((resolve) => setTimeout(resolve));
  channel.port1.close();
  expect(passes.get('at work')).toBeLessThan(canvas);
  expect(passes.has('waiting')).toBe(false);
  expect(passes.get('kept')).toBe(canvas / 8);
  await host.cancel('nobody');
});

test('the oracle gets the static text by itself and reproduces it', async () => {
  const other = value(await host.problem(card.model.tasks[0].id, 1));
  const oracle = value(await host.decode(request({ problem: other, policy: { kind: 'egp' }, eotp: 'off' })));
  const plain = value(
    await host.decode(request({ problem: other, policy: { kind: 'static', perStep: 1 }, eotp: 'off' })),
  );
  expect([...oracle.tokens]).toEqual([...plain.tokens]);
  expect(oracle.nfe).toBeLessThanOrEqual(plain.nfe);
});

test('tau 0 takes a pass for every block, tau 1 one for every token, in between neither more nor less', async () => {
  const { block } = card.model.config;
  const canvas = card.model.canvases[0];
  const nfe: number[] = [];
  for (const tau of [0, 0.5, 0.96, 1]) {
    nfe.push(value(await host.decode(request({ policy: { kind: 'learn2pd', tau }, eotp: 'off' }))).nfe);
  }
  expect(nfe[0]).toBe(Math.ceil(canvas / block));
  expect(nfe[3]).toBe(canvas);
  expect(Math.min(...nfe)).toBe(nfe[0]);
  expect(Math.max(...nfe)).toBe(nfe[3]);
});

test('a measurement counts what decodes count', async () => {
  const spec = { policy: { kind: 'learn2pd', tau: 0.96 }, eotp: 'strict', cache: 'none' } as const;
  const canvas = card.model.canvases[0];
  const outcomes = value(await host.measure({ ...spec, canvas, from: 0, count: 2 }));
  expect(outcomes.length).toBe(2);
  for (const o of outcomes) {
    expect(o.wallMs).toBeGreaterThan(0);
    expect(o.agreement).toBeGreaterThanOrEqual(0);
    expect(o.agreement).toBeLessThanOrEqual(1);
    expect(o.length).toBeGreaterThanOrEqual(o.answerLength);
  }
  const plain = { policy: { kind: 'static', perStep: 1 }, eotp: 'off', cache: 'none' } as const;
  const base = value(await host.measure({ ...plain, canvas, from: 0, count: 2 }));
  expect(base.map((o) => [o.nfe, o.agreement])).toEqual([
    [canvas, 1],
    [canvas, 1],
  ]);
});

test('an answer that nobody can judge in time is wrong, and holds up no decode meanwhile', async () => {
  let ended = 0;
  // The first worker hangs as on a program that never returns; the one that takes its place is sound.
  const pool = new VerifierPool(
    () => ({
      verifier: ended === 0 ? { verify: () => new Promise(() => undefined) } : localVerifier(),
      end: () => {
        ended += 1;
      },
    }),
    1,
    1500,
  );
  const own = new Learn2pdHost(openGpu, async () => pool);
  value(await own.open(bytes(), 'shipped'));
  const spec = { policy: { kind: 'learn2pd', tau: 0.96 }, eotp: 'strict', cache: 'none' } as const;
  let judged = false;
  const hanging = own.judge(problem, 'x').finally(() => {
    judged = true;
  });
  const { text } = value(await own.decode(request()));
  expect(judged).toBe(false);
  const behind = own.judge(problem, text);
  expect(value(await hanging)).toEqual({ score: 0, reasons: ['the verifier did not answer in time'] });
  expect(ended).toBe(1);
  expect(value(await behind)).toEqual({ score: 1, reasons: [] });
  const [outcome] = value(await own.measure({ ...spec, canvas: card.model.canvases[0], from: 0, count: 1 }));
  expect(outcome.right).toBe(true);
  pool.dispose();
});

test('a hang among the answers of a run costs one of them, and the device goes on meanwhile', async () => {
  let asked = 0;
  const pool = new VerifierPool(
    () => ({
      verifier: {
        verify: (answers) => {
          asked += answers.length;
          if (asked === 3) return new Promise(() => undefined);
          return Promise.resolve(answers.map(() => ({ score: 1, reasons: [] })));
        },
      },
      end: () => undefined,
    }),
    1,
    2500,
  );
  const own = new Learn2pdHost(openGpu, async () => pool);
  value(await own.train({ preset: 'nano', seed: 1, tasks: '' }, null));
  // The first step compiles, which may take longer than the hang.
  expect(value(await own.advance(1)).step).toBe(1);
  let counted = false;
  const accuracy = own.accuracy().finally(() => {
    counted = true;
  });
  // Takes its turn behind the answers and ends before the hang does.
  expect(value(await own.advance(1)).step).toBe(2);
  expect(counted).toBe(false);
  // Of the weights as they were.
  expect(value(await accuracy)).toEqual({ step: 1, tasks: [{ task: 'lists', right: 7, count: 8 }] });
});

test('a new filter for the open weights: collected and trained in slices, at work after a lost device too', async () => {
  let state = value(await host.refit({ prompts: 24, seed: 3, steps: 110 }));
  expect(state).toMatchObject({ phase: 'records', step: 0, steps: 24, done: false });
  const phases = [state.phase];
  while (!state.done) {
    state = value(await host.advanceRefit(100));
    phases.push(state.phase);
  }
  expect([...new Set(phases)]).toEqual(['records', 'filter']);
  expect(state.validation).toBeGreaterThan(0);
  const first = value(await host.adoptFilter());
  const shipped = card.model.filter?.values;
  expect(first.model).toMatchObject({ ownFilter: true, source: 'shipped', parameters: card.model.parameters });
  expect(first.model.filter?.values).not.toEqual(shipped);
  expect(first.report.records).toBeGreaterThan(0);
  expect((await host.advanceRefit(1)).ok).toBe(false);
  // One that is given up is gone as well; where there is none, nothing happens.
  value(await host.refit({ prompts: 24, seed: 3, steps: 110 }));
  const destroy = vi.spyOn(GPUBuffer.prototype, 'destroy');
  value(await host.endRefit());
  expect(destroy.mock.calls.length).toBeGreaterThan(0);
  destroy.mockRestore();
  expect((await host.advanceRefit(1)).ok).toBe(false);
  value(await host.endRefit());
  // The trace's decisions are those of the new filter.
  const decides = async () => {
    const { trace } = value(await host.decode(request({ eotp: 'off' })));
    const filter = first.model.filter;
    if (!filter) throw new Error('no filter');
    for (const { c, decided } of trace) {
      const z = applyFilter(filter, c);
      const sure = (i: number) => Math.abs(z[i] - logit(0.96)) > 1e-3;
      decided.forEach((d, i) => {
        if (d & 4 && sure(i)) expect(Boolean(d & 1)).toBe(z[i] > logit(0.96));
      });
    }
    return trace.length;
  };
  const passes = await decides();
  const gpu = opened[opened.length - 1];
  gpu.device.destroy();
  await gpu.lost;
  expect(await decides()).toBe(passes);
  // Other weights bring their own.
  expect(value(await host.open(bytes(), 'shipped')).model.filter?.values).toEqual(shipped);
});

test('what cannot be decoded is said in words, and nothing is lost by it', async () => {
  const { longest } = card.model.config;
  const long = await host.decode(request({ canvas: 2 * longest }));
  expect(long).toMatchObject({ ok: false });
  expect(!long.ok && long.reason).toContain(`longer than the ${longest}`);
  expect(!long.ok && long.advice).toContain(String(card.model.canvases[0]));
  const unknown = await host.decode(request({ problem: { ...problem, prompt: 'Ω' } }));
  expect(!unknown.ok && unknown.reason).toContain("No token for 'Ω'");
  for (const bad of [new Uint8Array(3), bytes().slice(0, 5000), new TextEncoder().encode('{"a":1}')]) {
    const answer = await host.open(bad as Uint8Array<ArrayBuffer>, 'file');
    expect(answer.ok).toBe(false);
    expect(!answer.ok && answer.reason.length).toBeGreaterThan(10);
  }
  expect((await host.decode(request())).ok).toBe(true);
});

test('a device lost between two decodes is opened again, with the same result', async () => {
  const before = value(await host.decode(request()));
  const channel = new MessageChannel();
  const events: HostEvent[] = [];
  channel.port1.onmessage = (event) => events.push(event.data);
  await host.listen(channel.port2);
  const devices = opened.length;
  const gpu = opened[devices - 1];
  gpu.device.destroy();
  await gpu.lost;
  const after = value(await host.decode(request()));
  expect([...after.tokens]).toEqual([...before.tokens]);
  expect(after.nfe).toBe(before.nfe);
  expect(opened.length).toBe(devices + 1);
  channel.port1.close();
});

test('without a device the reason and what to do about it arrive', async () => {
  const blind = new Learn2pdHost(async () => ({ ok: false, reason: 'no adapter', advice: 'turn it on' }));
  expect(await blind.open(bytes(), 'shipped')).toEqual({ ok: false, reason: 'no adapter', advice: 'turn it on' });
});

test('training in slices: state, a look inside, a copy that goes on where it stood', async () => {
  const state = value(await host.train({ preset: 'nano', seed: 2, tasks: 'sums:2-3,lists:4' }, null));
  expect(state).toMatchObject({ phase: 'model', step: 0, done: false, preset: 'nano', tasks: 'sums:2-3,lists:4' });
  const moved = value(await host.advance(1));
  expect(moved.step).toBeGreaterThan(0);
  expect(moved.values.loss).toBeGreaterThan(0);
  const look = value(await host.look());
  expect(look.answer).toBeGreaterThan(0);
  expect(look.fill).toBeGreaterThan(0);
  expect(look.samples.map((s) => s.t)).toEqual([0.2, 0.5, 0.9]);
  for (const { seen, guess, truth } of look.samples) {
    // What was given is given back.
    seen.forEach((id, i) => {
      if (id !== 1) expect([guess[i], id]).toEqual([truth[i], truth[i]]);
    });
  }
  const copy = value(await host.saveTraining());
  const gpu = opened[opened.length - 1];
  gpu.device.destroy();
  await gpu.lost;
  // Another device goes on from the copy, and what looked at the old one is forgotten.
  expect(value(await host.advance(1)).step).toBe(moved.step);
  expect(value(await host.look())).toEqual(look);
  // The same between two slices.
  opened[opened.length - 1].device.destroy();
  await opened[opened.length - 1].lost;
  expect(value(await host.look())).toEqual(look);
  const again = value(await host.train({ preset: 'small', seed: 9, tasks: '' }, copy));
  expect(again).toMatchObject({ preset: 'nano', seed: 2, tasks: 'sums:2-3,lists:4', step: moved.step });
  // The tasks are those that were asked for.
  expect(value(await host.accuracy()).tasks.map((t) => t.task)).toEqual(['sums', 'lists']);
  const odd = await host.train({ preset: 'nano', seed: 1, tasks: 'chess:1' }, null);
  expect(!odd.ok && odd.reason).toContain("no task family 'chess'");
  const bad = await host.train({ preset: 'nano', seed: 1, tasks: '' }, bytes());
  expect(!bad.ok && bad.reason).toContain('not of a run of learn2pd');
});
