/** Where static decoding wastes passes, read off the traces of the main table (learn2pd 1.4, 6). */

import { EOT } from '../../lm/tokenizers/closed.ts';
import type { Learn2pdConfig } from './config.ts';
import type { Judged } from './judge.ts';
import { mean, type ResultTable } from './report.ts';
import type { StepTrace } from './trace.ts';

/**
 * Unnecessary decodes of every token of a decode: passes from the first in which its guess was what it became, up to the
 * pass that finalised it.
 */
export function unnecessaryDecodes(trace: readonly StepTrace[], tokens: ArrayLike<number>, P: number): number[] {
  const seen = new Map<number, number>();
  const out: number[] = [];
  trace.forEach((t, pass) => {
    t.guess.forEach((id, i) => {
      const at = t.block - P + i;
      if (((t.decided[i] >> 2) & 1) === 0) return;
      if (id === tokens[at] && !seen.has(at)) seen.set(at, pass);
      if ((t.decided[i] & 3) !== 0) out.push(pass - (seen.get(at) ?? pass));
    });
  });
  return out;
}

/** Passes on blocks that begin behind the first end token of the final text, as a share of all. */
export function eotWaste(trace: readonly Pick<StepTrace, 'block'>[], tokens: ArrayLike<number>, P: number): number {
  const end = Array.from(tokens).indexOf(EOT);
  if (end < 0 || trace.length === 0) return 0;
  return trace.filter((t) => t.block - P > end).length / trace.length;
}

/** Passes of every block. */
export function passesPerBlock(trace: readonly Pick<StepTrace, 'block'>[]): number[] {
  const counts = new Map<number, number>();
  for (const { block } of trace) counts.set(block, (counts.get(block) ?? 0) + 1);
  return [...counts.values()];
}

export interface Decisions {
  /** Masked positions that the policy was asked about, over all passes; those it took, those whose guess was right, both. */
  asked: number;
  taken: number;
  right: number;
  both: number;
}

/** The policy's own decisions in a decode (not those of the top rule) against the text that the guesses should be. */
export function decisionsOf(trace: readonly StepTrace[], y: ArrayLike<number>, P: number): Decisions {
  const out: Decisions = { asked: 0, taken: 0, right: 0, both: 0 };
  for (const { block, guess, decided } of trace) {
    guess.forEach((id, i) => {
      if (((decided[i] >> 2) & 1) === 0) return;
      const taken = decided[i] & 1;
      const right = Number(id === y[block - P + i]);
      out.asked += 1;
      out.taken += taken;
      out.right += right;
      out.both += taken & right;
    });
  }
  return out;
}

const BINS = [0, 1, 2, 5, 10, 20, 50] as const;

export function diagnose(all: Record<string, Judged[]>, c: Learn2pdConfig, canvas: number): ResultTable[] {
  const results = (name: string) => all[name].flatMap((j) => j.results);
  const unnecessary = results('static').flatMap((r) => unnecessaryDecodes(r.trace ?? [], r.tokens, c.prompt));
  const histogram: ResultTable = {
    name: 'unnecessaryDecodes',
    columns: ['passes after the guess was first right', 'share of tokens (static)'],
    rows: BINS.map((from, i) => {
      const below = BINS[i + 1] ?? Number.POSITIVE_INFINITY;
      const share = unnecessary.filter((n) => n >= from && n < below).length / Math.max(1, unnecessary.length);
      const name =
        below === Number.POSITIVE_INFINITY
          ? `${from} and more`
          : below === from + 1
            ? `${from}`
            : `${from} to ${below - 1}`;
      return [name, share];
    }),
  };
  const steps: ResultTable = {
    name: 'passesPerBlock',
    columns: ['policy', 'canvas', 'mean', 'median', 'most'],
    rows: ['static', 'threshold', 'learn2pd', 'egp'].map((name) => {
      const counts = results(name)
        .flatMap((r) => passesPerBlock(r.trace ?? []))
        .sort((a, b) => a - b);
      return [name, canvas, mean(counts), counts[counts.length >> 1], counts[counts.length - 1]];
    }),
  };
  const texts = results('static').map((r) => r.tokens);
  const live: ResultTable = {
    name: 'liveDecisions',
    columns: ['policy', 'canvas', 'masked positions asked', 'taken', 'precision', 'recall'],
    rows: ['threshold', 'margin', 'learn2pd', 'learn2pdEotp'].map((name) => {
      const each = results(name).map((r, i) => decisionsOf(r.trace ?? [], texts[i], c.prompt));
      const sum = (key: keyof Decisions): number => each.reduce((total, d) => total + d[key], 0);
      return [name, canvas, sum('asked'), sum('taken'), sum('both') / sum('taken'), sum('both') / sum('right')];
    }),
  };
  return [histogram, steps, live];
}
