/** Breaking, placing, falling, flowing, doors, drops, light: one scene per rule. */
import { describe, expect, it } from 'vitest';
import type { KeyName } from '../../src/world/actions.ts';
import { B, STATES } from '../../src/world/blocks.ts';
import { setBlock } from '../../src/world/change.ts';
import { brightness, skyLevel } from '../../src/world/daylight.ts';
import { counter, EVENT, events, milestoneTick } from '../../src/world/events.ts';
import { countItem } from '../../src/world/inventory.ts';
import { I, packSlot, slotDamage } from '../../src/world/items.ts';
import { blockAt, heldSlot, lightAt, player, type State, setPlayer, slot } from '../../src/world/state.ts';
import { E, ENT, ENT_MAX, ENT_WORDS, ENTITY, H, P, SLOT } from '../../src/world/state-layout.ts';
import { target } from '../../src/world/targeting.ts';
import { FLOOR, face, flat, give, hold, standAt, tap } from './arena.ts';
import { lightIsExact } from './invariants.ts';

const drops = (s: State) =>
  Array.from({ length: ENT_MAX }, (_, i) => ENT + i * ENT_WORDS).filter((at) => s.i32[at] === ENTITY.item);

/** A wall of one state two blocks ahead of the player at (32, 32), seen by looking straight ahead. */
function wallAhead(state: number, profile: 'ci' | 'mini' = 'ci'): State {
  const s = flat(profile);
  for (let y = FLOOR + 1; y < FLOOR + 4; y++) setBlock(s, 32, y, 34, state);
  return s;
}

describe('targeting', () => {
  it('finds the block and the face the eye ray enters', () => {
    const s = wallAhead(B.stone);
    expect(target(s)).toMatchObject({ hit: true, x: 32, y: FLOOR + 2, z: 34, face: 2 });
    expect(target(s).distance).toBeCloseTo(1.5, 6);
    face(s, 0, 60);
    expect(target(s)).toMatchObject({ hit: true, y: FLOOR, face: 1 });
    face(s, 180, 0);
    expect(target(s).hit).toBe(false);
  });

  it('reaches 4.5 blocks and not farther', () => {
    for (const [z, hit] of [
      [32.5, true],
      [32.49, false],
    ] as const) {
      const s = flat();
      setBlock(s, 32, FLOOR + 2, 37, B.stone);
      standAt(s, 32.5, FLOOR + 1, z);
      expect(target(s).hit, `face at ${37 - z} blocks`).toBe(hit);
    }
  });

  it('passes beside a torch and through water', () => {
    const s = flat();
    setBlock(s, 32, FLOOR + 2, 33, B.water);
    setBlock(s, 32, FLOOR + 1, 34, B.stone);
    setBlock(s, 32, FLOOR + 2, 34, B.torch);
    setBlock(s, 32, FLOOR + 2, 35, B.stone);
    face(s, 0, 0);
    expect(target(s)).toMatchObject({ z: 34 });
    setPlayer(s, P.x, player(s, P.x) + 16384);
    expect(target(s)).toMatchObject({ z: 35 });
    expect(target(s, true)).toMatchObject({ z: 33 });
  });
});

