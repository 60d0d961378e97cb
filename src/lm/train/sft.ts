/** Supervised fine-tuning: mean negative log-likelihood of the answer tokens of packed examples. */
import type { Gpu } from '../../gpu/device.ts';
import { mix32 } from '../../gpu/rng.ts';
import { weightedSum } from '../../tensor/ops/token-logprobs.ts';
import type { LmConfig } from '../config.ts';
import type { AnyFamily } from '../tasks/families.ts';
import { type Problem, problemAt } from '../tasks/task.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { type Example, packExamples, type TokenBatch } from './batch.ts';
import { LmTrainer, type TrainerOptions, type TrainSpec } from './trainer.ts';

/** Loss: -sum of weight * log-probability of the target. Serves every objective that is a weighted likelihood. */
export function likelihoodTrainer(
  gpu: Gpu,
  c: LmConfig,
  spec: TrainSpec,
  kind: string,
  options?: TrainerOptions,
): LmTrainer {
  return new LmTrainer(
    gpu,
    c,
    spec,
    kind,
    ({ logProbs, weights }) => ({ loss: weightedSum(logProbs, weights, -1) }),
    options,
  );
}

export const sftTrainer = (gpu: Gpu, c: LmConfig, spec: TrainSpec, options?: TrainerOptions): LmTrainer =>
  likelihoodTrainer(gpu, c, spec, 'sft', options);

export interface TaskMix {
  family: AnyFamily;
  levels: readonly number[];
}

/** Token ids of a problem with its worked answer. */
export function exampleOf(tokenizer: Tokenizer, problem: Problem, eot: number): Example {
  return { prompt: tokenizer.encode(problem.prompt), answer: [...tokenizer.encode(problem.answer), eot] };
}

/** Batch of step `step` from freshly generated training problems, families in turn: a function of its arguments only. */
export function taskBatch(
  tokenizer: Tokenizer,
  mix: readonly TaskMix[],
  spec: { batch: number; time: number; seed: number },
  step: number,
  eot: number,
): TokenBatch {
  const examples: Example[] = [];
  const seed = mix32(spec.seed, step, 0, 0x73667421);
  // Enough to fill the rows: stop once their tokens exceed what the rows hold.
  for (let i = 0, tokens = 0; tokens < spec.batch * spec.time; i++) {
    const { family, levels } = mix[i % mix.length];
    const example = exampleOf(tokenizer, problemAt(family, 'train', seed, i, levels), eot);
    tokens += example.prompt.length + example.answer.length;
    examples.push(example);
  }
  return packExamples(examples, spec.batch, spec.time, eot);
}
