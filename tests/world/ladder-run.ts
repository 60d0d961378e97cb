/**
 * The climber in worlds of a profile, from empty hands: prints the tick of each milestone up to the stone pickaxe, -1 where it was not
 * reached within the episode. Arguments: profile, number of worlds. Bundled and run by players.test.ts and tests/long/players-ladder.test.ts.
 */
import { type ProfileName, worldConfig } from '../../src/world/config.ts';
import { MILESTONES, milestoneTick } from '../../src/world/events.ts';
import { I } from '../../src/world/items.ts';
import { scriptedPlayer } from '../../src/world/players/scripts.ts';
import { stepAction } from '../../src/world/step.ts';
import { createWorld, release } from '../../src/world/world.ts';

const STONE_PICKAXE = MILESTONES.indexOf(I.stone_pickaxe);

function climb(profile: ProfileName, seed: number): number[] {
  const config = worldConfig(profile, { startKit: [] });
  const s = createWorld(config, seed, { episodeSeed: seed });
  const player = scriptedPlayer('climber', s, seed);
  for (let t = 0; t < config.episodeTicks && milestoneTick(s, STONE_PICKAXE) < 0; t += config.ticksPerStep)
    stepAction(s, player.act(s));
  const ticks = MILESTONES.slice(0, STONE_PICKAXE + 1).map((_, m) => milestoneTick(s, m));
  release(s);
  return ticks;
}

const [profile, worlds] = process.argv.slice(2);
console.log(JSON.stringify(Array.from({ length: Number(worlds) }, (_, i) => climb(profile as ProfileName, 1000 + i))));
