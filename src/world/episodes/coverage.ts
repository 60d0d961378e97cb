// What a set of episodes exercises: how often each input is used and how much happens, from actions, events and a replay. A world model can
// only learn what these numbers show to be there.

import { actionCamera, actionKeys, CAMERA_NULL, hotbarOf, KEY } from '../actions.ts';
import { EVENT } from '../events.ts';
import { player } from '../state.ts';
import { P } from '../state-layout.ts';
import type { Episode } from './episode.ts';
import { Replay } from './replay.ts';

export interface Coverage {
  episodes: number;
  steps: number;
  minutes: number;
  /** Shares of steps. */
  mouse: number;
  forward: number;
  moving: number;
  jump: number;
  sprint: number;
  sneak: number;
  attack: number;
  use: number;
  hotbar: number;
  gui: number;
  inWater: number;
  /** Per minute of play. */
  broken: number;
  placed: number;
  picked: number;
  crafted: number;
  slotChanges: number;
  metres: number;
  /** Different cells of the ground that were stood on, per minute: low when players run in circles. */
  cells: number;
}

/** Replays every episode, so it throws ReplayMismatch on one that does not replay. `seen` is called with each finished step. */
export function coverage(episodes: readonly Episode[], seen?: (replay: Replay) => void): Coverage {
  const n = {
    mouse: 0,
    forward: 0,
    moving: 0,
    jump: 0,
    sprint: 0,
    sneak: 0,
    attack: 0,
    use: 0,
    hotbar: 0,
    gui: 0,
    inWater: 0,
  };
  const events = new Map<number, number>();
  let steps = 0;
  let ticks = 0;
  let metres = 0;
  let cells = 0;
  for (const episode of episodes) {
    const replay = new Replay(episode);
    const { state } = replay;
    const visited = new Set<number>();
    for (const e of episode.events) events.set(e.type, (events.get(e.type) ?? 0) + 1);
    while (!replay.done) {
      const x = player(state, P.x);
      const z = player(state, P.z);
      const action = replay.next();
      const keys = actionKeys(action);
      const walked = Math.hypot(player(state, P.x) - x, player(state, P.z) - z) / 65536;
      if (actionCamera(action) !== CAMERA_NULL) n.mouse++;
      if (keys & KEY.forward) n.forward++;
      if (walked > 0.05) n.moving++;
      if (keys & KEY.jump) n.jump++;
      if (keys & KEY.sprint) n.sprint++;
      if (keys & KEY.sneak) n.sneak++;
      if (keys & KEY.attack) n.attack++;
      if (keys & KEY.use) n.use++;
      if (hotbarOf(action) >= 0) n.hotbar++;
      if (player(state, P.guiKind) !== 0) n.gui++;
      if (player(state, P.inWater) !== 0) n.inWater++;
      metres += walked;
      visited.add(((player(state, P.x) >> 16) << 8) | (player(state, P.z) >> 16));
      steps++;
      seen?.(replay);
    }
    ticks += episode.actions.length * episode.config.ticksPerStep;
    cells += visited.size;
    replay.release();
  }
  const share = (k: keyof typeof n) => (steps === 0 ? 0 : n[k] / steps);
  const minutes = ticks / 1200;
  const perMinute = (v: number) => (minutes === 0 ? 0 : v / minutes);
  const rate = (type: number) => perMinute(events.get(type) ?? 0);
  return {
    episodes: episodes.length,
    steps,
    minutes,
    mouse: share('mouse'),
    forward: share('forward'),
    moving: share('moving'),
    jump: share('jump'),
    sprint: share('sprint'),
    sneak: share('sneak'),
    attack: share('attack'),
    use: share('use'),
    hotbar: share('hotbar'),
    gui: share('gui'),
    inWater: share('inWater'),
    broken: rate(EVENT.mined),
    placed: rate(EVENT.placed),
    picked: rate(EVENT.picked),
    crafted: rate(EVENT.crafted),
    slotChanges: rate(EVENT.selected),
    metres: perMinute(metres),
    cells: perMinute(cells),
  };
}
