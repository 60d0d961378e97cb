/**
 * The reward of mixed reinforcement learning in three parts (dsa.md section 5.3): outcome by rule, length penalty, language
 * consistency. The report names the parts; their forms and weights are this lab's.
 */
import type { Verdict } from '../../../lm/tasks/task.ts';
import type { ClosedTokenizer } from '../../../lm/tokenizers/closed.ts';
import { EOT } from '../../../lm/tokenizers/closed.ts';
import type { Verifier } from '../../../lm/verify/verifier.ts';
import type { Spoken } from './conversation.ts';
import { ANSWER, type Task } from './domain.ts';
import { consistency } from './lexicon.ts';
import type { PostAnswer } from './verifier.ts';

export interface RewardSpec {
  /** Weights of the penalty and of consistency; the outcome has weight 1. */
  length: number;
  language: number;
}

export interface Judged {
  /** 0..1 by the verifier; 0 for an answer that was cut off. */
  outcome: number;
  reasons: string[];
  /** Tokens of the whole answer, the environment's included. */
  length: number;
  consistency: number;
}

/** What answers are worth before lengths are weighed, in their order; `tasks[i]` is that of `said[i]`. */
export async function judgeAll(
  tokenizer: ClosedTokenizer,
  verifier: Verifier<PostAnswer>,
  tasks: readonly Task[],
  said: readonly Spoken[],
): Promise<Judged[]> {
  const all = said.map((spoken, i) => unjudged(tokenizer, tasks[i], spoken));
  const asked = all.flatMap(({ text }, i) => (text === null ? [] : [{ task: tasks[i].source, text }]));
  const verdicts = (await verifier.verify(asked)).values();
  return all.map(({ text, ...judgement }) => {
    if (text === null) return judgement;
    const { score, reasons } = verdicts.next().value as Verdict;
    return { ...judgement, outcome: score, reasons };
  });
}

/** Everything but the verdict; `text`: what is to be judged, null if there is nothing and the answer is wrong. */
function unjudged(tokenizer: ClosedTokenizer, task: Task, { answer, mask }: Spoken): Judged & { text: string | null } {
  const ids = Array.from(answer.tokens).filter((id) => id !== EOT);
  const tokens = ids.map((id) => tokenizer.token(id));
  const at = tokens.lastIndexOf(ANSWER);
  const length = answer.tokens.length;
  const own = tokens.filter((_, i) => mask[i] !== 0 && (at < 0 || i < at));
  const language = task.mode === 'direct' ? 1 : consistency(own, task.language);
  const judgement = { outcome: 0, length, consistency: language };
  if (answer.end !== 'stop') return { ...judgement, reasons: ['it does not end'], text: null };
  if (at < 0) return { ...judgement, reasons: [`there is no ${ANSWER}`], text: null };
  return { ...judgement, reasons: [], text: tokens.slice(at + 1).join('') };
}

/** `free`: length up to which nothing is taken off, `most`: length at which everything is. */
export function rewardOf(judgement: Judged, spec: RewardSpec, free: number, most: number): number {
  const over = most > free ? Math.min(1, Math.max(0, (judgement.length - free) / (most - free))) : 0;
  return judgement.outcome - spec.length * over + spec.language * judgement.consistency;
}

/** Median length of the right answers; `otherwise` if there are none. */
export function freeLength(all: readonly Judged[], otherwise: number): number {
  const right = all.filter((j) => j.outcome === 1).map((j) => j.length);
  right.sort((a, b) => a - b);
  return right.length === 0 ? otherwise : right[right.length >> 1];
}
