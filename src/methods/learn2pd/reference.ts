/**
 * The decoding loop of decoder.ts in plain float64, one sequence: the same rules written once more, for tests and for reading.
 * `forward` gives logits of the whole sequence; whether it computes all of them anew or keeps some keys and values is its own.
 */
import { mix32 } from '../../gpu/rng.ts';
import { EOT, MASK } from '../../lm/tokenizers/closed.ts';
import { applyFilter } from './filter.ts';
import { type DecodeSpec, type Policy, scheduled, stepsPerBlock, thresholdOf } from './policy.ts';

export interface Guess {
  id: number;
  /** Probability of the guess, and its lead over the second. */
  c: number;
  margin: number;
}

/** Most probable token of a row of logits; the mask is no candidate, nor is the end token if suppressed. */
export function guessOf(logits: ArrayLike<number>, suppressEot = false): Guess {
  let id = -1;
  let second = Number.NEGATIVE_INFINITY;
  const silent = (v: number): boolean => v === MASK || (suppressEot && v === EOT);
  for (let v = 0; v < logits.length; v++) {
    if (silent(v)) continue;
    if (id < 0 || logits[v] > logits[id]) {
      if (id >= 0) second = logits[id];
      id = v;
    } else if (logits[v] > second) second = logits[v];
  }
  let sum = 0;
  for (let v = 0; v < logits.length; v++) if (!silent(v)) sum += Math.exp(logits[v] - logits[id]);
  return { id, c: 1 / sum, margin: (1 - Math.exp(second - logits[id])) / sum };
}

const STREAM = 0x66696c74;

/** Indices of the masked positions that the policy finalises; `guesses` and `y` are those of the block. */
export function policyChoice(
  policy: Policy,
  guesses: readonly Guess[],
  masked: readonly number[],
  y: readonly number[],
  lot: (i: number) => number,
): number[] {
  const t = thresholdOf(policy);
  if (policy.kind === 'threshold') return masked.filter((i) => guesses[i].c >= t);
  if (policy.kind === 'margin') return masked.filter((i) => guesses[i].margin >= t);
  if (policy.kind === 'egp') return masked.filter((i) => guesses[i].id === y[i]);
  if (policy.kind === 'static') return [];
  const z = applyFilter(
    policy.filter,
    guesses.map((g) => g.c),
  );
  const taken = masked.filter((i) => z[i] > t);
  if (policy.kind === 'learn2pd') return taken;
  return [...masked].sort((a, b) => lot(a) - lot(b) || a - b).slice(0, taken.length);
}

export interface ReferenceResult {
  tokens: number[];
  nfe: number;
  byPolicy: number;
  byTop: number;
  guarded: number;
  cut: number;
  /** Smallest distance of anything compared from the value where the decision would change. */
  gap: number;
}

/** Where a pass stands: the block is `start`..`end - 1` as it began, `step` counts its passes from 0. */
export interface PassPlace {
  start: number;
  end: number;
  step: number;
}

/** Decodes a canvas of G tokens behind `prompt` in blocks of B; `seed` is that of the sequence. */
export function decodeReference(
  forward: (tokens: readonly number[], at: PassPlace) => readonly ArrayLike<number>[],
  prompt: readonly number[],
  G: number,
  B: number,
  spec: DecodeSpec,
  y: readonly number[] = [],
): ReferenceResult {
  const { policy } = spec;
  const P = prompt.length;
  const x = [...prompt, ...Array<number>(G).fill(MASK)];
  const out: ReferenceResult = { tokens: [], nfe: 0, byPolicy: 0, byTop: 0, guarded: 0, cut: 0, gap: 1 };
  const steps = stepsPerBlock(policy, B);
  const near = (a: number, b: number): void => {
    if (a !== b) out.gap = Math.min(out.gap, Math.abs(a - b));
  };
  for (let start = P; start < x.length; ) {
    const begun = Math.min(B, x.length - start);
    for (let step = 0; ; step++) {
      const end = Math.min(start + begun, x.length);
      const masked = Array.from({ length: end - start }, (_, i) => i).filter((i) => x[start + i] === MASK);
      if (masked.length === 0) break;
      const rows = forward(x, { start, end, step });
      const guesses = rows.slice(start, end).map((row) => guessOf(row, spec.suppressEot));
      const lot = (i: number): number => mix32(spec.seed, out.nfe, i, STREAM);
      const chosen = policyChoice(policy, guesses, masked, y.slice(start - P), lot);
      const surest = [...masked].sort((a, b) => guesses[b].c - guesses[a].c || a - b);
      for (const g of guesses) {
        near(g.margin, 0);
        if (policy.kind === 'threshold') near(g.c, policy.tau);
        if (policy.kind === 'margin') near(g.margin, policy.m);
      }
      for (let i = 1; i < surest.length; i++) near(guesses[surest[i - 1]].c, guesses[surest[i]].c);
      const top = surest.slice(0, scheduled(begun, steps, step));
      const guarded = policy.kind === 'egp' && chosen.length === 0;
      const extra = policy.kind === 'egp' && !guarded ? [] : top.filter((i) => !chosen.includes(i));
      const final = [...chosen, ...extra];
      for (const i of final) x[start + i] = guarded ? y[start - P + i] : guesses[i].id;
      out.byPolicy += chosen.length;
      out.byTop += extra.length;
      if (guarded) out.guarded += extra.length;
      out.nfe += 1;
      const cut = endOfText(spec, x, start, final, rows);
      if (cut !== null) {
        out.cut += x.length - cut - 1;
        x.length = cut + 1;
      }
    }
    start = Math.min(start + begun, x.length);
  }
  out.tokens = x.slice(P);
  return out;
}

/** Where the sequence ends now: the first end token finalised in this pass; else (released) the surest one predicted. */
function endOfText(
  spec: DecodeSpec,
  x: readonly number[],
  start: number,
  final: readonly number[],
  rows: readonly ArrayLike<number>[],
): number | null {
  if (spec.eotp === 'off') return null;
  const ended = final.map((i) => start + i).filter((p) => x[p] === EOT);
  if (ended.length > 0) return Math.min(...ended);
  if (spec.eotp === 'strict') return null;
  let best: number | null = null;
  let surest = -1;
  for (let p = start; p < x.length; p++) {
    if (x[p] !== MASK) continue;
    const g = guessOf(rows[p], spec.suppressEot);
    if (g.id === EOT && g.c > surest) {
      surest = g.c;
      best = p;
    }
  }
  return best;
}