describe('breaking', () => {
  it('takes exactly the ticks of the table times breakScale, drops the block and wears the tool', () => {
    const s = wallAhead(B.stone, 'mini');
    give(s, 0, 'stone_pickaxe');
    // 12 ticks, halved in mini.
    hold(s, 5, 'attack');
    expect(player(s, P.breakTicks)).toBe(5);
    expect(player(s, P.breakNeed)).toBe(6);
    expect(blockAt(s, 32, FLOOR + 2, 34)).toBe(B.stone);
    hold(s, 1, 'attack');
    expect(blockAt(s, 32, FLOOR + 2, 34)).toBe(B.air);
    expect(drops(s).map((at) => s.u32[at + E.item])).toEqual([packSlot(I.cobblestone, 1)]);
    expect(slotDamage(heldSlot(s))).toBe(1);
    expect(counter(s, 'mined', I.cobblestone)).toBe(1);
    expect(counter(s, 'used', I.stone_pickaxe)).toBe(1);
    expect(events(s).map((e) => e.type)).toEqual([EVENT.mined, EVENT.used]);
  });

  it('drops nothing without the right tool', () => {
    const s = wallAhead(B.iron_ore);
    give(s, 0, 'wooden_pickaxe');
    hold(s, 200, 'attack');
    expect(s.i32[H.brokenTotal]).toBeGreaterThan(0);
    expect(drops(s)).toEqual([]);
    expect(counter(s, 'mined', I.iron_ore)).toBe(0);
  });

  it('starts again when the button is released or the target changes', () => {
    const s = wallAhead(B.stone);
    hold(s, 20, 'attack');
    expect(player(s, P.breakTicks)).toBe(20);
    hold(s, 1);
    expect(player(s, P.breakTicks)).toBe(0);
    hold(s, 10, 'attack');
    face(s, 0, 50);
    hold(s, 1, 'attack');
    expect(player(s, P.breakTicks)).toBe(1);
  });

  it('waits 5 ticks after a break, but not after instant ones', () => {
    const s = wallAhead(B.leaves);
    setBlock(s, 32, FLOOR + 2, 35, B.leaves);
    // 6 ticks / 4 = 2 ticks each.
    hold(s, 2, 'attack');
    expect(blockAt(s, 32, FLOOR + 2, 34)).toBe(B.air);
    hold(s, 6, 'attack');
    expect(blockAt(s, 32, FLOOR + 2, 35)).toBe(B.leaves);
    hold(s, 1, 'attack');
    expect(blockAt(s, 32, FLOOR + 2, 35)).toBe(B.air);
    const t = flat();
    setBlock(t, 32, FLOOR, 33, B.grass);
    setBlock(t, 32, FLOOR, 34, B.grass);
    setBlock(t, 32, FLOOR + 1, 33, B.tall_grass);
    setBlock(t, 32, FLOOR + 1, 34, B.tall_grass);
    face(t, 0, 35);
    hold(t, 2, 'attack');
    expect([blockAt(t, 32, FLOOR + 1, 33), blockAt(t, 32, FLOOR + 1, 34)]).toEqual([B.air, B.air]);
  });

  it('is five times slower in the air and with the head under water', () => {
    const s = wallAhead(B.dirt);
    standAt(s, 32.5, FLOOR + 1.2, 32.5);
    setPlayer(s, P.onGround, 0);
    hold(s, 1, 'attack');
    expect(player(s, P.breakNeed)).toBe(Math.ceil((15 * 5) / 4));
    const t = wallAhead(B.dirt);
    for (let y = FLOOR + 1; y < FLOOR + 4; y++) setBlock(t, 32, y, 32, B.water);
    hold(t, 2, 'attack');
    expect(player(t, P.breakNeed)).toBe(Math.ceil((15 * 5) / 4));
  });

  it('breaks a tool after its last use', () => {
    const s = wallAhead(B.dirt);
    give(s, 0, 'wooden_shovel', 1, 58);
    hold(s, 4, 'attack');
    expect(heldSlot(s)).toBe(0);
    expect(events(s).some((e) => e.type === EVENT.toolBroke)).toBe(true);
  });

  it('takes both halves of a door and drops one door', () => {
    for (const half of [0, 1]) {
      const s = flat();
      give(s, 0, 'door');
      face(s, 0, 50);
      tap(s, 'use');
      const z = 33;
      expect([blockAt(s, 32, FLOOR + 1, z), blockAt(s, 32, FLOOR + 2, z)]).toEqual([B.door, B.door + 1]);
      face(s, 0, half ? 0 : 50);
      hold(s, 30, 'attack');
      expect([blockAt(s, 32, FLOOR + 1, z), blockAt(s, 32, FLOOR + 2, z)]).toEqual([B.air, B.air]);
      hold(s, 30);
      expect(countItem(s, I.door)).toBe(1);
    }
  });
});

