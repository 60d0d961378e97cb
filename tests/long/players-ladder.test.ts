// The climber in 64 worlds of each profile, from empty hands to the stone pickaxe: within 6000 ticks on at least 95 % in `mini` (day and
// night, caves, survival) and in the meadow; in `ci`, whose episodes end after 2400, on at least 85 %.
import { expect, it } from 'vitest';
import { runBundled } from '../world/bundled.ts';

it.each([
  ['mini', 0.95],
  ['meadow', 0.95],
  ['ci', 0.85],
] as const)(
  'the climber reaches the stone pickaxe in %s',
  async (profile, share) => {
    const climbs = await runBundled<number[][]>('./ladder-run.ts', profile, '64');
    const ticks = climbs.map((c) => c[c.length - 1]);
    const done = ticks.filter((t) => t >= 0 && t <= 6000).sort((a, b) => a - b);
    console.log(
      `${profile}: ${done.length}/64, median ${done[done.length >> 1]} ticks, slowest ${done[done.length - 1]}`,
    );
    expect(ticks.length).toBe(64);
    expect(done.length).toBeGreaterThanOrEqual(Math.ceil(share * 64));
  },
  300_000,
);
