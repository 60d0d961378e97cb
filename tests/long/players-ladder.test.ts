// The climber on sixteen worlds each of `mini` (day and night, caves, survival) and of the meadow: to the stone pickaxe within the profile's
// episode limit on at least nine of ten.
import { expect, it } from 'vitest';
import { type ProfileName, worldConfig } from '../../src/world/config.ts';
import { MILESTONES, milestoneTick } from '../../src/world/events.ts';
import { I } from '../../src/world/items.ts';
import { ScriptedPlayer } from '../../src/world/players/scripted-player.ts';
import { stepAction } from '../../src/world/step.ts';
import { createWorld, release } from '../../src/world/world.ts';

const STONE_PICKAXE = MILESTONES.indexOf(I.stone_pickaxe);
const SEEDS = 16;

/** Tick at which the climber first held the stone pickaxe, or -1. */
function climb(profile: ProfileName, seed: number): number {
  const config = worldConfig(profile, { startKit: [] });
  const s = createWorld(config, seed, { episodeSeed: seed });
  const player = new ScriptedPlayer('climber', s, seed);
  for (let t = 0; t < config.episodeTicks && milestoneTick(s, STONE_PICKAXE) < 0; t += config.ticksPerStep) {
    stepAction(s, player.act(s));
  }
  const tick = milestoneTick(s, STONE_PICKAXE);
  release(s);
  return tick;
}

it.each(['mini', 'meadow'] as const)(
  'the climber reaches the stone pickaxe in %s',
  (profile) => {
    const ticks = Array.from({ length: SEEDS }, (_, i) => climb(profile, 1000 + i));
    const done = ticks.filter((t) => t >= 0).sort((a, b) => a - b);
    console.log(
      `${profile}: ${done.length}/${SEEDS}, median ${done[done.length >> 1]} ticks, slowest ${done[done.length - 1]}`,
    );
    expect(done.length).toBeGreaterThanOrEqual(Math.ceil(0.9 * SEEDS));
  },
  300_000,
);
