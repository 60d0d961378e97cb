/**
 * What the filter costs: passes with the learned policy against passes with the confidence threshold, in turns, everything
 * else equal. Both thresholds lie above 1, so that both decode one token a pass and have the same passes.
 */

import type { Problem } from '../../lm/tasks/task.ts';
import type { Judge } from './judge.ts';
import { DECODE_DEFAULTS, type DecodeSpec } from './policy.ts';
import type { ResultTable } from './report.ts';

const median = (x: readonly number[]): number => {
  const sorted = [...x].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};

export async function filterOverhead(
  judge: Judge,
  problem: Problem,
  canvas: number,
  rounds: number,
): Promise<{ metrics: Record<string, number>; table: ResultTable }> {
  const decoder = judge.decoder(canvas, 1);
  const prompts = judge.prompts([problem]);
  const { filter } = judge.model;
  const specs: DecodeSpec[] = [
    { ...DECODE_DEFAULTS, policy: { kind: 'threshold', tau: 2 } },
    { ...DECODE_DEFAULTS, policy: { kind: 'learn2pd', tau: 1, filter } },
  ];
  const times: number[][] = specs.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const turn of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const { results, stats } = await decoder.decode(prompts, specs[turn], { canvas });
      if (round > 0) times[turn].push(stats.wallMs / results[0].nfe);
    }
  }
  const [threshold, learned] = times.map(median);
  // Pairs of one round: what disturbs the machine for longer than a decode cancels.
  const filterOverheadShare = median(times[1].map((t, i) => t / times[0][i])) - 1;
  return {
    metrics: { filterOverhead: filterOverheadShare },
    table: {
      name: 'overhead',
      columns: ['policy', 'canvas', 'ms per pass (median)', 'rounds', 'more than threshold (median of pairs)'],
      rows: [
        ['threshold', canvas, threshold, rounds, 0],
        ['Learn2PD', canvas, learned, rounds, filterOverheadShare],
      ],
    },
  };
}
