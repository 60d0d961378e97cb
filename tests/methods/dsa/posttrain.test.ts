// Post-training (dsa.md section 5): verifiers and languages by hand-made answers, conversations with an environment, and
// rollouts that the trainer recognises. The whole pipeline: tests/long/dsa-posttrain.test.ts.

import { expect, test } from 'vitest';
import { memoryStorage } from '../../../src/data/storage.ts';
import type { Decoder } from '../../../src/lm/decoder.ts';
import { Draws } from '../../../src/lm/tasks/task.ts';
import { EOT } from '../../../src/lm/tokenizers/closed.ts';
import { packExamples } from '../../../src/lm/train/batch.ts';
import type { GrpoResult } from '../../../src/lm/train/grpo.ts';
import { threadSeat } from '../../../src/lm/verify/node-pool.ts';
import { VerifierPool } from '../../../src/lm/verify/pool.ts';
import { configurePost } from '../../../src/methods/dsa/posttrain/config.ts';
import { converse, type Spoken } from '../../../src/methods/dsa/posttrain/conversation.ts';
import { ANSWER, OBSERVED, type Task } from '../../../src/methods/dsa/posttrain/domain.ts';
import { DOMAINS, domainOf } from '../../../src/methods/dsa/posttrain/domains.ts';
import { Journal, type Stage } from '../../../src/methods/dsa/posttrain/journal.ts';
import { consistency, speaker, word } from '../../../src/methods/dsa/posttrain/lexicon.ts';
import { postTrain } from '../../../src/methods/dsa/posttrain/pipeline.ts';
import { Policy } from '../../../src/methods/dsa/posttrain/policy.ts';
import { Reinforcement, type Run } from '../../../src/methods/dsa/posttrain/reinforce.ts';
import { freeLength, type Judged, judgeAll, rewardOf } from '../../../src/methods/dsa/posttrain/reward.ts';
import { exampleOf, postTokenizer, taskAt } from '../../../src/methods/dsa/posttrain/tasks.ts';
import { localPostVerifier, type PostAnswer } from '../../../src/methods/dsa/posttrain/verifier.ts';
import verifyPost from '../../../workers/verify-post-node.ts?thread';
import { testGpu } from '../../support/gpu.ts';

const CONFIG = configurePost('post-nano');
const TOKENIZER = postTokenizer(CONFIG.model.vocab);
const VERIFIER = localPostVerifier();
const CAREFUL = { care: { wrong: 0, mixed: 0 }, distractors: 12 };

/** A demonstration as if a policy had said it. */
function spoken(task: Task): Spoken {
  const { answer, mask } = exampleOf(TOKENIZER, task, task.demonstration);
  return {
    answer: { tokens: Uint32Array.from(answer), logProbs: new Float32Array(answer.length), end: 'stop' },
    mask: [...(mask ?? [])],
  };
}

const judged = async (task: Task, said: Spoken): Promise<Judged> =>
  (await judgeAll(TOKENIZER, VERIFIER, [task], [said]))[0];

test.each(DOMAINS.map((d) => d.id))(
  '%s: careful demonstrations are right, careless ones are not, and all fit',
  async (id) => {
    let [slips, wrongSlips] = [0, 0];
    for (let i = 0; i < 60; i++) {
      const task = taskAt(domainOf(id), 'train', 3, i, CAREFUL);
      const said = spoken(task);
      const judgement = await judged(task, said);
      expect(judgement.outcome, `${task.prompt} ${task.demonstration.map((p) => p.text).join('')}`).toBe(1);
      expect(judgement.consistency).toBe(1);
      expect(TOKENIZER.encode(task.prompt).length).toBeLessThanOrEqual(44);
      expect(said.answer.tokens.length).toBeLessThanOrEqual(CONFIG.maxNew);
      // A cut answer is worth nothing; neither is one without its last part.
      expect((await judged(task, { ...said, answer: { ...said.answer, end: 'limit' } })).outcome).toBe(0);
      const careless = taskAt(domainOf(id), 'train', 3, i, { care: { wrong: 1, mixed: 0 }, distractors: 12 });
      slips += 1;
      if ((await judged(careless, spoken(careless))).outcome < 1) wrongSlips += 1;
      expect(taskAt(domainOf(id), 'test', 3, i, CAREFUL).prompt).not.toBe(task.prompt);
    }
    // Another operation may by chance give the same results.
    expect(wrongSlips / slips).toBeGreaterThan(0.9);
  },
);

