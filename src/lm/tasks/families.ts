/** Every verifiable task family by id, and a tokenizer for any choice of them. */
import { ClosedTokenizer } from '../tokenizers/closed.ts';
import { arithmetic } from './arithmetic.ts';
import { calculation } from './calculation.ts';
import { countdown } from './countdown.ts';
import { lists } from './lists.ts';
import { pipelines } from './pipelines.ts';
import { hops, retrieval } from './retrieval.ts';
import { stackPrograms } from './stack-programs.ts';
import { sums } from './sums.ts';
import type { TaskFamily } from './task.ts';
import { wordProblems } from './word-problems.ts';

/** The data of a problem is the business of its own family. */
// biome-ignore lint/suspicious/noExplicitAny: families of different data in one list; each verifies only its own problems.
export type AnyFamily = TaskFamily<any>;

export const FAMILIES: readonly AnyFamily[] = [
  arithmetic,
  calculation,
  countdown,
  hops,
  lists,
  pipelines,
  retrieval,
  stackPrograms,
  sums,
  wordProblems,
];

export function familyOf(id: string): AnyFamily {
  const family = FAMILIES.find((f) => f.id === id);
  if (!family) throw new Error(`There is no task family '${id}'; there are ${FAMILIES.map((f) => f.id).join(', ')}.`);
  return family;
}

/** Tokens of all these families in a fixed order, with `more` behind them; `size` pads the vocabulary. */
export function taskTokenizer(families: readonly AnyFamily[], size = 0, more: readonly string[] = []): ClosedTokenizer {
  return new ClosedTokenizer([...families.flatMap((f) => f.tokens), ...more], size);
}
