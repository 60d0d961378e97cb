/**
 * What the card of a shipped model says beyond its configuration and its metrics: the world that it knows, the episodes
 * that it learned from, and which bars of dream quality its figures hold. Facts only; `lab ship` writes them.
 */
import type { WorldConfig } from '../../world/config.ts';
import type { DreamerConfig } from './config.ts';
import { trainingSpecs, worldOf } from './dataset.ts';

const WORLD_FACTS = [
  'profile',
  'biomes',
  'relief',
  'autoStep',
  'ponds',
  'breakNum',
  'breakDen',
  'treeDensity',
  'outcrops',
  'caves',
  'dayCycle',
  'survival',
  'startKit',
] as const satisfies readonly (keyof WorldConfig)[];

/** Fields of the world (`src/world/config.ts`) in which training, evaluation and play take place. */
export function worldFacts(c: DreamerConfig): Pick<WorldConfig, (typeof WORLD_FACTS)[number]> {
  const world = worldOf(c);
  return Object.fromEntries(WORLD_FACTS.map((key) => [key, world[key]])) as ReturnType<typeof worldFacts>;
}

/** What the configuration draws from a data seed; a run that began from other weights says itself what they had seen. */
export interface TrainingData {
  /** Episodes by scripted player. */
  players: Record<string, number>;
  frames: number;
  /** Of play, at the rung's own rate. */
  hours: number;
}

export function trainingData(c: DreamerConfig, seed: number): TrainingData {
  const players: Record<string, number> = {};
  let frames = 0;
  for (const { player, steps } of trainingSpecs(c, seed)) {
    players[player] = (players[player] ?? 0) + 1;
    // One frame a step, and the one before the first.
    frames += steps + 1;
  }
  return { players, frames, hours: Number((frames / c.hz / 3600).toFixed(2)) };
}

const SIGNS = {
  '>=': (value: number, limit: number) => value >= limit,
  '>': (value: number, limit: number) => value > limit,
  '<=': (value: number, limit: number) => value <= limit,
  '<': (value: number, limit: number) => value < limit,
} as const;

/** PSNR in dB on held-out worlds that a tokenizer should reach before a dynamics learns on it (dreamer4 section 13). */
export const tokenizerGate = (c: DreamerConfig): number => (c.renderer === 'topdown' ? 28 : 24);

type Limits = readonly [metric: string, ...limits: (readonly [keyof typeof SIGNS, number])[]];

/**
 * Metric, and what it must be for a model of `hz` frames a second: dream quality on worlds that no training episode used (gains
 * are over copying, in dB), and the cost of a frame on the adapter of the evaluation, which does not grow with the dream.
 */
const barsOf = (hz: number): readonly Limits[] => [
  ['tokenizerPsnr', ['>=', 26]],
  ['gain1', ['>=', 1.5]],
  ['gain4', ['>=', 1.5]],
  ['gain16', ['>=', 1]],
  ['gain1Low', ['>', 0]],
  ['gain4Low', ['>', 0]],
  ['gain16Low', ['>', 0]],
  ['shuffleRatio16', ['>=', 1.3]],
  ['motionRatio', ['>=', 0.7], ['<=', 1.3]],
  ['driftMean200', ['<', 0.1]],
  ['driftStd200', ['<', 0.1]],
  ['msGrowth', ['<=', 1.1]],
  ['framesPerSecond', ['>=', hz]],
];

export interface Bar {
  /** null: not measured, which holds nothing. */
  value: number | null;
  bar: string;
  holds: boolean;
}

/** The bars of a model of `hz` frames a second beside what an evaluation measured. */
export function bars(metrics: Readonly<Record<string, number>>, hz: number): Record<string, Bar> {
  return Object.fromEntries(
    barsOf(hz).map(([metric, ...limits]) => {
      const value = metrics[metric] ?? null;
      const holds = value !== null && limits.every(([sign, limit]) => SIGNS[sign](value, limit));
      return [metric, { value, bar: limits.map((limit) => limit.join(' ')).join(', '), holds }];
    }),
  );
}

export const missed = (found: Readonly<Record<string, Bar>>): string[] =>
  Object.keys(found).filter((metric) => !found[metric].holds);
