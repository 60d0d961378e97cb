// The habits of one player: how fast the hand is, how steady, how patient. Drawn once per episode; all figures are our own choice
// (methods/world.md 8.1 gives the ranges). Times are in agent steps of 0.1 s, angles in 1/65536 turn.

import type { Draws } from './draws.ts';

export interface Persona {
  name: 'novice' | 'normal' | 'expert' | 'wanderer';
  /** Share of the remaining angle turned per step. */
  gain: number;
  /** Fastest turn of the head per step. */
  swift: number;
  /** Scale of the aiming noise, 1 = 8 % of the turn plus 0.2 degrees. */
  noise: number;
  /** Steps of hesitation before a new sub-goal. */
  reaction: readonly [number, number];
  /** Chance per step of a pause of 5..25 steps. */
  pause: number;
  /** Chance per step of a glance to the side. */
  glance: number;
  /** Chance that a stretch of walking is sprinted. */
  sprint: number;
  /** Chance per sub-goal of a slip: wrong hotbar key, misplaced block, early release. */
  slip: number;
  /** Where the eyes rest while walking: pitch, positive looks down. */
  restPitch: number;
}

const KINDS: readonly [Persona['name'], number][] = [
  ['novice', 0.3],
  ['normal', 0.4],
  ['expert', 0.15],
  ['wanderer', 0.15],
];

export function drawPersona(draws: Draws): Persona {
  const name = KINDS[draws.weighted(KINDS.map(([, w]) => w))][0];
  const skill = { novice: 0, normal: 0.5, expert: 1, wanderer: 0.5 }[name];
  return {
    name,
    gain: 0.35 + 0.2 * skill + draws.between(0, 0.15),
    swift: (draws.between(3.5, 7.5) + 3 * skill) * (65536 / 360),
    noise: 1.4 - 0.8 * skill,
    reaction: name === 'novice' ? [2, 4] : name === 'expert' ? [0, 2] : [1, 3],
    pause: name === 'wanderer' ? 1 / 200 : 1 / 400,
    glance: name === 'wanderer' ? 0.05 : 0.02,
    sprint: draws.between(0.1, 0.6),
    slip: 0.06 - 0.04 * skill,
    restPitch: Math.round(draws.between(500, 3800)),
  };
}