test('threads judge post-training as this thread does', async () => {
  const tasks = DOMAINS.flatMap(({ id }) => [0, 1].map((i) => taskAt(domainOf(id), 'train', 5, i, CAREFUL)));
  // Every second one gets the answer to another problem of its domain.
  const said = tasks.map((task, i) => spoken(i % 2 === 0 ? task : tasks[i - 1]));
  const here = await judgeAll(TOKENIZER, VERIFIER, tasks, said);
  expect(new Set(here.map((j) => j.outcome)).size).toBeGreaterThan(1);
  const pool = new VerifierPool(() => threadSeat<PostAnswer>(verifyPost), 2);
  expect(await judgeAll(TOKENIZER, pool, tasks, said)).toEqual(here);
  pool.dispose();
});

test('writing: a problem that is asked about is in no training row, whatever sentence was shown for it', () => {
  const problems = (split: 'train' | 'test', count: number) =>
    Array.from({ length: count }, (_, i) => taskAt(domainOf('writing'), split, 3, i, { ...CAREFUL, distractors: 0 }))
      .map(({ prompt }) => prompt.replace(/^<write><.>|<[a-z]+>$/g, ''))
      .map((text) =>
        [...text.matchAll(/[a-z]+\.|\d-\d/g)]
          .map(([word]) => word)
          .sort()
          .join(' '),
      );
  const trained = new Set(problems('train', 2000));
  expect(problems('test', 200).filter((text) => trained.has(text))).toEqual([]);
});

test('languages: a careless speaker mixes them, the share of the wanted one is counted', () => {
  const say = speaker(new Draws(1, 1), 'A', 0);
  expect(consistency([say('take'), '5', say('gives')], 'A')).toBe(1);
  expect(consistency([word('A', 'take'), word('B', 'gives'), '7'], 'B')).toBe(0.5);
  expect(consistency(['5'], 'A')).toBe(0);
  const shares = Array.from({ length: 200 }, (_, i) => {
    const mixed = speaker(new Draws(2, i), 'B', 0.25);
    return consistency([mixed('take'), mixed('then'), mixed('so'), mixed('look')], 'B');
  });
  const switching = shares.filter((s) => s < 1).length / shares.length;
  expect(switching).toBeGreaterThan(0.15);
  expect(switching).toBeLessThan(0.35);
});

test('the reward: outcome, less what is too long, more for one language', () => {
  const judgement = { outcome: 1, reasons: [], length: 20, consistency: 0.5 };
  expect(rewardOf(judgement, { length: 0.2, language: 0.1 }, 20, 30)).toBeCloseTo(1.05, 12);
  expect(rewardOf({ ...judgement, length: 25 }, { length: 0.2, language: 0.1 }, 20, 30)).toBeCloseTo(0.95, 12);
  expect(rewardOf({ ...judgement, length: 90, outcome: 0 }, { length: 0.2, language: 0 }, 20, 30)).toBeCloseTo(
    -0.2,
    12,
  );
  const lengths = [9, 3, 5].map((length) => ({ ...judgement, length }));
  expect(freeLength([...lengths, { ...judgement, length: 100, outcome: 0 }], 7)).toBe(5);
  expect(freeLength([], 7)).toBe(7);
});

test('what an environment says carries no loss', () => {
  const task = taskAt(domainOf('search-agent'), 'train', 3, 1, { ...CAREFUL, mode: 'think' });
  const example = exampleOf(TOKENIZER, task, task.demonstration);
  const batch = packExamples([example], 1, CONFIG.model.time, EOT);
  const from = example.prompt.length - 1;
  example.answer.forEach((id, k) => {
    expect(batch.targets[from + k]).toBe(id);
    expect(batch.weights[from + k] > 0).toBe(example.mask?.[k] === 1);
  });
  const observed = TOKENIZER.id(OBSERVED);
  expect(example.answer.filter((id, k) => id === observed && example.mask?.[k] === 1)).toEqual([]);
  expect(example.answer).toContain(observed);
});