describe('placing', () => {
  it('puts the held block against the face in view and consumes it', () => {
    const s = flat();
    give(s, 0, 'planks', 3);
    face(s, 0, 45);
    tap(s, 'use');
    expect(blockAt(s, 32, FLOOR + 1, 33)).toBe(B.air);
    expect(blockAt(s, 32, FLOOR + 1, 34)).toBe(B.planks);
    expect(countItem(s, I.planks)).toBe(2);
    expect(counter(s, 'placed', I.planks)).toBe(1);
  });

  it('repeats every 4 ticks while held', () => {
    const s = flat();
    give(s, 0, 'planks', 64);
    face(s, 0, 45);
    const filled: number[] = [];
    for (let t = 0; t < 12; t++) {
      hold(s, 1, 'use');
      filled.push(s.i32[H.placedTotal]);
    }
    expect(filled).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
  });

  it('refuses to wall in the player, and to place without support', () => {
    const s = flat();
    give(s, 0, 'stone', 2);
    face(s, 0, 90);
    tap(s, 'use');
    expect(s.i32[H.placedTotal]).toBe(0);
    give(s, 0, 'torch', 2);
    setBlock(s, 32, FLOOR + 2, 34, B.leaves);
    setBlock(s, 32, FLOOR + 1, 34, B.glass_pane);
    face(s, 0, 20);
    tap(s, 'use');
    expect(s.i32[H.placedTotal]).toBe(1);
  });

  it('stands torches on floors and leans them on walls; they fall when the wall goes', () => {
    const s = wallAhead(B.stone);
    give(s, 0, 'torch', 4);
    tap(s, 'use');
    // Pointing north, away from the wall at the south.
    expect(blockAt(s, 32, FLOOR + 2, 33)).toBe(B.torch + 1 + 2);
    expect(lightAt(s, 32, FLOOR + 2, 33) & 15).toBe(14);
    setBlock(s, 32, FLOOR + 2, 34, B.air);
    expect(blockAt(s, 32, FLOOR + 2, 33)).toBe(B.air);
    expect(lightAt(s, 32, FLOOR + 2, 33) & 15).toBe(0);
    hold(s, 20);
    expect(countItem(s, I.torch)).toBe(4);
    expect(lightIsExact(s)).toBe('');
  });

  it('turns the furnace towards the player and plants cane only beside water', () => {
    const s = flat();
    give(s, 0, 'furnace', 1);
    face(s, 0, 45);
    tap(s, 'use');
    expect(blockAt(s, 32, FLOOR + 1, 34)).toBe(B.furnace + 2 * 2);
    const t = flat();
    give(t, 0, 'sugar_cane', 8);
    setBlock(t, 32, FLOOR, 34, B.dirt);
    face(t, 0, 45);
    tap(t, 'use');
    expect(blockAt(t, 32, FLOOR + 1, 34)).toBe(B.air);
    setBlock(t, 33, FLOOR, 34, B.water);
    tap(t, 'use');
    expect(blockAt(t, 32, FLOOR + 1, 34)).toBe(B.sugar_cane);
    setBlock(t, 33, FLOOR, 34, B.stone);
    hold(t, 2);
    setBlock(t, 32, FLOOR, 34, B.stone);
    expect(blockAt(t, 32, FLOOR + 1, 34)).toBe(B.air);
  });

  it('opens and shuts a door, but not onto the player', () => {
    const s = flat();
    give(s, 0, 'door');
    face(s, 0, 50);
    tap(s, 'use');
    const door = () => blockAt(s, 32, FLOOR + 1, 33);
    expect(door()).toBe(B.door);
    tap(s, 'use');
    expect(door()).toBe(B.door + 2);
    expect(blockAt(s, 32, FLOOR + 2, 33)).toBe(B.door + 3);
    // The doorway is free now: its panel stands at the east side.
    hold(s, 30, 'forward');
    expect(player(s, P.z) / 65536).toBeGreaterThan(34);
    standAt(s, 32.5, FLOOR + 1, 33.2);
    face(s, 270, 20);
    tap(s, 'use');
    expect(door()).toBe(B.door + 2);
  });

  it('fills and empties a bucket', () => {
    const s = flat();
    setBlock(s, 32, FLOOR, 34, B.water);
    give(s, 0, 'bucket');
    face(s, 0, 45);
    tap(s, 'use');
    expect(blockAt(s, 32, FLOOR, 34)).toBe(B.air);
    expect(countItem(s, I.water_bucket)).toBe(1);
    face(s, 90, 45);
    tap(s, 'use');
    expect(countItem(s, I.bucket)).toBe(1);
    expect(blockAt(s, 30, FLOOR + 1, 32)).toBe(B.water);
  });
});

