// A run at toy size: resuming is bit-identical in every phase, the exported weights come back, evaluation gives the same
// figures again, and files that are something else are named.

import { expect, test } from 'vitest';
import { readSafetensors, toFloat32, writeSafetensors } from '../../../src/data/safetensors.ts';
import { mix32 } from '../../../src/gpu/rng.ts';
import { ConfigError } from '../../../src/methods/config-values.ts';
import type { Checkpoint } from '../../../src/methods/contract.ts';
import { decodingTable } from '../../../src/methods/learn2pd/ablations.ts';
import { readCheckpoint } from '../../../src/methods/learn2pd/checkpoint.ts';
import { configure, type Learn2pdConfig, presets, recordCanvas } from '../../../src/methods/learn2pd/config.ts';
import { evaluate, mainSpecs } from '../../../src/methods/learn2pd/eval.ts';
import { Judge } from '../../../src/methods/learn2pd/judge.ts';
import { canvasOf, rowsAt } from '../../../src/methods/learn2pd/llada.ts';
import type { DecodeSpec } from '../../../src/methods/learn2pd/policy.ts';
import { problemsOf } from '../../../src/methods/learn2pd/problems.ts';
import { EVAL_DEFAULTS } from '../../../src/methods/learn2pd/report.ts';
import { Learn2pdSession } from '../../../src/methods/learn2pd/session.ts';
import { testGpu } from '../../support/gpu.ts';
import { inHalf, OTHER_PRECISION } from '../../support/precision.ts';

const toy = configure('nano', {
  tasks: 'lists:4,sums:2',
  d: '32',
  longest: '32',
  longShare: '0.5',
  rows: '8',
  steps: '5',
  prompts: '70',
  filterSteps: '103',
  problems: '4',
});

async function sessionOf(set: Partial<Learn2pdConfig> = {}): Promise<Learn2pdSession> {
  const { gpu } = await testGpu();
  const config = { ...toy, ...set };
  return new Learn2pdSession({ gpu, seed: 5, emit: () => {}, signal: new AbortController().signal }, config);
}

const bits = (bytes: Uint8Array | null): Buffer => Buffer.from(bytes ?? []);

