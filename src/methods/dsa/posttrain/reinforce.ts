/**
 * Reinforcement learning of one policy on the tasks of some domains: answers in turns with their environment, and the reward in
 * three parts.
 */
import type { Gpu } from '../../../gpu/device.ts';
import { type ClosedTokenizer, EOT } from '../../../lm/tokenizers/closed.ts';
import type { GrpoResult, Judge, Roll } from '../../../lm/train/grpo.ts';
import type { Verifier } from '../../../lm/verify/verifier.ts';
import type { PostConfig } from './config.ts';
import { converse } from './conversation.ts';
import type { Task } from './domain.ts';
import { domainOf } from './domains.ts';
import type { Stage } from './journal.ts';
import type { Measure } from './measure.ts';
import type { Arm, Policy } from './policy.ts';
import { judgeAll, rewardOf } from './reward.ts';
import { taskAt } from './tasks.ts';
import type { PostAnswer } from './verifier.ts';

export type PostEvent =
  | { kind: 'stage'; arm: Arm; stage: string }
  | { kind: 'step'; arm: Arm; stage: string; step: number; result: GrpoResult }
  | { kind: 'measure'; arm: Arm; stage: string; step: number; domains: Record<string, Measure> };

export interface Run {
  gpu: Gpu;
  c: PostConfig;
  seed: number;
  tokenizer: ClosedTokenizer;
  verifier: Verifier<PostAnswer>;
  signal: AbortSignal;
}

export class Stopped extends Error {}

/** Throws if the run was stopped. */
export function goOn({ signal }: Run): void {
  if (signal.aborted) throw new Stopped('post-training was stopped');
}

export class Reinforcement {
  private readonly run: Run;
  private readonly policy: Policy;
  private readonly free: ReadonlyMap<string, number>;
  private tasks: Task[] = [];

  /** `free`: length of an answer in each domain that costs nothing. */
  constructor(run: Run, policy: Policy, free: ReadonlyMap<string, number>) {
    this.run = run;
    this.policy = policy;
    this.free = free;
  }

  /** `steps` steps from the weights as they are, domains in turn; `after` each one before it is kept. */
  async train(
    stage: string,
    steps: number,
    domains: readonly string[],
    seed: number,
    at: Stage,
    after: (step: number) => Promise<void> = async () => {},
  ): Promise<void> {
    const { run, policy } = this;
    const { c, tokenizer } = run;
    const trainer = policy.reinforce(tokenizer, this.roll);
    const first = at.begin(policy.store);
    trainer.trainer.step = first;
    for (let step = first + 1; step <= steps; step++) {
      goOn(run);
      this.tasks = Array.from({ length: c.rl.prompts }, (_, i) => {
        const index = step * c.rl.prompts + i;
        const options = { care: { wrong: 0, mixed: 0 }, distractors: c.distractors };
        return taskAt(domainOf(domains[index % domains.length]), 'train', seed, index, options);
      });
      const prompts = this.tasks.map((task) => tokenizer.encode(task.prompt));
      const result = await trainer.step(prompts, this.judge, EOT);
      at.tell({ kind: 'step', arm: policy.arm, stage, step, result });
      await after(step);
      await at.keep(step, policy.store);
    }
  }

  private readonly roll: Roll = async (prompts, options) => {
    const tasks = prompts.map((_, i) => this.tasks[Math.floor(i / this.run.c.rl.group)]);
    return converse(this.policy.decoder, this.run.tokenizer, tasks, options);
  };

  private readonly judge: Judge = async (answers) => {
    const { c, tokenizer, verifier } = this.run;
    const tasks = answers.map(({ prompt }) => this.tasks[prompt]);
    const said = answers.map(({ answer, mask }) => ({ answer, mask: mask ? [...mask] : [] }));
    const judgements = await judgeAll(tokenizer, verifier, tasks, said);
    return judgements.map((judgement, i) =>
      rewardOf(judgement, c.reward, this.free.get(tasks[i].domain) ?? c.maxNew / 2, c.maxNew),
    );
  };
}
