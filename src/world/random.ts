/**
 * Random numbers of a running world: a hash of seeds, tick, stream and index. No state, so forks and the order of draws never interfere.
 */
import { mix32 } from './hash.ts';
import type { State } from './state.ts';
import { H } from './state-layout.ts';

export const STREAM = { dropX: 1, dropZ: 2, dropRoll: 3, thrown: 4 } as const;

/** u32 for (seeds, tick, stream, i). */
export const rnd = (s: State, stream: number, i: number) =>
  mix32(s.i32[H.tick], stream, i, mix32(s.i32[H.worldSeed], s.i32[H.episodeSeed], 0x6a09, 0xe667));

/** Integer in 0..n-1. */
export const rndBelow = (s: State, stream: number, i: number, n: number) =>
  Math.floor((rnd(s, stream, i) * n) / 4294967296);