describe('drops', () => {
  it('fly into the inventory after 10 ticks, set milestones and join stacks', () => {
    const s = wallAhead(B.log);
    give(s, 3, 'log', 63);
    setBlock(s, 32, FLOOR + 2, 34, B.air);
    setBlock(s, 32, FLOOR + 2, 33, B.log);
    hold(s, 15, 'attack');
    expect(blockAt(s, 32, FLOOR + 2, 33)).toBe(B.air);
    hold(s, 5);
    expect(countItem(s, I.log)).toBe(63);
    hold(s, 20);
    expect(slot(s, 3)).toBe(packSlot(I.log, 64));
    expect(milestoneTick(s, 0)).toBeGreaterThan(0);
    expect(counter(s, 'picked', I.log)).toBe(1);
  });

  it('are thrown with the drop key, one at a time, and merge on the floor', () => {
    const s = flat();
    give(s, 0, 'dirt', 5);
    for (let i = 0; i < 3; i++) tap(s, 'drop');
    expect(countItem(s, I.dirt)).toBe(2);
    hold(s, 30);
    expect(drops(s).length).toBe(1);
    expect(s.u32[drops(s)[0] + E.item]).toBe(packSlot(I.dirt, 3));
    hold(s, 20, 'forward');
    hold(s, 30);
    expect(countItem(s, I.dirt)).toBe(5);
  });

  it('stay on the floor and vanish after 6000 ticks', () => {
    const s = flat();
    give(s, 0, 'dirt', 1);
    tap(s, 'drop');
    face(s, 180, 0);
    hold(s, 60, 'forward');
    const at = drops(s)[0];
    expect(s.i32[at + E.y]).toBe((FLOOR + 1) * 65536);
    hold(s, 6000);
    expect(drops(s)).toEqual([]);
  });

  it('leave a full inventory alone', () => {
    const s = flat();
    for (let i = 0; i < 8; i++) give(s, i, 'stone', 64);
    for (let i = 0; i < 24; i++) give(s, SLOT.main + i, 'stone', 64);
    setBlock(s, 32, FLOOR + 1, 33, B.torch);
    setBlock(s, 32, FLOOR, 33, B.air);
    hold(s, 40);
    expect(drops(s).length).toBe(1);
    expect(countItem(s, I.torch)).toBe(0);
  });
});

describe('sand and water', () => {
  it('sand falls one cell every 2 ticks and waits above the player', () => {
    const s = flat();
    setBlock(s, 34, FLOOR + 6, 34, B.sand);
    const heights: number[] = [];
    for (let t = 0; t < 14; t++) {
      hold(s, 1);
      let y = FLOOR + 6;
      while (blockAt(s, 34, y, 34) !== B.sand) y--;
      heights.push(y - FLOOR);
    }
    expect(heights[heights.length - 1]).toBe(1);
    expect(heights[2] - heights[8]).toBe(3);
    const t = flat();
    setBlock(t, 32, FLOOR + 5, 32, B.gravel);
    hold(t, 60);
    expect(blockAt(t, 32, FLOOR + 3, 32)).toBe(B.gravel);
    hold(t, 30, 'forward');
    hold(t, 20);
    expect(blockAt(t, 32, FLOOR + 1, 32)).toBe(B.gravel);
  });

  it('a source spreads 7 cells over a floor and dries up when it goes', () => {
    const s = flat();
    setBlock(s, 20, FLOOR + 1, 20, B.water);
    hold(s, 100);
    const row = Array.from({ length: 10 }, (_, i) => blockAt(s, 20 + i, FLOOR + 1, 20));
    expect(row).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((l) => B.water + l).concat([B.air, B.air]));
    expect(s.i32[H.schedCount]).toBe(0);
    setBlock(s, 20, FLOOR + 1, 20, B.air);
    hold(s, 200);
    for (let x = 10; x < 30; x++) for (let z = 10; z < 30; z++) expect(blockAt(s, x, FLOOR + 1, z)).toBe(B.air);
    expect(lightIsExact(s)).toBe('');
  });

  it('falls down a shaft and two sources make a third', () => {
    const s = flat();
    for (let y = FLOOR - 4; y <= FLOOR; y++) setBlock(s, 21, y, 20, B.air);
    setBlock(s, 20, FLOOR + 1, 20, B.water);
    hold(s, 100);
    for (let y = FLOOR - 4; y <= FLOOR; y++) expect(blockAt(s, 21, y, 20)).toBe(B.water + 8);
    const t = flat();
    for (let x = 20; x < 23; x++) setBlock(t, x, FLOOR, 20, B.air);
    setBlock(t, 20, FLOOR, 20, B.water);
    setBlock(t, 22, FLOOR, 20, B.water);
    hold(t, 30);
    expect(blockAt(t, 21, FLOOR, 20)).toBe(B.water);
  });

  it('washes torches away and turns lava to obsidian', () => {
    const s = flat();
    setBlock(s, 22, FLOOR + 1, 20, B.torch);
    setBlock(s, 20, FLOOR + 1, 22, B.lava);
    setBlock(s, 20, FLOOR + 1, 20, B.water);
    hold(s, 60);
    expect(STATES[blockAt(s, 22, FLOOR + 1, 20)].name).toBe('water');
    expect(drops(s).length).toBe(1);
    expect(blockAt(s, 20, FLOOR + 1, 22)).toBe(B.obsidian);
  });
});

