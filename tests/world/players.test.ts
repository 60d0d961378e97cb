// Scripted players: their hands, their eyes, their skills, and that they know nothing they have not seen.
import { describe, expect, it } from 'vitest';
import { actionCamera, CAMERA_NULL, canonicalise, KEY } from '../../src/world/actions.ts';
import { B } from '../../src/world/blocks.ts';
import { PROFILES, worldConfig } from '../../src/world/config.ts';
import { I } from '../../src/world/items.ts';
import { Body, DEGREE, type Skill, turnBetween } from '../../src/world/players/body.ts';
import { atBlock, craftInStrip, inInventory } from '../../src/world/players/craft.ts';
import { breakHere, collect, fetchBlock } from '../../src/world/players/dig.ts';
import { Draws } from '../../src/world/players/draws.ts';
import { Interference, RandomHands } from '../../src/world/players/noise.ts';
import { drawPersona } from '../../src/world/players/persona.ts';
import { placeHere } from '../../src/world/players/place.ts';
import { PLAYER_IDS, type PlayerId } from '../../src/world/players/scripted-player.ts';
import { scriptedPlayer } from '../../src/world/players/scripts.ts';
import { digStair } from '../../src/world/players/tunnel.ts';
import { near, walkTo } from '../../src/world/players/walk.ts';
import { blockAt, player, type State, writeBlock } from '../../src/world/state.ts';
import { GUI, P } from '../../src/world/state-layout.ts';
import { stepAction } from '../../src/world/step.ts';
import { createWorld } from '../../src/world/world.ts';
import { FLOOR, flat, give, relightAll } from './arena.ts';
import { runBundled } from './bundled.ts';

const GROUND = FLOOR + 1;
/** Hands quick enough to look where a stair goes before giving up on it. */
const QUICK = 2;
/** The meadow in the size of the ci worlds, with the kit or without. */
const meadow = (id: PlayerId) =>
  worldConfig('meadow', { dims: PROFILES.ci.dims, ...(id === 'climber' ? { startKit: [] } : {}) });

function bodyIn(s: State, seed = 1): Body {
  const draws = new Draws(seed, 99);
  return new Body(s, draws, { ...drawPersona(draws), slip: 0, pause: 0, glance: 0 });
}

/** Looks round once so that the body knows its surroundings; the slowest hands turn a few degrees a step. */
function settle(b: Body): void {
  for (let i = 0; i < 90; i++) {
    b.sense(b.state);
    b.aim(b.yaw + 16 * DEGREE, (i % 2 === 0 ? 15 : 45) * DEGREE);
    stepAction(b.state, b.act(0));
  }
}

/** Runs a skill to its end; returns what it says and the actions it took. */
function run(b: Body, skill: Skill, limit = 400): { done: boolean; actions: number[] } {
  const actions: number[] = [];
  for (let i = 0; i < limit; i++) {
    b.sense(b.state);
    const next = skill.next();
    if (next.done) return { done: next.value, actions };
    actions.push(next.value);
    stepAction(b.state, next.value);
  }
  throw new Error(`skill still running after ${limit} steps`);
}

describe('draws', () => {
  it('are reproducible and uniform enough', () => {
    const a = new Draws(1, 2);
    const b = new Draws(1, 2);
    const values = Array.from({ length: 4000 }, () => a.unit());
    expect(values.slice(0, 50)).toEqual(Array.from({ length: 50 }, () => b.unit()));
    const mean = values.reduce((x, y) => x + y, 0) / values.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 / Math.sqrt(12 * 4000));
    const normals = Array.from({ length: 4000 }, () => a.normal());
    const variance = normals.reduce((x, y) => x + y * y, 0) / normals.length;
    expect(variance).toBeGreaterThan(0.9);
    expect(variance).toBeLessThan(1.1);
    const counts = [0, 0, 0];
    for (let i = 0; i < 3000; i++) counts[a.weighted([1, 0, 3])]++;
    expect(counts[1]).toBe(0);
    expect(counts[2] / counts[0]).toBeGreaterThan(2.4);
    expect(counts[2] / counts[0]).toBeLessThan(3.8);
    for (let i = 0; i < 200; i++) expect([3, 4, 5]).toContain(a.int(3, 5));
  });
});

