/**
 * The pipeline of dsa.md section 5.2 on two models side by side, dense and sparse, from one supervised base with equal seeds
 * and data: a specialist per domain by GRPO, verified samples of the specialists as data for a fresh copy of the base
 * (distillation), and one mixed GRPO stage with the reward in three parts. Base data is careless on purpose. A stage is a
 * function of the weights it starts from, so that a journal can hold what is done.
 */
import type { Gpu } from '../../../gpu/device.ts';
import { mix32 } from '../../../gpu/rng.ts';
import { EOT } from '../../../lm/tokenizers/closed.ts';
import { type Example, packExamples, type TokenBatch } from '../../../lm/train/batch.ts';
import type { Verifier } from '../../../lm/verify/verifier.ts';
import { domainIds, type PostConfig } from './config.ts';
import { converse } from './conversation.ts';
import { MODES, type Task } from './domain.ts';
import { domainOf } from './domains.ts';
import type { Finished, Journal, Stage } from './journal.ts';
import { type Measure, measure } from './measure.ts';
import { type Arm, Policy, type Values } from './policy.ts';
import { goOn, type PostEvent, Reinforcement, type Run } from './reinforce.ts';
import { freeLength, judgeAll } from './reward.ts';
import { exampleOf, postTokenizer, taskAt } from './tasks.ts';
import { localPostVerifier, type PostAnswer } from './verifier.ts';

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

/** The run of a journal from where it is; what is done already is told again. `verifier`: by default in this thread. */
export async function postTrain(
  gpu: Gpu,
  journal: Journal,
  emit: (event: PostEvent) => void = () => {},
  signal: AbortSignal = new AbortController().signal,
  verifier: Verifier<PostAnswer> = localPostVerifier(),
): Promise<PostResult> {
  journal.meet(gpu.conditions);
  const { config: c, seed } = journal;
  const run: Run = { gpu, c, seed, tokenizer: postTokenizer(c.model.vocab), verifier, signal };
  const dense = new Policy(gpu, c, 'dense', seed);
  const { values: base } = await journal.stage('dense', 'base', emit, async (at) => {
    const { steps, lr } = c.base;
    await dense.supervised('text', steps, { lr, lrIndex: 0 }, careless(run, 1), at);
    return { values: await dense.values(), found: null };
  });
  const parameters = dense.parameters;
  const first = await armOf(run, { journal, emit }, dense, base);
  dense.dispose();
  const sparse = new Policy(gpu, c, 'sparse', seed);
  const second = await armOf(run, { journal, emit }, sparse, base);
  sparse.dispose();
  return { parameters, arms: { dense: first, sparse: second } };
}

