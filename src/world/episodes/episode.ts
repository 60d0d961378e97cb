// What an episode is: enough to replay it bit for bit, and nothing that can be derived (frames, states, the split).
// Recording is in record.ts, replaying in replay.ts, the file in d4d.ts.

import type { WorldConfig } from '../config.ts';
import type { WorldEvent } from '../events.ts';

/** Four unsigned integers; what `a` and `b` are depends on `type` (world/events.ts). */
export type EpisodeEvent = WorldEvent;

export interface EpisodeSpec {
  config: WorldConfig;
  worldSeed: number;
  episodeSeed: number;
  player: string;
  /** Agent steps; each is `config.ticksPerStep` game ticks of 50 ms. */
  steps: number;
}

export interface Episode {
  config: WorldConfig;
  /** u32 */
  worldSeed: number;
  /** u32 */
  episodeSeed: number;
  player: string;
  /** One u32 action per agent step (methods/world.md section 6). */
  actions: Uint32Array;
  events: EpisodeEvent[];
  /** Pairs of u32: the state hash after every HASH_TICKS game ticks and, last, after the whole episode. */
  hashes: Uint32Array;
}

export const HASH_TICKS = 100;

/** How many (lo, hi) pairs `hashes` holds for an episode of `ticks` game ticks. */
export function hashCount(ticks: number): number {
  return Math.floor(ticks / HASH_TICKS) + (ticks % HASH_TICKS === 0 ? 0 : 1);
}
