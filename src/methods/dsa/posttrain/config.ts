/** Presets of post-training (dsa.md section 5) at the size of a CPU adapter, and their switches. */
import { ConfigError, presetNamed, withValues } from '../../config-values.ts';
import { checkConfig, type DsaConfig, PRESETS as MODELS } from '../config.ts';
import { DOMAINS } from './domains.ts';
import type { RewardSpec } from './reward.ts';

export interface PostConfig {
  rung: string;
  /** Shapes, k and context; its own stages and tasks are not used. */
  model: DsaConfig;
  /** Ids of domains, separated by commas. */
  domains: string;
  /** Tokens of facts that no problem needs, before every problem. */
  distractors: number;
  /** Shares of wrong answers and of mixed languages in the base's data. */
  wrong: number;
  mixed: number;
  /** Most tokens of an answer, the environment's included. */
  maxNew: number;
  /** Steps of supervised base, warm-up of the indexer, sparse (or further dense) stage, and distillation. */
  base: { steps: number; lr: number };
  warmup: { steps: number; lr: number };
  sparse: { steps: number; lr: number; lrIndex: number };
  distill: { steps: number; lr: number; prompts: number; samples: number };
  /** Reinforcement learning: steps of each specialist, of the mixed stage, prompts of a step and answers of a prompt. */
  rl: { specialist: number; mixed: number; prompts: number; group: number; lr: number; beta: number };
  reward: RewardSpec;
  /** Problems of each domain in an evaluation, and steps of the mixed stage between two of them. */
  evalProblems: number;
  every: number;
  /** Also train the distilled model on one domain after the other, for as many steps as the mixed stage has. */
  sequential: boolean;
}

const ALL = DOMAINS.map((d) => d.id).join(',');

const QUICK: PostConfig = {
  rung: 'post-quick',
  model: {
    ...MODELS.nano,
    rung: 'post',
    vocab: 160,
    time: 80,
    batch: 16,
    controlRows: 0,
    k: 16,
  },
  domains: 'math,search-agent,qa',
  distractors: 12,
  wrong: 0.4,
  mixed: 0.25,
  maxNew: 32,
  base: { steps: 500, lr: 4e-3 },
  warmup: { steps: 100, lr: 4e-3 },
  sparse: { steps: 60, lr: 3e-4, lrIndex: 1e-3 },
  distill: { steps: 40, lr: 1e-3, prompts: 24, samples: 4 },
  rl: { specialist: 10, mixed: 20, prompts: 4, group: 8, lr: 5e-4, beta: 0.04 },
  reward: { length: 0.2, language: 0.1 },
  evalProblems: 32,
  every: 5,
  sequential: false,
};

export const POST_PRESETS: Readonly<Record<string, PostConfig>> = {
  // For tests: every stage, nothing learned.
  'post-nano': {
    ...QUICK,
    rung: 'post-nano',
    domains: 'math,search-agent',
    base: { steps: 3, lr: 3e-3 },
    warmup: { steps: 2, lr: 3e-3 },
    sparse: { steps: 2, lr: 3e-4, lrIndex: 1e-3 },
    distill: { steps: 2, lr: 1e-3, prompts: 2, samples: 2 },
    rl: { specialist: 1, mixed: 2, prompts: 2, group: 2, lr: 3e-4, beta: 0.04 },
    model: { ...QUICK.model, batch: 8 },
    evalProblems: 4,
    every: 1,
  },
  'post-quick': QUICK,
  // All domains at a size that a processor trains in half an hour.
  'post-mini': {
    ...QUICK,
    rung: 'post-mini',
    domains: ALL,
    base: { steps: 3000, lr: 3e-3 },
    warmup: { steps: 300, lr: 3e-3 },
    sparse: { steps: 200, lr: 3e-4, lrIndex: 1e-3 },
    distill: { steps: 200, lr: 1e-3, prompts: 64, samples: 4 },
    rl: { specialist: 30, mixed: 90, prompts: 8, group: 8, lr: 3e-4, beta: 0.04 },
    model: { ...QUICK.model, d: 96, layers: 3, hidden: 256 },
    evalProblems: 96,
    every: 15,
    sequential: true,
  },
  post: {
    ...QUICK,
    rung: 'post',
    domains: ALL,
    base: { steps: 1500, lr: 3e-3 },
    warmup: { steps: 400, lr: 3e-3 },
    sparse: { steps: 300, lr: 3e-4, lrIndex: 1e-3 },
    distill: { steps: 300, lr: 1e-3, prompts: 128, samples: 4 },
    rl: { specialist: 150, mixed: 300, prompts: 32, group: 8, lr: 1e-4, beta: 0.04 },
    model: { ...QUICK.model, d: 96, heads: 4, layers: 3, hidden: 256, batch: 32 },
    evalProblems: 256,
    every: 25,
    sequential: true,
  },
};

export function configurePost(preset: string, set: Readonly<Record<string, string>> = {}): PostConfig {
  const config = withValues(presetNamed(POST_PRESETS, preset), set);
  checkPost(config);
  return config;
}

/** Throws ConfigError with one sentence. */
export function checkPost(c: PostConfig): void {
  checkConfig(c.model);
  const wrong = (text: string): never => {
    throw new ConfigError(`Post-training: ${text}`);
  };
  const unknown = domainIds(c).find((id) => !DOMAINS.some((d) => d.id === id));
  if (unknown !== undefined) wrong(`there is no domain '${unknown}' (known: ${ALL}).`);
  const counts = [c.base.steps, c.sparse.steps, c.distill.steps, c.rl.specialist, c.rl.mixed, c.every, c.evalProblems];
  if ([...counts, c.rl.prompts, c.maxNew].some((n) => !Number.isInteger(n) || n < 1)) {
    wrong('steps, prompts, problems and tokens are positive whole numbers.');
  }
  if (!Number.isInteger(c.rl.group) || c.rl.group < 2)
    wrong(`a group of ${c.rl.group} answers has nothing to compare.`);
  // The longest prompt: three examples of a program.
  const longest = c.distractors + 32;
  if (longest + c.maxNew > c.model.time) {
    wrong(`prompts of up to ${longest} tokens and answers of ${c.maxNew} do not fit rows of ${c.model.time}.`);
  }
  if (c.model.k >= c.model.time) wrong(`k = ${c.model.k} of ${c.model.time} tokens selects nothing.`);
}

export const domainIds = (c: PostConfig): string[] => c.domains.split(',').map((id) => id.trim());