describe('the hand', () => {
  it('measures turns the short way round', () => {
    expect(turnBetween(0, 65535)).toBe(-1);
    expect(turnBetween(65535, 0)).toBe(1);
    expect(turnBetween(100, 100)).toBe(0);
    expect(turnBetween(0, 40000)).toBe(40000 - 65536);
  });

  it.each([1, 2, 3, 4, 5, 6])('reaches an aim and then lies still (hand %i)', (seed) => {
    const b = bodyIn(flat(), seed);
    for (const [yaw, pitch] of [
      [90, 30],
      [-170, -40],
      [5, 80],
    ]) {
      let still = 0;
      for (let i = 0; i < 60 && still < 3; i++) {
        b.sense(b.state);
        b.aim(yaw * DEGREE, pitch * DEGREE);
        const a = b.act(0);
        still = actionCamera(a) === CAMERA_NULL ? still + 1 : 0;
        stepAction(b.state, a);
      }
      expect(still).toBe(3);
      expect(b.aimError()).toBeLessThan(1.6 * DEGREE);
    }
  });

  it('is faster in some than in others', () => {
    const swift = Array.from({ length: 30 }, (_, i) => drawPersona(new Draws(i, 1)).swift / DEGREE);
    expect(Math.min(...swift)).toBeLessThan(5);
    expect(Math.max(...swift)).toBeGreaterThan(8);
  });
});

describe('the eyes', () => {
  it('see the front of a wall and not what is behind it', () => {
    const s = flat();
    for (let y = GROUND; y < GROUND + 5; y++) {
      for (let x = 26; x <= 38; x++) writeBlock(s, x, y, 36, B.stone);
    }
    writeBlock(s, 32, GROUND + 1, 36, B.iron_ore);
    writeBlock(s, 32, GROUND + 1, 38, B.diamond_ore);
    relightAll(s);
    const b = bodyIn(s);
    for (let i = 0; i < 200; i++) b.sense(s);
    expect(b.sight.remembered('iron')).toEqual([{ x: 32, y: GROUND + 1, z: 36 }]);
    expect(b.sight.remembered('diamond')).toEqual([]);
    expect(b.sight.at(32, GROUND + 1, 38)).toBe(-1);
    expect(b.sight.at(32, GROUND + 1, 36)).toBe(B.iron_ore);
  });

  it('forget a block that is gone, and tell it from the ones that stay', () => {
    const s = flat();
    for (const x of [30, 34]) writeBlock(s, x, GROUND, 36, B.log);
    const b = bodyIn(s);
    for (let i = 0; i < 100; i++) b.sense(s);
    expect(b.sight.remembered('log')).toHaveLength(2);
    writeBlock(s, 30, GROUND, 36, B.air);
    expect(b.sight.remembered('log')).toEqual([{ x: 34, y: GROUND, z: 36 }]);
  });

  it('of eight players in eight worlds know nothing else: other blocks where none ever looked change no action', async () => {
    const logs = await runBundled<{ id: string; changed: number; differs: number }[]>('./sight-run.ts');
    expect(logs.length).toBe(8);
    for (const log of logs) {
      expect(log.changed, log.id).toBeGreaterThan(100_000);
      expect(log.differs, log.id).toBe(-1);
    }
  });
});

