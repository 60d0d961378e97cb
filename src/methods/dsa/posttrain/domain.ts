/**
 * What a domain of post-training is (dsa.md sections 5.1, 5.6): problems with a worked answer for supervised data, an exact
 * verifier, and for agents an environment that answers their calls. Not a TaskFamily: answers have two modes and two
 * languages, and an agent's answer is a conversation.
 */
import type { Draws, Split, Verdict } from '../../../lm/tasks/task.ts';
import type { Language, Meaning } from './lexicon.ts';

export type Mode = 'think' | 'direct';
export const MODES: readonly Mode[] = ['think', 'direct'];

export const THINK = '<think>';
export const DIRECT = '<direct>';
/** Begins the final answer. */
export const ANSWER = '<ans>';
/** An agent's call ends with this token; what follows, up to and with the closing one, is the environment's. */
export const OBSERVE = '<obs>';
export const OBSERVED = '</obs>';
export const CALL = '<call>';

/** A stretch of an answer; the environment's own words teach nothing. */
export interface Part {
  text: string;
  by: 'model' | 'environment';
}

/** How careful the writers of demonstrations are: shares of wrong answers and of thoughts in two languages. */
export interface Care {
  wrong: number;
  mixed: number;
}

export interface TaskOptions {
  care: Care;
  distractors: number;
  mode?: Mode;
  language?: Language;
}

/** What a task is made from: equal sources make equal tasks, in any thread. */
export interface TaskSource {
  domain: string;
  split: Split;
  seed: number;
  index: number;
  options: TaskOptions;
}

export interface Task {
  domain: string;
  source: TaskSource;
  language: Language;
  mode: Mode;
  prompt: string;
  /** Worked answer, right unless it was spoiled. */
  demonstration: Part[];
  judge(answer: string): Verdict;
  /** Reply to a call, for agents. */
  reply?(call: string): string;
}

export interface Problem {
  /** Of the problem itself, without tag, language and mode. */
  prompt: string;
  /** What makes it this problem and no other, for the split; default: prompt and answer. */
  key?: string;
  /** Thought, by meaning: words come from the language. */
  thought(say: (meaning: Meaning) => string): Part[];
  /** The final answer, and one that looks like it but is wrong. */
  answer: string;
  slip: string;
  judge(answer: string): Verdict;
  reply?(call: string): string;
}

export interface Domain {
  id: string;
  title: string;
  tag: string;
  tokens: readonly string[];
  /** Calls of the environment that an answer may make. */
  calls: number;
  generate(draws: Draws): Problem;
}

export const model = (text: string): Part => ({ text, by: 'model' });
export const environment = (text: string): Part => ({ text, by: 'environment' });
export const exactly = (wanted: string, got: string): Verdict =>
  got === wanted ? { score: 1, reasons: [] } : { score: 0, reasons: [`'${got.slice(0, 24)}' instead of '${wanted}'`] };
