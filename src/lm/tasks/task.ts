/**
 * What a verifiable task family is: it makes problems from random draws, and judges any answer exactly. Problems are split
 * by a hash of their canonical form, so that a test problem never occurs in training, whatever the seed.
 */
import { mix32, uniform01 } from '../../gpu/rng.ts';

/** Random choices that depend on (seed, stream) only. */
export class Draws {
  private n = 0;
  private readonly seed: number;
  private readonly stream: number;

  constructor(seed: number, stream: number) {
    this.seed = seed;
    this.stream = stream;
  }

  /** [0, 1) */
  uniform(): number {
    return uniform01(mix32(this.seed, this.stream, this.n++, 0x7461736b));
  }

  /** Whole number lo..hi, both included. */
  int(lo: number, hi: number): number {
    return lo + Math.floor(this.uniform() * (hi - lo + 1));
  }

  pick<T>(from: readonly T[]): T {
    return from[this.int(0, from.length - 1)];
  }

  /** `count` different members in random order. */
  some<T>(from: readonly T[], count: number): T[] {
    const rest = [...from];
    for (let i = 0; i < count; i++) {
      const j = this.int(i, rest.length - 1);
      [rest[i], rest[j]] = [rest[j], rest[i]];
    }
    return rest.slice(0, count);
  }
}

export interface Problem<D = unknown> {
  family: string;
  level: number;
  /** What the model is given; begins with the tag of the family. */
  prompt: string;
  /** A worked answer that verifies, without the end token: what supervised training learns. */
  answer: string;
  /** Canonical form: equal keys are the same problem. */
  key: string;
  /** What the verifier knows. */
  data: D;
}

export interface Verdict {
  /** 0..1; 1 = right. */
  score: number;
  /** Why not 1; empty otherwise. */
  reasons: string[];
}

/** Runs an untrusted JavaScript function `(xs) => ...` on inputs; see sandbox.ts. */
export interface ProgramRunner {
  run(source: string, inputs: readonly unknown[]): { ok: true; outputs: unknown[] } | { ok: false; reason: string };
}

export interface TaskFamily<D = unknown> {
  id: string;
  title: string;
  /** Special token at the start of every prompt. */
  tag: string;
  /** Every token that prompts and answers are made of, the tag and digits included. */
  tokens: readonly string[];
  /** Easiest and hardest level. */
  levels: readonly [number, number];
  generate(draws: Draws, level: number): Problem<D>;
  /** Judges text up to the end token. Never throws, whatever the text. `runner` is there if `programs` is set. */
  verify(problem: Problem<D>, text: string, runner?: ProgramRunner): Verdict;
  /** Answers are JavaScript and need a runner. */
  programs?: boolean;
}

export const RIGHT: Verdict = { score: 1, reasons: [] };
export const wrong = (...reasons: string[]): Verdict => ({ score: 0, reasons });

export const DIGITS = [...'0123456789'];

export type Split = 'train' | 'validation' | 'test';

/** 80 % train, 10 % validation, 10 % test, by FNV-1a of family and key. */
export function splitOf(problem: { family: string; key: string }): Split {
  const text = `${problem.family}\n${problem.key}`;
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  const share = (mix32(h, 0, 0, 0) >>> 0) % 10;
  return share < 8 ? 'train' : share === 8 ? 'validation' : 'test';
}

/** Problem number `index` of a split: a function of its arguments only. `levels` are drawn evenly. */
export function problemAt<D>(
  family: TaskFamily<D>,
  split: Split,
  seed: number,
  index: number,
  levels: readonly number[] = [family.levels[0]],
): Problem<D> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const draws = new Draws(mix32(seed, index, attempt, 0x70726f62), 0);
    const problem = family.generate(draws, draws.pick(levels));
    if (splitOf(problem) === split) return problem;
  }
  throw new Error(`${family.id}: levels ${levels.join(', ')} have no problem in the ${split} split`);
}
