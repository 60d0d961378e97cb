// A scripted player as one object: give it the state, get the action of this agent step. It sees the state only through its body's eyes and
// hands back nothing but u32 actions, so a recording of it is like a recording of a person.

import type { State } from '../state.ts';
import { Body, type Skill } from './body.ts';
import { builder } from './builder.ts';
import { Draws } from './draws.ts';
import { miner } from './miner.ts';
import { Interference } from './noise.ts';
import { drawPersona } from './persona.ts';
import { rambler } from './rambler.ts';

export const PLAYER_IDS = ['rambler', 'builder', 'miner', 'climber', 'noise', 'walker'] as const;
export type PlayerId = (typeof PLAYER_IDS)[number];
export const isPlayerId = (id: string): id is PlayerId => (PLAYER_IDS as readonly string[]).includes(id);

/** What a player does, as a generator of actions over their body. */
export type Script = (body: Body) => Skill;

/** Scripts that the noise player also interrupts, rather than always pressing keys at random. */
const INTERRUPTED: readonly Script[] = [rambler, builder, miner];

export class ScriptedPlayer {
  readonly id: PlayerId;
  readonly body: Body;
  private readonly script: Skill;
  private readonly interference: Interference;
  /** A small skill that runs before the script goes on. */
  private aside: Skill | null = null;

  /** `own`: the script of that name (`scripts.ts`); whoever needs a few of them loads no others. */
  constructor(id: PlayerId, own: Script, s: State, seed: number) {
    const draws = new Draws(seed, PLAYER_IDS.indexOf(id) + 1);
    this.id = id;
    this.body = new Body(s, draws, drawPersona(draws));
    let script = own;
    // The climber has somewhere to be; the others sometimes slip into a few random steps.
    let epsilon = id === 'climber' ? 0.005 : draws.chance(0.25) ? 0.05 : 0.01;
    if (id === 'noise') {
      epsilon = 0;
      if (draws.chance(0.5)) {
        script = draws.pick(INTERRUPTED);
        epsilon = draws.between(0.05, 0.3);
      }
    }
    this.script = script(this.body);
    this.interference = new Interference(draws, epsilon);
  }

  /** The action for this step; call it once per agent step with the state as it is now. */
  act(s: State): number {
    const { body } = this;
    body.sense(s);
    const random = body.gui === 0 ? this.interference.next(body.pitch, body.inWater) : -1;
    if (random >= 0) return random;
    if (!this.aside) this.aside = this.interruption();
    if (this.aside) {
      const next = this.aside.next();
      if (!next.done) return next.value;
      this.aside = null;
    }
    const next = this.script.next();
    return next.done ? body.act(0) : next.value;
  }

  private interruption(): Skill | null {
    const { body } = this;
    // A screen nobody asked for: a table or furnace was in the way of the use key.
    if (body.gui !== 0) return body.wantsGui ? null : body.closeGui();
    if (this.id === 'noise') return null;
    if (body.draws.chance(body.persona.pause)) return body.wait(body.draws.int(5, 25));
    if (body.draws.chance(body.persona.glance)) body.glance();
    return null;
  }
}
