/** Accuracy against passes for sweeps of every policy: the fair test of "learned beats a threshold". */

import { wilson } from '../../lm/statistics.ts';
import type { Problem } from '../../lm/tasks/task.ts';
import type { Judge } from './judge.ts';
import { DECODE_DEFAULTS, type Policy } from './policy.ts';
import { accuracyVerdict, mean, type ResultTable } from './report.ts';

const TAU = [0.5, 0.7, 0.8, 0.9, 0.93, 0.96, 0.98, 0.99, 0.999];
const TAU_C = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];
const MARGINS = [0.3, 0.5, 0.7, 0.9, 0.97];
const FIXED = [1, 2, 4, 8];

export async function paretoTable(
  judge: Judge,
  problems: readonly Problem[],
  canvas: number,
  options: { seed: number; sequences: number; progress?: (text: string) => void },
): Promise<ResultTable> {
  const { filter } = judge.model;
  const entrants: [string, number | string, Policy][] = [
    ...FIXED.map((n): [string, number, Policy] => ['fixed rate', n, { kind: 'static', perStep: n }]),
    ['EGP oracle', '', { kind: 'egp' }],
    ...TAU.map((tau): [string, number, Policy] => ['Learn2PD', tau, { kind: 'learn2pd', tau, filter }]),
    ...TAU_C.map((tau): [string, number, Policy] => ['threshold', tau, { kind: 'threshold', tau }]),
    ...MARGINS.map((m): [string, number, Policy] => ['margin', m, { kind: 'margin', m }]),
  ];
  let references: ArrayLike<number>[] = [];
  let base: readonly number[] = [];
  const rows: (number | string)[][] = [];
  for (const [name, setting, policy] of entrants) {
    const spec = { ...DECODE_DEFAULTS, policy };
    const found = await judge.judge(problems, spec, { canvas, sequences: options.sequences, references });
    if (references.length === 0) {
      references = found.results.map((r) => r.tokens);
      base = found.right;
    }
    const right = wilson(found.right.filter(Boolean).length, problems.length);
    const agreement = setting === 1 && name === 'fixed rate' ? 1 : mean(found.agreement);
    const against = accuracyVerdict(found.right, base, options.seed);
    rows.push([name, setting, mean(found.nfe), right.value, right.lower, right.upper, against, agreement]);
    options.progress?.(`pareto: ${name} ${setting}`);
  }
  return {
    name: 'pareto',
    columns: [
      ...['policy', 'setting', 'passes', 'accuracy', 'lower 95 %', 'upper 95 %'],
      ...['against static', 'agreement with static'],
    ],
    rows,
  };
}