test('a run that is saved in every phase and resumed ends with the same bits', async () => {
  // The steps of this seed take short and long canvases.
  expect(new Set([1, 2, 3, 4, 5].map((step) => canvasOf(toy, 5, step))).size).toBeGreaterThan(1);
  expect([16, 32].map((G) => rowsAt(toy, G))).toEqual([8, 5]);
  const straight = await sessionOf();
  expect(await straight.advance({})).toBe('done');
  const wanted = (await straight.save()).bytes;
  const phases = new Set<string>();
  let bytes: Uint8Array<ArrayBuffer> | null = null;
  for (let done = false; !done; ) {
    const session = await sessionOf();
    if (bytes) await session.load({ name: 'x.safetensors', bytes });
    const { phase } = session.state();
    phases.add(phase);
    done = (await session.advance({ steps: phase === 'filter' ? 52 : phase === 'model' ? 3 : 1 })) === 'done';
    ({ bytes } = await session.save());
    session.dispose();
  }
  expect([...phases]).toEqual(['model', 'records', 'filter']);
  expect(Buffer.compare(bits(bytes), bits(wanted))).toBe(0);
  await expect(straight.load({ name: 'x.safetensors', bytes: inHalf(wanted) })).rejects.toThrow(OTHER_PRECISION);

  const { gpu } = await testGpu();
  const exported = await straight.export('toy');
  const model = readCheckpoint(gpu, exported.bytes);
  expect(model.title).toBe('toy');
  expect(model.filter.values).toEqual((await straight.result('')).filter.values);
  expect(model.about).toMatchObject({ canvas: 16, prompts: 70, records: straight.records.length });
  const options = { ...EVAL_DEFAULTS, seed: 3, canvas: 16, timed: 1, warmUp: 0, long: 2, sequences: 4, rounds: 1 };
  const { metrics, tables } = await evaluate(gpu, model, options);
  for (const task of ['lists', 'sums']) {
    expect(metrics[`${task}.static.nfe`]).toBe(16);
    expect(metrics[`${task}.egp.agreement`]).toBe(1);
    expect(metrics[`${task}.learn2pdEotp.nfe`]).toBeLessThanOrEqual(metrics[`${task}.learn2pd.nfe`]);
    // Four tokens a pass, as the rule says.
    expect(metrics[`${task}.fixedRate.nfe`]).toBe(4);
    const rows = tables[0].rows.filter(([of]) => of === task);
    expect(rows.length).toBe(9);
    for (const [, policy, , problems, passes, fewer, tps, , accuracy, lower, upper, , agreement] of rows) {
      const of = (name: string) => metrics[`${task}.${policy}.${name}`];
      const about = `${task} ${policy}`;
      expect([passes, tps, accuracy, agreement], about).toEqual(['nfe', 'tps', 'accuracy', 'agreement'].map(of));
      // Every pass finalises a token; a block takes a pass at least, and the end of the text may cut all but the first.
      const fewest = String(policy).startsWith('learn2pdEotp') ? 1 : 16 / toy.block;
      expect(of('nfe'), about).toBeGreaterThanOrEqual(fewest);
      expect(of('nfe'), about).toBeLessThanOrEqual(16);
      expect(Number(fewer) * of('nfe'), about).toBeCloseTo(16, 9);
      // So many of so many problems.
      const right = of('accuracy') * Number(problems);
      expect(right, about).toBeCloseTo(Math.round(right), 9);
      for (const share of [of('accuracy'), of('agreement')]) expect(0 <= share && share <= 1, about).toBe(true);
      expect(Number(lower) <= of('accuracy') && of('accuracy') <= Number(upper), about).toBe(true);
      // The same text has the same verdict and is of use in the same way; a right answer is not empty.
      if (of('agreement') === 1) expect(of('accuracy'), about).toBe(metrics[`${task}.static.accuracy`]);
      if (policy === 'egp') expect(of('tps') > 0).toBe(metrics[`${task}.static.tps`] > 0);
      if (of('accuracy') > 0) expect(of('tps'), about).toBeGreaterThan(0);
      expect(Number.isFinite(of('tps')) && of('tps') >= 0, about).toBe(true);
    }
  }
  expect(metrics).toMatchObject({ filterParams: 144, longestCanvas: 32 });
  for (const name of ['speedupLearn2pd', 'speedupEotp', 'speedupKv']) expect(metrics[name], name).toBeGreaterThan(0);
  // Passes of a submission as they were: those of the same decodes, counted once more.
  const judge = new Judge(gpu, model);
  const from = { split: 'test', seed: mix32(3, 0, 0, 0x6576616c), salt: 1000 } as const;
  const problemsMixed = problemsOf(model.tasks, model.tokenizer, toy, from, 2);
  const mixed = judge.prompts(problemsMixed);
  const { learn2pd, learn2pdEotp } = mainSpecs(model);
  const perSubmission = async (prompts: number[][], spec: DecodeSpec) => {
    const sums = { nfe: 0, submissions: 0 };
    for (const prompt of prompts) {
      const { results, stats } = await judge.decoder(32, 1).decode([prompt], spec, { canvas: 32 });
      sums.nfe += results[0].nfe;
      sums.submissions += stats.submissions;
    }
    return sums.nfe / sums.submissions;
  };
  expect(metrics.passesPerSubmission).toBe(await perSubmission(mixed, learn2pd));
  expect(metrics.passesPerSubmissionEotp).toBe(await perSubmission(mixed.slice(0, 1), learn2pdEotp));
  // At the longest canvas: the share of right answers against static decoding, whose whole texts the table's first blocks stand for.
  const rightOf = async (spec: DecodeSpec): Promise<number> => {
    const { right } = await judge.judge(problemsMixed, spec, { canvas: 32, sequences: 1 });
    return right.reduce((a, b) => a + b, 0) / right.length;
  };
  const { longestProblems, accuracyDifferenceLongest: difference } = metrics;
  expect(longestProblems).toBe(2);
  expect(difference).toBe((await rightOf(learn2pdEotp)) - (await rightOf(mainSpecs(model).static)));
  expect(metrics.accuracyDifferenceLongestLow).toBeLessThanOrEqual(difference);
  expect(metrics.accuracyDifferenceLongestHigh).toBeGreaterThanOrEqual(difference);
  judge.dispose();
  expect(tables.map((t) => t.name)).toEqual([
    ...['main', 'paper', 'oracleGap', 'unnecessaryDecodes', 'passesPerBlock', 'liveDecisions'],
    ...['lengthScaling', 'kv', 'overhead', 'pareto'],
  ]);
  const problems = problemsOf(model.tasks, model.tokenizer, toy, { split: 'test', seed: 3, salt: 1 }, 4);
  const work = { seed: 3, canvas: 16, sequences: 4, prompts: 0, steps: 0 };
  const decoding = await decodingTable({ gpu, model, problems, options: work });
  expect(decoding.rows.filter(([what]) => String(what).includes('blocks of 2')).length).toBe(2);
  for (const t of [...tables, decoding]) for (const row of t.rows) expect(row.length, t.name).toBe(t.columns.length);
  // Files that are something else, say what they are.
  expect(() => readCheckpoint(gpu, wanted)).toThrow("checkpoint of 'learn2pd training'");
  expect(() => readCheckpoint(gpu, exported.bytes.slice(0, exported.bytes.length - 40))).toThrow('cut short');
  const file = readSafetensors(exported.bytes);
  const tensors = () =>
    new Map(
      [...file.tensors].map(([name, t]) => [name, { shape: t.shape, values: toFloat32(t), dtype: 'F16' as const }]),
    );
  const rewritten = (metadata: Record<string, string>, change: (t: ReturnType<typeof tensors>) => void = () => {}) => {
    const own = tensors();
    change(own);
    return writeSafetensors(own, { ...file.metadata, ...metadata });
  };
  const tokens = JSON.parse(file.metadata.tokens) as string[];
  const fails = (bytesOf: Uint8Array<ArrayBuffer>, text: string) =>
    expect(() => readCheckpoint(gpu, bytesOf)).toThrow(text);
  fails(rewritten({ tokens: JSON.stringify(tokens.filter((t) => t !== ':')) }), 'lacks tokens that its tasks need: :');
  fails(rewritten({ tokens: JSON.stringify(tokens.slice(1)) }), 'does not begin with <eot>');
  fails(rewritten({ tokens: '[' }), "no usable 'tokens'");
  fails(rewritten({ config: '{}' }), 'configuration');
  const embed = (t: ReturnType<typeof tensors>) => t.get('model/embed')?.values.fill(1);
  fails(rewritten({}, embed), 'belongs to a model with checksum');
  fails(
    rewritten({}, (t) => t.delete('filter/1.w')),
    'no tensor filter/1.w',
  );
  straight.dispose();
  model.store.dispose();
  // Other prompts than before: the records are collected anew, with the weights as they are.
  const again = await sessionOf({ prompts: 8 });
  await again.load({ name: 'x.safetensors', bytes: wanted });
  expect(again.state()).toEqual({ phase: 'records', step: 0, done: false });
  expect(await again.advance({ steps: 1 })).toBe('more');
  expect(new Set(again.records.map((r) => r.prompt)).size).toBe(8);
  expect(again.state().phase).toBe('filter');
  again.dispose();
}, 180_000);