describe('light and time', () => {
  it('follows walls, roofs and torches exactly', () => {
    const s = flat();
    for (let x = 28; x < 37; x++)
      for (let z = 28; z < 37; z++) {
        setBlock(s, x, FLOOR + 4, z, B.planks);
        if (x === 28 || x === 36 || z === 28 || z === 36)
          for (let y = FLOOR + 1; y < FLOOR + 4; y++) setBlock(s, x, y, z, B.planks);
      }
    expect(lightAt(s, 32, FLOOR + 1, 32)).toBe(0);
    setBlock(s, 30, FLOOR + 1, 30, B.torch);
    expect(lightAt(s, 32, FLOOR + 1, 32)).toBe(10);
    setBlock(s, 28, FLOOR + 1, 32, B.air);
    expect(lightAt(s, 29, FLOOR + 1, 32) >> 4).toBe(13);
    setBlock(s, 32, FLOOR + 4, 32, B.glass);
    expect(lightAt(s, 32, FLOOR + 1, 32) >> 4).toBe(15);
    expect(lightIsExact(s)).toBe('');
  });

  it('counts the hours when the profile has days, and darkens the sky at night', () => {
    const s = flat('ci', { dayCycle: true });
    const t0 = s.i32[H.time];
    hold(s, 100);
    expect(s.i32[H.time] - t0).toBe(100);
    expect([0, 6000, 12500, 18000, 23999].map(skyLevel)).toEqual([15, 15, 10, 4, 14]);
    s.i32[H.time] = 18000;
    expect(brightness(s, 0xf0)).toBe(4);
    expect(brightness(s, 0xfe)).toBe(14);
    const noon = flat('ci', { dayCycle: false });
    hold(noon, 50);
    expect(noon.i32[H.time]).toBe(6000);
  });
});

describe('survival', () => {
  const alive = () => flat('ci', { survival: true });

  it('hurts falls of more than 3 blocks by the distance beyond', () => {
    for (const [height, lost] of [
      [3, 0],
      [4, 1],
      [8, 5],
    ]) {
      const s = alive();
      standAt(s, 32.5, FLOOR + 1 + height, 32.5);
      hold(s, 40);
      expect(20 - player(s, P.health), `${height} blocks`).toBe(lost);
    }
  });

  it('drowns, starves to 1, heals when fed, and starts again at the spawn', () => {
    const s = alive();
    for (let y = FLOOR + 1; y < FLOOR + 4; y++)
      for (let x = 30; x < 35; x++) for (let z = 30; z < 35; z++) setBlock(s, x, y, z, B.water);
    setBlock(s, 32, FLOOR + 4, 32, B.stone);
    hold(s, 340);
    expect(player(s, P.health)).toBeLessThan(20);
    const t = alive();
    setPlayer(t, P.food, 0);
    setPlayer(t, P.health, 3);
    hold(t, 400);
    expect(player(t, P.health)).toBe(1);
    setPlayer(t, P.food, 20);
    hold(t, 161);
    expect(player(t, P.health)).toBe(3);
    const u = alive();
    standAt(u, 20.5, FLOOR + 31, 20.5);
    hold(u, 60);
    expect(events(u).some((e) => e.type === EVENT.died)).toBe(true);
    expect(player(u, P.health)).toBe(20);
    expect([player(u, P.x) >> 16, player(u, P.z) >> 16]).toEqual([32, 32]);
  });

  it('running and jumping make hungry, standing does not', () => {
    const tired = (...keys: KeyName[]) => {
      const s = flat('mini', { survival: true }, 64, 20);
      hold(s, 300, ...keys);
      // 4.0 of exhaustion cost one point of saturation or food.
      const points = (5 << 8) - player(s, P.saturation) + ((20 - player(s, P.food)) << 8);
      return points * 4 + player(s, P.exhaustion);
    };
    expect(tired()).toBe(0);
    // 0.1 per metre: 300 ticks at 7/256 each.
    expect(tired('forward', 'sprint')).toBe(2100);
    expect(tired('jump')).toBeGreaterThan(200);
    expect(tired('jump')).toBeLessThan(tired('forward', 'sprint', 'jump'));
  });

  it('eats an apple in 32 ticks', () => {
    const s = alive();
    give(s, 0, 'apple', 2);
    setPlayer(s, P.food, 10);
    face(s, 0, -60);
    hold(s, 31, 'use');
    expect(player(s, P.food)).toBe(10);
    hold(s, 1, 'use');
    expect(player(s, P.food)).toBe(14);
    expect(countItem(s, I.apple)).toBe(1);
  });
});
