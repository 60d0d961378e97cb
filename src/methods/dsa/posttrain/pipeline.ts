/**
 * The pipeline of dsa.md section 5.2 on two models side by side, dense and sparse, from one supervised base with equal seeds
 * and data: a specialist per domain by GRPO, verified samples of the specialists as data for a fresh copy of the base
 * (distillation), and one mixed GRPO stage with the reward in three parts. Base data is careless on purpose.
 */
import type { Gpu } from '../../../gpu/device.ts';
import { mix32 } from '../../../gpu/rng.ts';
import { EOT } from '../../../lm/tokenizers/closed.ts';
import { type Example, packExamples, type TokenBatch } from '../../../lm/train/batch.ts';
import { domainIds, type PostConfig } from './config.ts';
import { converse } from './conversation.ts';
import { MODES, type Task } from './domain.ts';
import { domainOf } from './domains.ts';
import { type Measure, measure } from './measure.ts';
import { type Arm, Policy, type Values } from './policy.ts';
import { type PostEvent, Reinforcement, type Run } from './reinforce.ts';
import { freeLength, judged } from './reward.ts';
import { exampleOf, postTokenizer, taskAt } from './tasks.ts';

export interface CurvePoint {
  step: number;
  domains: Map<string, Measure>;
}

export interface ArmResult {
  base: Map<string, Measure>;
  /** Each domain's own specialist on its domain. */
  specialists: Map<string, Measure>;
  distilled: Map<string, Measure>;
  final: Map<string, Measure>;
  /** The mixed stage, from the distilled model on. */
  curve: CurvePoint[];
  /** After one domain behind the other, if that was asked for; `best`: of any point on the way. */
  sequential: { best: Map<string, number>; last: Map<string, Measure> } | null;
  /** Samples of the specialists that the verifier let through, of all. */
  kept: [kept: number, all: number];
  /** Largest mean |log pi(train) - log pi(rollout)| of any step. */
  mismatch: number;
  /** KL of the indexer in the last step; NaN for the dense arm. */
  indexLoss: number;
  values: Values;
}

export interface PostResult {
  parameters: number;
  arms: Record<Arm, ArmResult>;
}

/** Seeds of the stages: equal for both arms. */
const stream = (run: Run, name: number): number => mix32(run.seed, name, 0, 0x706f7374);

export async function postTrain(
  gpu: Gpu,
  c: PostConfig,
  seed: number,
  emit: (event: PostEvent) => void = () => {},
  signal: AbortSignal = new AbortController().signal,
): Promise<PostResult> {
  const run: Run = { gpu, c, seed, tokenizer: postTokenizer(c.model.vocab), emit, signal };
  const dense = new Policy(gpu, c, 'dense', seed);
  emit({ kind: 'stage', arm: 'dense', stage: 'base' });
  const { steps, lr } = c.base;
  await dense.supervised('text', steps, { lr, lrIndex: 0 }, careless(run, 1));
  const base = await dense.values();
  const parameters = dense.parameters;
  const first = await armOf(run, dense, base);
  dense.dispose();
  const sparse = new Policy(gpu, c, 'sparse', seed);
  const second = await armOf(run, sparse, base);
  sparse.dispose();
  return { parameters, arms: { dense: first, sparse: second } };
}

