// Replaying an episode: the same world, the same actions, step by step, with the recorded hashes as witnesses.

import type { State } from '../state.ts';
import { H } from '../state-layout.ts';
import { stepAction } from '../step.ts';
import { createWorld, hash, release } from '../world.ts';
import { type Episode, HASH_TICKS } from './episode.ts';

/** `message` names the first tick at which the replay is known to differ. */
export class ReplayMismatch extends Error {
  readonly tick: number;

  constructor(tick: number) {
    super(`replay differs from the recording at tick ${tick} (or up to ${HASH_TICKS} ticks before)`);
    this.name = 'ReplayMismatch';
    this.tick = tick;
  }
}

export class Replay {
  readonly episode: Episode;
  /** The world as it is before the next action. */
  readonly state: State;
  /** Agent steps done. */
  step = 0;
  private checked = 0;

  constructor(episode: Episode) {
    this.episode = episode;
    this.state = createWorld(episode.config, episode.worldSeed, { episodeSeed: episode.episodeSeed });
  }

  get done(): boolean {
    return this.step >= this.episode.actions.length;
  }

  /** Plays the next action and returns it; -1 at the end. Throws ReplayMismatch when a recorded hash is not met. */
  next(): number {
    if (this.done) return -1;
    const { state, episode } = this;
    const action = episode.actions[this.step++];
    const before = state.i32[H.tick];
    stepAction(state, action);
    const now = state.i32[H.tick];
    if (Math.floor(now / HASH_TICKS) > Math.floor(before / HASH_TICKS)) this.check(now);
    if (this.done && now % HASH_TICKS !== 0) this.check(now);
    return action;
  }

  /** Plays on until `step` actions are done. */
  seek(step: number): void {
    while (this.step < step && !this.done) this.next();
  }

  release(): void {
    release(this.state);
  }

  private check(tick: number): void {
    const [lo, hi] = hash(this.state);
    const at = 2 * this.checked++;
    if (this.episode.hashes[at] !== lo || this.episode.hashes[at + 1] !== hi) throw new ReplayMismatch(tick);
  }
}
