// Which episodes a data set consists of, and which side of the train/holdout split a world is on. Everything follows from one data set seed.
// Shares: methods/dreamer4.md 11.2, rescaled to what an overworld without the task drills offers.

import { type WorldConfig, worldConfig } from '../config.ts';
import { mix32 } from '../hash.ts';
import type { PlayerId } from '../players/scripted-player.ts';
import type { EpisodeSpec } from './episode.ts';

export const SHARES: Readonly<Record<PlayerId, number>> = {
  builder: 0.3,
  rambler: 0.25,
  miner: 0.2,
  noise: 0.15,
  climber: 0.1,
  // Only where it is asked for by name.
  walker: 0,
};

const STREAM = {
  world: 0x3c6ef372,
  episode: 0xa54ff53a,
  kit: 0x510e527f,
  split: 0x9b05688c,
  evaluation: 0x1f83d9ab,
} as const;

/** World seeds of data sets are even and those of evaluations odd, so that no evaluation can meet a world of any data set. */
export const dataWorldSeed = (datasetSeed: number, i: number) => (mix32(datasetSeed, i, 0, STREAM.world) & ~1) >>> 0;
export const evaluationWorldSeed = (seed: number, i: number) => (mix32(seed, i, 0, STREAM.evaluation) | 1) >>> 0;
export const isEvaluationWorld = (worldSeed: number) => (worldSeed & 1) === 1;

export type Split = 'train' | 'holdout';

/** A tenth of all worlds is held out; the split is a property of the world, so no world is on both sides. */
export function splitOf(worldSeed: number): Split {
  return mix32(worldSeed, 0, 0, STREAM.split) < 0.1 * 2 ** 32 ? 'holdout' : 'train';
}

export interface MixOptions {
  /** The world of all players but the climber, who starts with empty hands. */
  config?: WorldConfig;
  /** Only these players, in their usual proportions. */
  players?: readonly PlayerId[];
}

/**
 * `count` episodes of `stepsPerEpisode` agent steps, each in a world of its own. Any prefix keeps the shares as well as whole episodes can,
 * so "the first hours" of a set are a smaller set of the same kind.
 */
export function standardMix(
  datasetSeed: number,
  count: number,
  stepsPerEpisode: number,
  options: MixOptions = {},
): EpisodeSpec[] {
  const base = options.config ?? worldConfig('meadow');
  const players = options.players ?? (Object.keys(SHARES) as PlayerId[]);
  const total = players.reduce((sum, p) => sum + SHARES[p], 0) || 1;
  const drawn = new Map<PlayerId, number>(players.map((p) => [p, 0]));
  return Array.from({ length: count }, (_, i) => {
    const player = mostOwed(players, drawn, (p) => ((i + 1) * SHARES[p]) / total);
    drawn.set(player, (drawn.get(player) ?? 0) + 1);
    return {
      config:
        player === 'climber' ? { ...base, startKit: [] } : shuffledKit(base, mix32(datasetSeed, i, 0, STREAM.kit)),
      worldSeed: dataWorldSeed(datasetSeed, i),
      episodeSeed: mix32(datasetSeed, i, 0, STREAM.episode),
      player,
      steps: stepsPerEpisode,
    };
  });
}

function mostOwed(
  players: readonly PlayerId[],
  drawn: ReadonlyMap<PlayerId, number>,
  due: (p: PlayerId) => number,
): PlayerId {
  let best = players[0];
  for (const p of players) if (due(p) - (drawn.get(p) ?? 0) > due(best) - (drawn.get(best) ?? 0)) best = p;
  return best;
}

const KIT_VARIANTS = 8;

/** Half of the episodes start with the kit in its own order, the rest with one of seven others: an icon must be read, not its place known. */
function shuffledKit(config: WorldConfig, hash: number): WorldConfig {
  const variant = Math.max(0, (hash % (2 * KIT_VARIANTS - 2)) - KIT_VARIANTS + 2);
  if (variant === 0 || config.startKit.length < 2) return config;
  const kit = [...config.startKit];
  for (let i = kit.length - 1; i > 0; i--) {
    const k = mix32(variant, i, 0, STREAM.kit) % (i + 1);
    [kit[i], kit[k]] = [kit[k], kit[i]];
  }
  return { ...config, startKit: kit };
}