test('a resumed run may change the length of what lies before it, and not of what is behind it', async () => {
  const session = await sessionOf();
  const after = async (steps: number) => {
    await session.advance({ steps });
    return session.save();
  };
  const [model, records, filter] = [await after(3), await after(3), await after(1)];
  expect(session.state()).toEqual({ phase: 'filter', step: 0, done: false });
  const resumed = async (checkpoint: Checkpoint, set: Partial<Learn2pdConfig>) => {
    const other = await sessionOf(set);
    try {
      await other.load(checkpoint);
      return other.state();
    } finally {
      other.dispose();
    }
  };
  const trained = 'The model of this run is trained: its steps cannot be changed any more.';
  const collected = 'The records of this run are collected: its prompts can be changed once it is complete.';
  expect(await resumed(model, { steps: 9, prompts: 8 })).toMatchObject({ phase: 'model', step: 3 });
  expect(await resumed(records, { prompts: 100 })).toMatchObject({ phase: 'records', step: 1 });
  await expect(resumed(records, { steps: 9 })).rejects.toThrow(trained);
  // One round of 64 prompts is done: so few were asked for only afterwards.
  await expect(resumed(records, { prompts: 64 })).rejects.toThrow(collected);
  await expect(resumed(filter, { prompts: 200 })).rejects.toThrow(collected);
  expect(await resumed(filter, { filterSteps: 9 })).toMatchObject({ phase: 'filter', step: 0 });
  const complete = await after(toy.filterSteps);
  expect(session.state().done).toBe(true);
  await expect(resumed(complete, { steps: 9 })).rejects.toThrow(trained);

  // Before equal prompts shared their number, records had that of the draw.
  const draws = { split: 'train', seed: 5, salt: 0x7fffffff } as const;
  const { tasks, tokenizer } = session;
  const texts = problemsOf(tasks, tokenizer, toy, draws, toy.prompts).map((p) => p.prompt);
  const file = readSafetensors(records.bytes);
  const tensors = new Map([...file.tensors].map(([name, t]) => [name, { shape: t.shape, values: toFloat32(t) }]));
  const numbers = tensors.get('records/prompt')?.values ?? [];
  numbers.forEach((n, k) => {
    numbers[k] = texts.lastIndexOf(texts[n]);
  });
  const older = await sessionOf();
  await older.load({ name: 'x.safetensors', bytes: writeSafetensors(tensors, file.metadata) });
  const found = older.records.map((r) => r.prompt);
  expect(found).not.toEqual([...numbers]);
  expect(found).toEqual(session.records.slice(0, found.length).map((r) => r.prompt));
  for (const s of [older, session]) s.dispose();
}, 120_000);

test('the filter learns on canvases where a block may hold nothing but the end', () => {
  for (const [name, c] of Object.entries(presets)) {
    expect(recordCanvas(c), name).toBe(name === 'nano' ? 16 : 64);
    expect(recordCanvas(c) / c.block, name).toBeGreaterThanOrEqual(2);
  }
});

test('a configuration that makes no sense is refused with its path', () => {
  expect(() => configure('huge')).toThrow(ConfigError);
  expect(() => configure('nano', { block: '128' })).toThrow('block');
  expect(() => configure('nano', { wings: '2' })).toThrow('no such value');
  expect(() => configure('nano', { longest: '48' })).toThrow('not a power of two times the canvas of 16');
  expect(() => configure('nano', { tasks: 'chess:1' })).toThrow("no task family 'chess'");
  expect(() => configure('nano', { tasks: 'lists:1' })).toThrow('lists has levels 4 to 60');
  expect(() => configure('nano', { tasks: 'lists' })).toThrow('is not family:level');
  expect(() => configure('nano', { depth: '3' })).toThrow('depth');
});
