/** Answers of a model to task problems, judged: what evaluations and reward signals are made of. */
import type { Decoder, Generated, GenerateOptions, GenerateStats } from './decoder.ts';
import { type Interval, wilson } from './statistics.ts';
import type { Problem, Verdict } from './tasks/task.ts';
import type { Tokenizer } from './tokenizers/tokenizer.ts';
import type { Judge } from './train/grpo.ts';
import type { Verifier } from './verify/verifier.ts';

/** Text of an answer up to its end token. */
export function answerText(tokenizer: Tokenizer, tokens: ArrayLike<number>, eot: number): string {
  const ids = Array.from(tokens);
  const end = ids.indexOf(eot);
  return tokenizer.decode(end < 0 ? ids : ids.slice(0, end));
}

export interface Evaluation {
  /** Share of problems with a score of 1. */
  accuracy: Interval;
  texts: string[];
  verdicts: Verdict[];
  /** Mean tokens of an answer, its end token included. */
  length: number;
  stats: GenerateStats;
}

/** One answer to every problem; a row that does not end counts as what it is, usually wrong. */
export async function evaluateTasks(
  decoder: Decoder,
  tokenizer: Tokenizer,
  verifier: Verifier,
  problems: readonly Problem[],
  options: Omit<GenerateOptions, 'stop'>,
  eot: number,
): Promise<Evaluation> {
  const prompts = problems.map((p) => tokenizer.encode(p.prompt));
  const { rows, stats } = await decoder.generate(prompts, { ...options, stop: [eot] });
  const texts = rows.map((row) => answerText(tokenizer, row.tokens, eot));
  const verdicts = await verifier.verify(problems.map((problem, i) => ({ problem, text: texts[i] })));
  const right = verdicts.filter((v) => v.score === 1).length;
  const tokens = rows.reduce((sum, row) => sum + row.tokens.length, 0);
  return { accuracy: wilson(right, problems.length), texts, verdicts, length: tokens / problems.length, stats };
}

/**
 * Rewards of GRPO answers to these problems. An answer cut off at its limit gets 0 whatever it says; `shape` may add to the
 * score (length penalty, language consistency).
 */
export function taskJudge(
  tokenizer: Tokenizer,
  verifier: Verifier,
  problems: readonly Problem[],
  eot: number,
  shape: (score: number, answer: Generated, text: string) => number = (score) => score,
): Judge {
  return async (answers) => {
    const texts = answers.map(({ answer }) => answerText(tokenizer, answer.tokens, eot));
    const verdicts = await verifier.verify(
      answers.map(({ prompt }, i) => ({ problem: problems[prompt], text: texts[i] })),
    );
    return verdicts.map(({ score }, i) => {
      const { answer } = answers[i];
      return shape(answer.end === 'stop' ? score : 0, answer, texts[i]);
    });
  };
}
