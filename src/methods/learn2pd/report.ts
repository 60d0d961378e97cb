/** What the parts of an evaluation share: its options, the form of a table, and how a difference of accuracy is put in words. */
import { pairedBootstrap } from '../../lm/statistics.ts';
import type { Verifier } from '../../lm/verify/verifier.ts';

export interface ResultTable {
  name: string;
  columns: string[];
  rows: (number | string)[][];
}

export interface EvalOptions {
  seed: number;
  /** Problems of every task in the main table; 0 = the configuration's. */
  problems: number;
  /** Canvas of the main table; 0 = twice the canvas of most training steps, if that was trained. */
  canvas: number;
  /** Problems of every timed single-stream measurement. */
  timed: number;
  /** Decodes of every policy before a measurement. */
  warmUp: number;
  /** Problems of every task in the sweeps and ablations; 0 = those of the main table. */
  sample: number;
  /** Problems of every length of the length table: each costs 10 s of processor time with `mini` (lavapipe). */
  long: number;
  /** Whole static decodes at the longest canvas; 0 = its time is that of its first block times the number of blocks. */
  static: number;
  /** Sequences of a batch where time does not matter. */
  sequences: number;
  pareto: boolean;
  /** Training prompts of the ablations' filters; 0 leaves the ablations out. */
  ablations: number;
  /** Pairs of decodes from which the filter's overhead is taken. */
  rounds: number;
  progress?: (text: string) => void;
  /** Judges the answers; by default in this thread. */
  verifier?: Verifier;
}

export const EVAL_DEFAULTS = {
  problems: 0,
  canvas: 0,
  timed: 4,
  warmUp: 3,
  sample: 0,
  long: 24,
  static: 1,
  sequences: 32,
  pareto: true,
  ablations: 0,
  rounds: 24,
} satisfies Omit<EvalOptions, 'seed'>;

export const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;

/** "kept" is said only if the lower bound of the difference lies above -1 point. */
export function accuracyVerdict(policy: readonly number[], base: readonly number[], seed: number): string {
  const { value, lower, upper } = pairedBootstrap(policy, base, seed);
  const text = (x: number): string => (100 * x).toFixed(1);
  return `${lower > -0.01 ? 'kept' : 'changed'}: ${text(value)} points [${text(lower)}, ${text(upper)}]`;
}
