/** How good a filter is on records that it has not seen (learn2pd 4.4), on masked positions unless named otherwise. */
import { applyFilter, type FilterWeights } from './filter.ts';
import { type FilterRecord, filterLoss, sigmoid } from './filter-training.ts';

export interface FilterReport {
  records: number;
  /** Mean loss on masked and on all positions; the second is flattered by tokens that are already final. */
  bceMasked: number;
  bceAll: number;
  /** Loss of the best constant answer on masked positions. */
  bceConstant: number;
  /** Area under the receiver operating characteristic, masked positions. */
  auroc: number;
  /** Of masked positions above each tau, the share that is wrong; NaN where there is none. */
  falsePositives: { tau: number; share: number; taken: number }[];
}

/** How good a filter is on records that it has not seen. */
export function reportFilter(filter: FilterWeights, records: readonly FilterRecord[]): FilterReport {
  const scored: { z: number; y: number }[] = [];
  for (const r of records) {
    const z = applyFilter(filter, r.c);
    for (let i = 0; i < filter.B; i++) if (r.masked[i]) scored.push({ z: z[i], y: r.label[i] });
  }
  scored.sort((a, b) => a.z - b.z);
  const right = scored.reduce((sum, s) => sum + s.y, 0);
  const wrong = scored.length - right;
  // Mann-Whitney with mean ranks for equals.
  let rankSum = 0;
  for (let i = 0; i < scored.length; ) {
    let j = i;
    while (j < scored.length && scored[j].z === scored[i].z) j++;
    for (let k = i; k < j; k++) rankSum += scored[k].y * ((i + j + 1) / 2);
    i = j;
  }
  const p = right / Math.max(1, scored.length);
  const entropy = (q: number): number => (q <= 0 || q >= 1 ? 0 : -q * Math.log(q) - (1 - q) * Math.log(1 - q));
  return {
    records: records.length,
    bceMasked: filterLoss(filter, records, true).loss,
    bceAll: filterLoss(filter, records, false).loss,
    bceConstant: entropy(p),
    auroc: right > 0 && wrong > 0 ? (rankSum - (right * (right + 1)) / 2) / (right * wrong) : Number.NaN,
    falsePositives: [0.9, 0.96, 0.99].map((tau) => {
      const taken = scored.filter((s) => sigmoid(s.z) > tau);
      return {
        tau,
        taken: taken.length,
        share: taken.length === 0 ? Number.NaN : taken.filter((s) => s.y === 0).length / taken.length,
      };
    }),
  };
}

/** Mean score, share that was right, and how many. */
export interface ReliabilityBin {
  score: number;
  right: number;
  count: number;
}

/** Masked positions by tenths of the filter's score; empty tenths are left out. */
export function reliabilityOf(filter: FilterWeights, records: readonly FilterRecord[]): ReliabilityBin[] {
  const bins = Array.from({ length: 10 }, () => ({ score: 0, right: 0, count: 0 }));
  for (const record of records) {
    applyFilter(filter, record.c).forEach((z, i) => {
      if (!record.masked[i]) return;
      const score = sigmoid(z);
      const bin = bins[Math.min(9, Math.floor(score * 10))];
      bin.score += score;
      bin.right += record.label[i];
      bin.count += 1;
    });
  }
  return bins
    .filter(({ count }) => count > 0)
    .map(({ score, right, count }) => ({ score: score / count, right: right / count, count }));
}
