/**
 * The reward of mixed reinforcement learning in three parts (dsa.md section 5.3): outcome by rule, length penalty, language
 * consistency. The report names the parts; their forms and weights are this lab's.
 */
import type { ClosedTokenizer } from '../../../lm/tokenizers/closed.ts';
import { EOT } from '../../../lm/tokenizers/closed.ts';
import type { Spoken } from './conversation.ts';
import { ANSWER, type Task } from './domain.ts';
import { consistency } from './lexicon.ts';

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

/** What an answer is worth before lengths are weighed. */
export function judged(tokenizer: ClosedTokenizer, task: Task, { answer, mask }: Spoken): Judged {
  const ids = Array.from(answer.tokens).filter((id) => id !== EOT);
  const tokens = ids.map((id) => tokenizer.token(id));
  const at = tokens.lastIndexOf(ANSWER);
  const length = answer.tokens.length;
  const own = tokens.filter((_, i) => mask[i] !== 0 && (at < 0 || i < at));
  const language = task.mode === 'direct' ? 1 : consistency(own, task.language);
  if (answer.end !== 'stop') return { outcome: 0, reasons: ['it does not end'], length, consistency: language };
  if (at < 0) return { outcome: 0, reasons: [`there is no ${ANSWER}`], length, consistency: language };
  const { score, reasons } = task.judge(tokens.slice(at + 1).join(''));
  return { outcome: score, reasons, length, consistency: language };
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
