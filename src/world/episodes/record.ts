// Recording: every action that a world is stepped with, the events it causes, and the hashes that a replay must meet.
// The same recorder serves scripted players, people at the keyboard and dreams that are checked against the truth.

import { eventCount, eventsSince } from '../events.ts';
import { mix32 } from '../hash.ts';
import { isPlayerId, PLAYER_IDS } from '../players/scripted-player.ts';
import { scriptedPlayer } from '../players/scripts.ts';
import type { State } from '../state.ts';
import { H } from '../state-layout.ts';
import { stepAction } from '../step.ts';
import { createWorld, hash, release } from '../world.ts';
import { type Episode, type EpisodeEvent, type EpisodeSpec, HASH_TICKS } from './episode.ts';

/** Attach it to a state at tick 0 and call `step` instead of the simulator's. */
export class EpisodeRecorder {
  private readonly state: State;
  private readonly about: Omit<EpisodeSpec, 'steps'>;
  private readonly actions: number[] = [];
  private readonly events: EpisodeEvent[] = [];
  private readonly hashes: number[] = [];

  constructor(s: State, about: Omit<EpisodeSpec, 'steps'>) {
    if (s.i32[H.tick] !== 0) throw new Error(`an episode begins at tick 0, not ${s.i32[H.tick]}`);
    this.state = s;
    this.about = about;
  }

  step(action: number): void {
    const s = this.state;
    const before = s.i32[H.tick];
    const seen = eventCount(s);
    stepAction(s, action);
    this.actions.push(action >>> 0);
    this.events.push(...eventsSince(s, seen));
    if (Math.floor(s.i32[H.tick] / HASH_TICKS) > Math.floor(before / HASH_TICKS)) this.hashes.push(...hash(s));
  }

  finish(): Episode {
    const { config, worldSeed, episodeSeed, player } = this.about;
    const last = this.state.i32[H.tick] % HASH_TICKS === 0 ? [] : hash(this.state);
    return {
      config,
      worldSeed: worldSeed >>> 0,
      episodeSeed: episodeSeed >>> 0,
      player,
      actions: Uint32Array.from(this.actions),
      events: [...this.events],
      hashes: Uint32Array.from([...this.hashes, ...last]),
    };
  }
}

/** Seed of a player's own draws: apart from the simulator's streams, different for every episode. */
const playerSeed = (spec: EpisodeSpec) => mix32(spec.worldSeed, spec.episodeSeed, 0, 0x6a09e667);

/** Lets a scripted player play an episode in a fresh world. Throws on a name that no player has. */
export function recordEpisode(spec: EpisodeSpec): Episode {
  if (!isPlayerId(spec.player)) throw new Error(`unknown player "${spec.player}"; known: ${PLAYER_IDS.join(', ')}`);
  const s = createWorld(spec.config, spec.worldSeed, { episodeSeed: spec.episodeSeed });
  const player = scriptedPlayer(spec.player, s, playerSeed(spec));
  const recorder = new EpisodeRecorder(s, spec);
  for (let i = 0; i < spec.steps; i++) recorder.step(player.act(s));
  release(s);
  return recorder.finish();
}
