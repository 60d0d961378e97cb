/**
 * No player acts on what it has not seen (methods/world.md 13.9). Eight logs: each is played once, then again in a world where every cell
 * that stayed unseen to the end is another block (stone, or air where stone was; in every second log diamond ore); prints for each the
 * number of changed cells and the first step whose action differs, -1 for none. Cells beside a seen one stay as they are: a falling
 * drop or flowing water may touch those. Bundled and run by players.test.ts.
 */
import { B } from '../../src/world/blocks.ts';
import { PROFILES, worldConfig } from '../../src/world/config.ts';
import { PLAYER_IDS, type PlayerId, type ScriptedPlayer } from '../../src/world/players/scripted-player.ts';
import { scriptedPlayer } from '../../src/world/players/scripts.ts';
import { blockAt, type State, WORLD_HEIGHT, writeBlock } from '../../src/world/state.ts';
import { stepAction } from '../../src/world/step.ts';
import { createWorld, release } from '../../src/world/world.ts';

const STEPS = 500;
const MARGIN = 1;
const UNSEEN = -1;
const LOGS: readonly PlayerId[] = [...PLAYER_IDS, 'miner', 'climber'];

function start(id: PlayerId, log: number): { s: State; player: ScriptedPlayer } {
  const kit = id === 'climber' ? { startKit: [] } : {};
  const s = createWorld(worldConfig('meadow', { dims: PROFILES.ci.dims, ...kit }), 31 + log, { episodeSeed: 2 });
  return { s, player: scriptedPlayer(id, s, 5 + log) };
}

/** 1 for every cell that is seen or lies within MARGIN of one, x fastest, then z, then y. */
function nearSeen(s: State, player: ScriptedPlayer): Uint8Array {
  const { sizeX, sizeZ } = s;
  let near = new Uint8Array(sizeX * sizeZ * WORLD_HEIGHT);
  for (let i = 0; i < near.length; i++) {
    const [x, z, y] = [i % sizeX, Math.floor(i / sizeX) % sizeZ, Math.floor(i / (sizeX * sizeZ))];
    near[i] = player.body.sight.at(x, y, z) === UNSEEN ? 0 : 1;
  }
  // A cube's dilation is three lines' dilations, one after the other.
  for (const [stride, size] of [
    [1, sizeX],
    [sizeX, sizeZ],
    [sizeX * sizeZ, WORLD_HEIGHT],
  ]) {
    const grown = near.slice();
    for (let i = 0; i < near.length; i++) {
      if (!near[i]) continue;
      const at = Math.floor(i / stride) % size;
      for (let d = -MARGIN; d <= MARGIN; d++) if (at + d >= 0 && at + d < size) grown[i + d * stride] = 1;
    }
    near = grown;
  }
  return near;
}

function compare(id: PlayerId, log: number): { id: PlayerId; changed: number; differs: number } {
  const first = start(id, log);
  const actions = Array.from({ length: STEPS }, () => {
    const action = first.player.act(first.s);
    stepAction(first.s, action);
    return action;
  });
  const near = nearSeen(first.s, first.player);
  const second = start(id, log);
  const { sizeX, sizeZ } = second.s;
  let changed = 0;
  near.forEach((seen, i) => {
    if (seen) return;
    const [x, z, y] = [i % sizeX, Math.floor(i / sizeX) % sizeZ, Math.floor(i / (sizeX * sizeZ))];
    const before = blockAt(second.s, x, y, z);
    writeBlock(second.s, x, y, z, log % 2 ? B.diamond_ore : before === B.stone ? B.air : B.stone);
    changed++;
  });
  const differs = actions.findIndex((action) => {
    const now = second.player.act(second.s);
    stepAction(second.s, action);
    return now !== action;
  });
  for (const { s } of [first, second]) release(s);
  return { id, changed, differs };
}

console.log(JSON.stringify(LOGS.map(compare)));