test('a conversation: the environment answers what was called, up to its limit, and equal seeds say the same', async () => {
  const task = taskAt(domainOf('search-agent'), 'train', 3, 2, { ...CAREFUL, mode: 'think' });
  const script = task.demonstration.filter((p) => p.by === 'model').map((p) => TOKENIZER.encode(p.text));
  let turn = 0;
  const seen: number[][] = [];
  // A decoder that speaks the worked answer, one turn at a time.
  const decoder = {
    generate: async (prompts: ArrayLike<number>[]) => {
      seen.push(...prompts.map((p) => Array.from(p)));
      const own = [...script[turn], ...(turn === script.length - 1 ? [EOT] : [])];
      turn += 1;
      const tokens = Uint32Array.from(own);
      return { rows: [{ tokens, logProbs: new Float32Array(own.length).fill(-1), end: 'stop' as const }] };
    },
  };
  const options = { temperature: 1, topK: 0, topP: 1, maxNew: CONFIG.maxNew, seed: 1 };
  const [said] = await converse(decoder as unknown as Decoder, TOKENIZER, [task], options);
  expect(TOKENIZER.decode(said.answer.tokens.slice(0, -1))).toBe(task.demonstration.map((p) => p.text).join(''));
  expect((await judged(task, said)).outcome).toBe(1);
  expect(said.answer.logProbs.every((v, i) => (said.mask[i] === 1 ? v === -1 : v === 0))).toBe(true);
  expect(seen).toHaveLength(script.length);
  // Each turn begins with all that was said before.
  expect(seen[1].slice(0, seen[0].length + script[0].length)).toEqual([...seen[0], ...script[0]]);
  expect(TOKENIZER.decode(said.answer.tokens)).toContain(ANSWER);
});

test('five steps of GRPO with the sparse model: its indexer learns, and training recognises what was rolled out', async () => {
  const { gpu } = await testGpu();
  const small = { 'model.d': '32', 'model.hidden': '64', 'model.layers': '1', 'model.heads': '2' };
  const c = configurePost('post-nano', { ...small, 'model.time': '64', distractors: '8', maxNew: '24' });
  const policy = new Policy(gpu, c, 'sparse', 2);
  const before = await policy.values();
  const steps: GrpoResult[] = [];
  const run: Run = { gpu, c, seed: 2, tokenizer: TOKENIZER, verifier: VERIFIER, signal: new AbortController().signal };
  const at: Stage = {
    tell: (event) => {
      if (event.kind === 'step') steps.push(event.result);
    },
    begin: () => 0,
    keep: async () => {},
  };
  const rl = new Reinforcement(run, policy, new Map());
  await rl.train('mixed', 5, ['math', 'search-agent'], 7, at);
  expect(steps).toHaveLength(5);
  for (const { further, gradNorm, mismatch } of steps) {
    expect(mismatch).toBeLessThan(1e-3);
    expect(mismatch).toBeGreaterThan(0);
    expect(further).toBeGreaterThan(0);
    expect(gradNorm).toBeGreaterThan(0);
  }
  for (const [name, values] of await policy.values()) {
    if (name.includes('.index.')) expect(values, name).not.toEqual(before.get(name));
  }
  policy.dispose();
});

test('configurations that make no sense are refused', () => {
  expect(() => configurePost('post-nano', { domains: 'math,chess' })).toThrow("no domain 'chess'");
  expect(() => configurePost('post-nano', { 'rl.group': '1' })).toThrow('a group of 1');
  expect(() => configurePost('post-nano', { maxNew: '60' })).toThrow('do not fit rows of 80');
});

test('a run that is stopped ends in the middle of a supervised stage', async () => {
  const { gpu } = await testGpu();
  // Hours of steps: only stopping ends them.
  const journal = await Journal.begin(memoryStorage(), configurePost('post-nano', { 'base.steps': '1000000' }), 1);
  const abort = new AbortController();
  const run = postTrain(gpu, journal, () => setTimeout(() => abort.abort(), 50), abort.signal);
  await expect(run).rejects.toThrow('post-training was stopped');
});
