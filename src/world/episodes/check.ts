// Checks on recorded episodes: they replay to their hashes, a fork in the middle reaches the same end, and no item comes from nowhere.

import type { State } from '../state.ts';
import { E, ENT, ENT_MAX, ENT_WORDS, ENTITY } from '../state-layout.ts';
import { stepAction } from '../step.ts';
import { fork, hash, release } from '../world.ts';
import { balance, balanced, stock } from './balance.ts';
import type { Episode } from './episode.ts';
import { Replay } from './replay.ts';

/** Life of an item drop in ticks. */
const DROP_LIFE = 6000;

export interface Checks {
  episodes: number;
  hashes: number;
  forks: number;
  /** Episodes whose items were balanced (those with a furnace are not), and the items in them at the end. */
  balanced: number;
  items: number;
}

/** Throws an error that names the episode and what is wrong with it. `done` is told about progress. */
export function checkEpisodes(episodes: readonly Episode[], done?: (episode: number) => void): Checks {
  const sum: Checks = { episodes: 0, hashes: 0, forks: 0, balanced: 0, items: 0 };
  episodes.forEach((episode, i) => {
    try {
      checkEpisode(episode, sum);
    } catch (error) {
      throw new Error(`episode ${i} (${episode.player}): ${error instanceof Error ? error.message : error}`);
    }
    done?.(i);
  });
  return sum;
}

function checkEpisode(episode: Episode, sum: Checks): void {
  const replay = new Replay(episode);
  const half = episode.actions.length >> 1;
  const before = stock(replay.state);
  let crowded = false;
  let branch: State | undefined;
  while (!replay.done) {
    if (replay.step === half) branch = fork(replay.state);
    replay.next();
    crowded ||= drops(replay.state) === ENT_MAX;
  }
  const [lo, hi] = hash(replay.state);
  if (branch) {
    for (let i = half; i < episode.actions.length; i++) stepAction(branch, episode.actions[i]);
    const [forkLo, forkHi] = hash(branch);
    release(branch);
    if (forkLo !== lo || forkHi !== hi) throw new Error('a fork in the middle ends in another state');
    sum.forks++;
  }
  if (balanced(episode.events)) {
    const ticks = episode.actions.length * episode.config.ticksPerStep;
    const { items, wrong } = balance(before, stock(replay.state), episode.events, crowded || ticks > DROP_LIFE);
    if (wrong.length > 0)
      throw new Error(
        `items do not add up: ${wrong.map((w) => `${w.item} ${w.difference > 0 ? '+' : ''}${w.difference}`).join(', ')}`,
      );
    sum.balanced++;
    sum.items += items;
  }
  sum.episodes++;
  sum.hashes += episode.hashes.length / 2;
  replay.release();
}

function drops(s: State): number {
  let n = 0;
  for (let i = 0; i < ENT_MAX; i++) if (s.i32[ENT + i * ENT_WORDS + E.type] === ENTITY.item) n++;
  return n;
}