describe('skills', () => {
  it('walk round a wall to a place', () => {
    const s = flat();
    for (let x = 28; x <= 36; x++) for (let y = GROUND; y < GROUND + 3; y++) writeBlock(s, x, y, 36, B.stone);
    relightAll(s);
    const b = bodyIn(s);
    settle(b);
    // The floor behind the wall has not been seen: only from its end can a way be planned.
    expect(run(b, walkTo(b, near({ x: 32, y: GROUND, z: 40 }, 1.2))).done).toBe(false);
    expect(run(b, walkTo(b, near({ x: 25, y: GROUND, z: 38 }, 1))).done).toBe(true);
    settle(b);
    expect(run(b, walkTo(b, near({ x: 32, y: GROUND, z: 40 }, 1.2))).done).toBe(true);
    expect(Math.hypot(b.x - 32.5, b.z - 40.5)).toBeLessThan(2);
  });

  it('report a place that cannot be reached', () => {
    const s = flat();
    for (const [x, z] of [
      [31, 38],
      [33, 38],
      [32, 37],
      [32, 39],
    ])
      for (let y = GROUND; y < GROUND + 3; y++) writeBlock(s, x, y, z, B.stone);
    const b = bodyIn(s);
    settle(b);
    expect(run(b, walkTo(b, near({ x: 32, y: GROUND, z: 38 }, 0.5, 0), 60), 500).done).toBe(false);
  });

  it('place a block and break it again with the right tool', () => {
    const s = flat('ci');
    give(s, 0, 'planks', 5);
    give(s, 3, 'stone_axe');
    const b = bodyIn(s);
    settle(b);
    const c = { x: 34, y: GROUND, z: 33 };
    expect(run(b, placeHere(b, c)).done).toBe(true);
    expect(blockAt(s, c.x, c.y, c.z)).toBe(B.planks);
    expect(b.count(I.planks)).toBe(4);
    expect(run(b, fetchBlock(b, c)).done).toBe(true);
    expect(b.selected).toBe(3);
    expect(blockAt(s, c.x, c.y, c.z)).toBe(B.air);
    run(b, b.wait(10));
    run(b, collect(b));
    expect(b.count(I.planks)).toBe(5);
  });

  it('do not break what cannot be seen or reached', () => {
    const s = flat();
    const b = bodyIn(s);
    settle(b);
    expect(run(b, breakHere(b, { x: 32, y: FLOOR - 2, z: 33 })).done).toBe(false);
    expect(run(b, breakHere(b, { x: 32, y: FLOOR, z: 44 })).done).toBe(false);
    expect(run(b, placeHere(b, { x: 32, y: GROUND + 4, z: 34 })).done).toBe(false);
  });

  it('craft through the screens, from a log to a pickaxe', () => {
    const s = flat('ci');
    give(s, 0, 'log', 3);
    const b = bodyIn(s);
    settle(b);
    expect(
      run(
        b,
        inInventory(b, (p) => craftInStrip(p, I.planks, 12)),
      ).done,
    ).toBe(true);
    expect([b.count(I.log), b.count(I.planks)]).toEqual([0, 12]);
    expect(
      run(
        b,
        inInventory(b, (p) => craftInStrip(p, I.stick, 4)),
      ).done,
    ).toBe(true);
    expect(
      run(
        b,
        inInventory(b, (p) => craftInStrip(p, I.crafting_table, 1)),
      ).done,
    ).toBe(true);
    // A pickaxe does not fit the small grid.
    expect(
      run(
        b,
        inInventory(b, (p) => craftInStrip(p, I.wooden_pickaxe, 1)),
      ).done,
    ).toBe(false);
    const table = { x: 34, y: GROUND, z: 32 };
    run(b, b.select(b.hotbarWith((item) => item === I.crafting_table)));
    expect(run(b, placeHere(b, table)).done).toBe(true);
    expect(
      run(
        b,
        atBlock(b, table, GUI.table, (p) => craftInStrip(p, I.wooden_pickaxe, 1)),
      ).done,
    ).toBe(true);
    expect(b.gui).toBe(GUI.none);
    expect([b.count(I.wooden_pickaxe), b.count(I.planks), b.count(I.stick)]).toEqual([1, 12 - 2 - 4 - 3, 2]);
  });

  it('dig a stair down and another up', () => {
    const s = flat('ci');
    give(s, 0, 'iron_pickaxe');
    const b = bodyIn(s, QUICK);
    settle(b);
    expect(run(b, digStair(b, -1, 3)).done).toBe(true);
    expect(b.cell().y).toBe(GROUND - 3);
    expect(run(b, digStair(b, 1, 3, 1)).done).toBe(true);
    expect(b.cell().y).toBe(GROUND);
  });
});