/** Everything behind the base, for one model. */
async function armOf(
  run: Run,
  { journal, emit }: { journal: Journal; emit: (event: PostEvent) => void },
  policy: Policy,
  base: Values,
): Promise<ArmResult> {
  const { c, tokenizer, verifier } = run;
  const { arm } = policy;
  const heard: PostEvent[] = [];
  const stage = async <T>(
    name: string,
    from: Values,
    body: (at: Stage) => Promise<{ values?: Values; found: T }>,
  ): Promise<Finished<T>> => {
    goOn(run);
    const finished = await journal.stage(arm, name, emit, (at) => {
      policy.restore(from);
      return body(at);
    });
    heard.push(...finished.events);
    return finished;
  };
  const note = async (at: Stage, name: string, step: number): Promise<void> => {
    const domains = [...(await measure(policy, tokenizer, c, stream(run, 9), verifier))];
    const shown = domains.map(([id, { judgements: _, ...rest }]) => [id, rest]);
    at.tell({ kind: 'measure', arm, stage: name, step, domains: Object.fromEntries(shown) });
  };
  const indexed = (lr: number): number => (arm === 'sparse' ? lr : 0);

  let start = base;
  if (arm === 'sparse') {
    const warmed = await stage('warm-up', base, async (at) => {
      await policy.supervised('warmup', c.warmup.steps, { lr: 0, lrIndex: c.warmup.lr }, careless(run, 2), at);
      return { values: await policy.values(), found: null };
    });
    start = warmed.values;
  }
  const continued = await stage('continued', start, async (at) => {
    const rates = { lr: c.sparse.lr, lrIndex: indexed(c.sparse.lrIndex) };
    await policy.supervised('text', c.sparse.steps, rates, careless(run, 3), at);
    await note(at, 'base', 0);
    const sampled = await measure(policy, tokenizer, c, stream(run, 10), verifier);
    const free = [...sampled].map(([id, m]): [string, number] => [id, freeLength(m.judgements, c.maxNew / 2)]);
    return { values: await policy.values(), found: free };
  });
  const rl = new Reinforcement(run, policy, new Map(continued.found));

  const lessons: Example[] = [];
  let all = 0;
  for (const id of domainIds(c)) {
    const name = `specialist ${id}`;
    const { found } = await stage(name, continued.values, async (at) => {
      await rl.train(name, c.rl.specialist, [id], stream(run, 4), at);
      await note(at, name, c.rl.specialist);
      return { found: await demonstrations(run, policy, id) };
    });
    all += found.all;
    lessons.push(...found.kept);
  }
  const distilled = await stage('distillation', continued.values, async (at) => {
    const { steps, lr } = c.distill;
    if (lessons.length > 0) {
      const batch = (step: number): TokenBatch => drawn(run, lessons, step);
      await policy.supervised('text', steps, { lr, lrIndex: indexed(lr) }, batch, at);
    }
    await note(at, 'distillation', 0);
    return { values: await policy.values(), found: null };
  });
  const mixed = await stage('mixed', distilled.values, async (at) => {
    await rl.train('mixed', c.rl.mixed, domainIds(c), stream(run, 6), at, async (step) => {
      if (step % c.every === 0 || step === c.rl.mixed) await note(at, 'mixed', step);
    });
    return { values: await policy.values(), found: null };
  });
  let from = distilled.values;
  for (const id of c.sequential ? domainIds(c) : []) {
    const name = `sequential ${id}`;
    const steps = Math.max(1, Math.round(c.rl.mixed / domainIds(c).length));
    const next = await stage(name, from, async (at) => {
      await rl.train(name, steps, [id], stream(run, 7), at);
      await note(at, name, steps);
      return { values: await policy.values(), found: null };
    });
    from = next.values;
  }
  return { ...resultOf(c, heard), kept: [lessons.length, all], values: mixed.values };
}

/** What the events of one model say about it. */
function resultOf(c: PostConfig, events: readonly PostEvent[]): Omit<ArmResult, 'kept' | 'values'> {
  const measured = events.filter((e) => e.kind === 'measure');
  const of = (name: string): CurvePoint[] =>
    measured
      .filter(({ stage }) => stage === name)
      .map(({ step, domains }) => ({ step, domains: new Map(Object.entries(domains)) }));
  const last = (name: string): Map<string, Measure> => {
    const found = of(name).at(-1);
    if (!found) throw new Error(`${name} was not measured`);
    return found.domains;
  };
  const own = (id: string): Measure => {
    const found = last(`specialist ${id}`).get(id);
    if (!found) throw new Error(`${id} was not measured`);
    return found;
  };
  const ids = domainIds(c);
  const distilled = last('distillation');
  const behind = ids.flatMap((id) => of(`sequential ${id}`)).map(({ domains }) => domains);
  const best = (id: string): number =>
    Math.max(...[distilled, ...behind].map((domains) => domains.get(id)?.outcome ?? 0));
  const steps = events.filter((e) => e.kind === 'step').map(({ result }) => result);
  return {
    base: last('base'),
    specialists: new Map(ids.map((id) => [id, own(id)])),
    distilled,
    final: last('mixed'),
    curve: [...of('distillation'), ...of('mixed')],
    sequential:
      behind.length > 0 ? { best: new Map(ids.map((id) => [id, best(id)])), last: behind[behind.length - 1] } : null,
    mismatch: Math.max(...steps.map(({ mismatch }) => mismatch)),
    indexLoss: steps.at(-1)?.further ?? Number.NaN,
  };
}

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
  const { c, tokenizer, verifier } = run;
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
  const judgements = await judgeAll(tokenizer, verifier, tasks, said);
  const kept = said.flatMap((spoken, i): Example[] => {
    if (judgements[i].outcome < 1) return [];
    const prompt = tokenizer.encode(tasks[i].prompt);
    return [{ prompt, answer: Array.from(spoken.answer.tokens), mask: spoken.mask }];
  });
  return { kept, all: tasks.length };
}
