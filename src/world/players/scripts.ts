// The scripts of all players by name.

import type { State } from '../state.ts';
import { builder } from './builder.ts';
import { climber } from './climber.ts';
import { miner } from './miner.ts';
import { noise } from './noise.ts';
import { rambler } from './rambler.ts';
import { type PlayerId, type Script, ScriptedPlayer } from './scripted-player.ts';
import { walker } from './walker.ts';

const SCRIPTS: Readonly<Record<PlayerId, Script>> = { rambler, builder, miner, climber, noise, walker };

export const scriptedPlayer = (id: PlayerId, s: State, seed: number): ScriptedPlayer =>
  new ScriptedPlayer(id, SCRIPTS[id], s, seed);
