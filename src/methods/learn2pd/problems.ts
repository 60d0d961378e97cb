/** The problems of a configuration: families with levels, a tokenizer over them, and draws that fit prompt and canvas. */
import { mix32 } from '../../gpu/rng.ts';
import { type AnyFamily, familyOf, taskTokenizer } from '../../lm/tasks/families.ts';
import { Draws, type Problem, problemAt, type Split } from '../../lm/tasks/task.ts';
import { type ClosedTokenizer, EOT } from '../../lm/tokenizers/closed.ts';
import type { Tokenizer } from '../../lm/tokenizers/tokenizer.ts';
import type { Example } from '../../lm/train/batch.ts';
import { exampleOf } from '../../lm/train/sft.ts';
import { ConfigError } from '../config-values.ts';

export interface Task {
  family: AnyFamily;
  levels: readonly number[];
}

/** `lists:4-8,sums:2`; throws ConfigError for an unknown family or a level that it does not have. */
export function parseTasks(text: string): Task[] {
  return text.split(',').map((part) => {
    const match = /^([a-z]+):(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (!match) throw new ConfigError(`configuration tasks: '${part}' is not family:level or family:from-to`);
    let family: AnyFamily;
    try {
      family = familyOf(match[1]);
    } catch (error) {
      throw new ConfigError(`configuration tasks: ${(error as Error).message}`);
    }
    const from = Number(match[2]);
    const to = Number(match[3] ?? match[2]);
    const [lowest, highest] = family.levels;
    if (from < lowest || to > highest || to < from) {
      throw new ConfigError(
        `configuration tasks: ${family.id} has levels ${lowest} to ${highest}, not ${from} to ${to}`,
      );
    }
    return { family, levels: Array.from({ length: to - from + 1 }, (_, i) => from + i) };
  });
}

export const tokenizerOf = (tasks: readonly Task[]): ClosedTokenizer => taskTokenizer(tasks.map((t) => t.family));

/** Tokens that problems of these tasks need and the tokenizer lacks. */
export function missingTokens(tasks: readonly Task[], tokenizer: ClosedTokenizer): string[] {
  const has = new Set(tokenizer.tokens);
  return [...new Set(tasks.flatMap((t) => [...t.family.tokens]))].filter((token) => !has.has(token));
}

export interface Room {
  prompt: number;
  canvas: number;
}

const TRIES = 1000;
/** Draws after which a level counts as one of too long problems. */
const FIT_TRIES = 20;

/** Whether problems of this level are found that the room holds. */
export function fits(family: AnyFamily, level: number, tokenizer: Tokenizer, room: Room): boolean {
  return Array.from({ length: FIT_TRIES }, (_, i) => i).some((i) => {
    const { prompt, answer } = exampleOf(tokenizer, family.generate(new Draws(level, i), level), EOT);
    return prompt.length <= room.prompt && answer.length <= room.canvas;
  });
}

/**
 * `count` problems, tasks in turn from task number `first` on, each the next of its own stream that fits: a function of the
 * arguments only. Training draws with the step as `salt`. Throws if a task has none that fits.
 */
export function problemsOf(
  tasks: readonly Task[],
  tokenizer: Tokenizer,
  room: Room,
  from: { split: Split; seed: number; salt: number },
  count: number,
  first = 0,
): Problem[] {
  const next = tasks.map(() => 0);
  return Array.from({ length: count }, (_, n) => {
    const at = (first + n) % tasks.length;
    const { family, levels } = tasks[at];
    const seed = mix32(from.seed, from.salt, at, 7);
    for (let tries = 0; tries < TRIES; tries++) {
      const problem = problemAt(family, from.split, seed, next[at]++, levels);
      const { prompt, answer } = exampleOf(tokenizer, problem, EOT);
      if (prompt.length <= room.prompt && answer.length <= room.canvas) return problem;
    }
    throw new ConfigError(
      `No problem of ${family.id} at these levels fits a prompt of ${room.prompt} and a canvas of ${room.canvas} tokens.`,
    );
  });
}

export const examplesOf = (tokenizer: Tokenizer, problems: readonly Problem[]): Example[] =>
  problems.map((p) => exampleOf(tokenizer, p, EOT));