describe('random hands', () => {
  it('take over the share of steps they are given, in bursts', () => {
    for (const epsilon of [0.05, 0.3]) {
      const hands = new Interference(new Draws(3, 4), epsilon);
      let taken = 0;
      for (let i = 0; i < 20_000; i++) if (hands.next(0, false) >= 0) taken++;
      expect(taken / 20_000).toBeGreaterThan(0.85 * epsilon);
      expect(taken / 20_000).toBeLessThan(1.15 * epsilon);
    }
  });

  it('hold every key and turn the mouse every way, about evenly to both sides', () => {
    const hands = new RandomHands(new Draws(5, 6));
    const n = 20_000;
    let keys = 0;
    let left = 0;
    let right = 0;
    const yaw = new Set<number>();
    for (let i = 0; i < n; i++) {
      const a = hands.next(0, false);
      keys |= a & 0x7fffff;
      if (a & KEY.left) left++;
      if (a & KEY.right) right++;
      yaw.add(actionCamera(a) % 11);
    }
    for (const k of [KEY.forward, KEY.back, KEY.attack, KEY.use, KEY.sneak, KEY.sprint, KEY.drop])
      expect(keys & k).toBe(k);
    // Opening the inventory is left to players who know what to do there.
    expect(keys & KEY.inventory).toBe(0);
    expect(yaw.size).toBeGreaterThanOrEqual(9);
    expect(Math.abs(left - right) / n).toBeLessThan(0.05);
  });
});

describe('players', () => {
  it.each(PLAYER_IDS)('%s: only legal actions, the same for the same seed, others for another', (id) => {
    const config = meadow(id);
    const play = (seed: number) => {
      const s = createWorld(config, 12, { episodeSeed: 1 });
      const p = scriptedPlayer(id, s, seed);
      return Array.from({ length: 120 }, () => {
        const a = p.act(s);
        stepAction(s, a);
        return a;
      });
    };
    const actions = play(1);
    for (const a of actions) {
      expect(Number.isInteger(a)).toBe(true);
      expect(a >>> 30).toBe(0);
      expect(actionCamera(a)).toBeLessThanOrEqual(120);
    }
    expect(actions.filter((a) => canonicalise(a) === a).length).toBeGreaterThan(90);
    expect(play(1)).toEqual(actions);
    expect(play(2)).not.toEqual(actions);
  });

  it('the walker is stopped far more often than a player who plans its ways', () => {
    const stopped = (id: PlayerId, world = meadow(id)): number => {
      let n = 0;
      for (const seed of [1, 2, 3]) {
        const s = createWorld(world, seed, { episodeSeed: seed });
        const p = scriptedPlayer(id, s, seed);
        for (let i = 0; i < 300; i++) {
          const [x, z] = [player(s, P.x), player(s, P.z)];
          const action = p.act(s);
          stepAction(s, action);
          const way = Math.hypot(player(s, P.x) - x, player(s, P.z) - z) / 65536;
          if ((action & KEY.forward) !== 0 && actionCamera(action) === CAMERA_NULL && way < 0.05) n++;
        }
      }
      return n;
    };
    const [walks, plans] = [stopped('walker'), stopped('builder')];
    expect(walks).toBeGreaterThan(30);
    expect(walks).toBeGreaterThan(4 * plans);
    // Where single blocks are climbed in passing, trunks and rocks are left, and it looks for them.
    expect(stopped('walker', worldConfig('park'))).toBeGreaterThan(30);
  });

  it('close a screen that opened by accident', () => {
    const s = flat('ci');
    writeBlock(s, 32, GROUND, 34, B.crafting_table);
    const p = scriptedPlayer('rambler', s, 1);
    stepAction(s, (CAMERA_NULL << 23) | KEY.inventory);
    expect(player(s, P.guiKind)).toBe(GUI.inventory);
    for (let i = 0; i < 4; i++) stepAction(s, p.act(s));
    expect(player(s, P.guiKind)).toBe(GUI.none);
  });

  it('climb from empty hands to the stone pickaxe', async () => {
    const climbs = await runBundled<number[][]>('./ladder-run.ts', 'ci', '8');
    // Measured: 58 of 64 worlds (tests/long/players-ladder.test.ts).
    expect(climbs.filter((ticks) => ticks[ticks.length - 1] >= 0).length).toBeGreaterThanOrEqual(6);
    for (const ticks of climbs) {
      const reached = ticks.filter((t) => t >= 0);
      // The rungs are climbed in order.
      expect(reached).toEqual([...reached].sort((a, b) => a - b));
    }
  });
});