/** Everything behind the base, for one model. */
async function armOf(run: Run, policy: Policy, start: Values): Promise<ArmResult> {
  const { c, tokenizer, emit } = run;
  const { arm } = policy;
  const stage = (name: string): void => {
    goOn(run);
    emit({ kind: 'stage', arm, stage: name });
  };
  const note = async (name: string, step: number): Promise<Map<string, Measure>> => {
    const domains = await measure(policy, tokenizer, c, stream(run, 9));
    const shown = [...domains].map(([id, { judgements: _, ...rest }]) => [id, rest]);
    emit({ kind: 'measure', arm, stage: name, step, domains: Object.fromEntries(shown) });
    return domains;
  };
  policy.restore(start);
  if (arm === 'sparse') {
    stage('warm-up');
    await policy.supervised('warmup', c.warmup.steps, { lr: 0, lrIndex: c.warmup.lr }, careless(run, 2));
  }
  stage('continued');
  const rates = { lr: c.sparse.lr, lrIndex: arm === 'sparse' ? c.sparse.lrIndex : 0 };
  await policy.supervised('text', c.sparse.steps, rates, careless(run, 3));
  const values = await policy.values();
  const base = await note('base', 0);
  const sampled = await measure(policy, tokenizer, c, stream(run, 10));
  const free = new Map([...sampled].map(([id, m]) => [id, freeLength(m.judgements, c.maxNew / 2)]));
  const rl = new Reinforcement(run, policy, free);

  const specialists = new Map<string, Measure>();
  const lessons: Example[] = [];
  let all = 0;
  for (const id of domainIds(c)) {
    stage(`specialist ${id}`);
    policy.restore(values);
    await rl.train(`specialist ${id}`, c.rl.specialist, [id], stream(run, 4));
    specialists.set(id, own(await note(`specialist ${id}`, c.rl.specialist), id));
    const samples = await demonstrations(run, policy, id);
    all += samples.all;
    lessons.push(...samples.kept);
  }
  stage('distillation');
  policy.restore(values);
  if (lessons.length > 0) {
    const { steps, lr } = c.distill;
    const distillRates = { lr, lrIndex: arm === 'sparse' ? lr : 0 };
    await policy.supervised('text', steps, distillRates, (step) => drawn(run, lessons, step));
  }
  const taught = await policy.values();
  const distilled = await note('distillation', 0);

  stage('mixed');
  const curve: CurvePoint[] = [{ step: 0, domains: distilled }];
  await rl.train('mixed', c.rl.mixed, domainIds(c), stream(run, 6), async (step) => {
    if (step % c.every === 0 || step === c.rl.mixed) curve.push({ step, domains: await note('mixed', step) });
  });
  const final = curve[curve.length - 1].domains;
  const ended = await policy.values();
  let sequential: ArmResult['sequential'] = null;
  if (c.sequential) {
    stage('sequential');
    policy.restore(taught);
    const best = new Map([...distilled].map(([id, m]) => [id, m.outcome]));
    let last = distilled;
    for (const id of domainIds(c)) {
      const steps = Math.max(1, Math.round(c.rl.mixed / domainIds(c).length));
      await rl.train(`sequential ${id}`, steps, [id], stream(run, 7));
      last = await note(`sequential ${id}`, steps);
      for (const [name, m] of last) best.set(name, Math.max(best.get(name) ?? 0, m.outcome));
    }
    sequential = { best, last };
  }
  const { mismatch, indexLoss } = rl;
  return {
    ...{ base, specialists, distilled, final, curve, sequential, mismatch, indexLoss },
    kept: [lessons.length, all],
    values: ended,
  };
}

/** Throws if the run was stopped. */
function goOn({ signal }: Run): void {
  if (signal.aborted) throw new Error('post-training was stopped');
}

const own = (all: Map<string, Measure>, id: string): Measure => {
  const found = all.get(id);
  if (!found) throw new Error(`${id} was not measured`);
  return found;
};

/** Supervised batches of careless demonstrations, domains in turn. */
function careless(run: Run, name: number): (step: number) => TokenBatch {
  const { c, tokenizer } = run;
  const ids = domainIds(c);
  const options = { care: { wrong: c.wrong, mixed: c.mixed }, distractors: c.distractors };
  return (step) => {
    goOn(run);
    const examples: Example[] = [];
    for (let i = 0, tokens = 0; tokens < c.model.batch * c.model.time; i++) {
      const seed = mix32(stream(run, name), step, 0, 0x736674);
      const task = taskAt(domainOf(ids[i % ids.length]), 'train', seed, i, options);
      const example = exampleOf(tokenizer, task, task.demonstration);
      tokens += example.prompt.length + example.answer.length;
      examples.push(example);
    }
    return packExamples(examples, c.model.batch, c.model.time, EOT);
  };
}

/** A batch of lessons drawn with replacement. */
function drawn(run: Run, lessons: readonly Example[], step: number): TokenBatch {
  goOn(run);
  const { batch, time } = run.c.model;
  const examples: Example[] = [];
  for (let i = 0, tokens = 0; tokens < batch * time; i++) {
    const pick = lessons[mix32(stream(run, 5), step, i, 0x64697374) % lessons.length];
    tokens += pick.prompt.length + pick.answer.length;
    examples.push(pick);
  }
  return packExamples(examples, batch, time, EOT);
}

/** Right answers of a specialist in both modes. */
async function demonstrations(run: Run, policy: Policy, id: string): Promise<{ kept: Example[]; all: number }> {
  const { c, tokenizer } = run;
  const { prompts, samples } = c.distill;
  const tasks = Array.from({ length: prompts }, (_, i) =>
    taskAt(domainOf(id), 'train', stream(run, 8), i, {
      care: { wrong: 0, mixed: 0 },
      distractors: c.distractors,
      mode: MODES[i % MODES.length],
    }),
  ).flatMap((task) => new Array<Task>(samples).fill(task));
  const options = { temperature: 1, topK: 0, topP: 1, maxNew: c.maxNew, seed: stream(run, 8) };
  const said = await converse(policy.decoder, tokenizer, tasks, options);
  const kept = said.flatMap((spoken, i): Example[] => {
    if (judged(tokenizer, tasks[i], spoken).outcome < 1) return [];
    const prompt = tokenizer.encode(tasks[i].prompt);
    return [{ prompt, answer: Array.from(spoken.answer.tokens), mask: spoken.mask }];
  });
  return { kept, all: tasks.length };
}
