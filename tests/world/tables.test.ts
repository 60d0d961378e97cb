/** Block, item and sine tables: internal consistency, and the documented break times cell by cell. */
import { describe, expect, it } from 'vitest';
import {
  B,
  CLASS,
  DROP,
  EMISSION,
  FLAG,
  FLAGS,
  HARDNESS10,
  OPACITY,
  STATE_CLASS,
  STATE_COUNT,
  STATES,
  TILE_NAMES,
  TILES,
} from '../../src/world/blocks.ts';
import { baseBreakTicks, harvestable } from '../../src/world/breaking.ts';
import {
  DURABILITY,
  I,
  ITEM_COUNT,
  ITEM_NAMES,
  itemId,
  PLACES,
  packSlot,
  STACK_MAX,
  slotCount,
  slotDamage,
  slotId,
} from '../../src/world/items.ts';
import { COLLISION, connectMask, OUTLINE } from '../../src/world/shapes.ts';
import { cosQ14, sinQ14 } from '../../src/world/trig.ts';

describe('block table', () => {
  it('has no holes, valid boxes and a tile for every face', () => {
    for (let i = 0; i < STATE_COUNT; i++) {
      const s = STATES[i];
      expect(s, `state ${i}`).toBeDefined();
      for (const box of [...s.boxes, ...s.collision])
        for (let a = 0; a < 3; a++) {
          expect(box[a], s.name).toBeGreaterThanOrEqual(0);
          expect(box[a], s.name).toBeLessThan(box[a + 3]);
          expect(box[a + 3], s.name).toBeLessThanOrEqual(a === 1 ? 24 : 16);
        }
      expect(s.boxes.length).toBeLessThanOrEqual(4);
      if (s.class !== CLASS.air) for (let f = 0; f < 6; f++) expect(TILE_NAMES[TILES[i * 6 + f]]).toBe(s.tiles[f]);
    }
    expect(STATES.length).toBe(STATE_COUNT);
    expect(STATE_COUNT).toBeLessThan(160);
    expect(new Set(TILE_NAMES).size).toBe(TILE_NAMES.length);
  });

  it('only lets opaque cubes stop all light, and lights what the specification lists', () => {
    for (let i = 0; i < STATE_COUNT; i++)
      if (OPACITY[i] === 15) expect(STATE_CLASS[i], STATES[i].name).toBe(CLASS.cube);
    const lit = Object.fromEntries(STATES.filter((s) => s.emission > 0).map((s) => [s.name, s.emission]));
    expect(lit).toEqual({ torch: 14, furnace: 13, glowstone: 15, lava: 15, nether_portal: 11, end_gate: 15 });
    expect(EMISSION[B.furnace]).toBe(0);
    expect(EMISSION[B.furnace + 1]).toBe(13);
  });

  it('drops only known items, and only full cubes carry torches', () => {
    for (let i = 0; i < STATE_COUNT; i++) expect(DROP[i]).toBeLessThan(ITEM_COUNT);
    for (const s of [B.stone, B.glass, B.planks, B.furnace, B.leaves])
      expect(FLAGS[s] & FLAG.fullSolid, STATES[s].name).not.toBe(0);
    for (const s of [B.air, B.torch, B.door, B.fence, B.water, B.lava, B.tall_grass, B.bed, B.cactus])
      expect(FLAGS[s] & FLAG.fullSolid, STATES[s].name).toBe(0);
  });

  it('grows panes and fences towards what they join', () => {
    const boxes = (t: typeof OUTLINE, state: number, mask: number) => {
      const k = state * 16 + mask;
      return Array.from({ length: t.count[k] }, (_, b) => [
        ...t.data.slice((t.first[k] + b) * 6, (t.first[k] + b) * 6 + 6),
      ]);
    };
    expect(connectMask(B.fence, B.stone, B.air, B.fence, B.torch)).toBe(1 | 4);
    expect(connectMask(B.glass_pane, B.glass, B.fence, B.air, B.planks)).toBe(1 | 8);
    expect(connectMask(B.stone, B.stone, B.stone, B.stone, B.stone)).toBe(0);
    expect(boxes(OUTLINE, B.glass_pane, 0)).toEqual([[7, 0, 7, 9, 16, 9]]);
    expect(boxes(OUTLINE, B.glass_pane, 12)).toEqual([[0, 0, 7, 16, 16, 9]]);
    expect(boxes(COLLISION, B.fence, 1)).toEqual([
      [6, 0, 6, 10, 24, 10],
      [7, 0, 0, 9, 24, 9],
    ]);
    expect(boxes(OUTLINE, B.stone, 5)).toEqual([[0, 0, 0, 16, 16, 16]]);
  });
});

describe('items', () => {
  it('names every id once and packs slots without loss', () => {
    expect(ITEM_NAMES.length).toBe(ITEM_COUNT);
    for (let i = 0; i < ITEM_COUNT; i++) expect(itemId(ITEM_NAMES[i])).toBe(i);
    const s = packSlot(I.diamond_pickaxe, 1, 1560);
    expect([slotId(s), slotCount(s), slotDamage(s)]).toEqual([I.diamond_pickaxe, 1, 1560]);
    expect(packSlot(I.dirt, 0)).toBe(0);
    expect(packSlot(0, 5)).toBe(0);
    expect(() => itemId('dimond')).toThrow(/unknown item "dimond"/);
  });

  it('has the documented durability, and tools do not stack', () => {
    expect([I.wooden_axe, I.stone_sword, I.iron_shovel, I.diamond_pickaxe].map((i) => DURABILITY[i])).toEqual([
      59, 131, 250, 1561,
    ]);
    for (let i = 0; i < ITEM_COUNT; i++) if (DURABILITY[i] > 0) expect(STACK_MAX[i]).toBe(1);
    expect(STACK_MAX[I.bed]).toBe(1);
    expect(STACK_MAX[I.dirt]).toBe(64);
  });

  it('places a block whose drop leads back to the item, except where a block turns into something else', () => {
    const other = new Set(['stone', 'grass', 'glass', 'glass_pane', 'ice', 'leaves']);
    for (let i = 1; i < ITEM_COUNT; i++)
      if (PLACES[i] && !other.has(ITEM_NAMES[i])) expect(DROP[PLACES[i]], ITEM_NAMES[i]).toBe(i);
  });
});

describe('break times (methods/world.md 3.4, breakScale 1)', () => {
  const H = 'hand';
  // block, tool kind, ticks for hand, wood, stone, iron, diamond; a trailing x = drops nothing.
  const rows: [number, string, (number | string)[]][] = [
    [B.stone, 'pickaxe', ['150x', 23, 12, 8, 6]],
    [B.cobblestone, 'pickaxe', ['200x', 30, 15, 10, 8]],
    [B.nether_brick, 'pickaxe', ['200x', 30, 15, 10, 8]],
    [B.coal_ore, 'pickaxe', ['300x', 45, 23, 15, 12]],
    [B.iron_ore, 'pickaxe', ['300x', '150x', 23, 15, 12]],
    [B.diamond_ore, 'pickaxe', ['300x', '150x', '75x', 15, 12]],
    [B.obsidian, 'pickaxe', ['5000x', '2500x', '1250x', '834x', 188]],
    [B.furnace, 'pickaxe', ['350x', 53, 27, 18, 14]],
    [B.netherrack, 'pickaxe', ['40x', 6, 3, 2, 2]],
    [B.end_stone, 'pickaxe', ['300x', 45, 23, 15, 12]],
    [B.sandstone, 'pickaxe', ['80x', 12, 6, 4, 3]],
    [B.log, 'axe', [60, 30, 15, 10, 8]],
    [B.planks, 'axe', [60, 30, 15, 10, 8]],
    [B.fence, 'axe', [60, 30, 15, 10, 8]],
    [B.crafting_table, 'axe', [75, 38, 19, 13, 10]],
    [B.door, 'axe', [90, 45, 23, 15, 12]],
    [B.dirt, 'shovel', [15, 8, 4, 3, 2]],
    [B.sand, 'shovel', [15, 8, 4, 3, 2]],
    [B.soul_sand, 'shovel', [15, 8, 4, 3, 2]],
    [B.grass, 'shovel', [18, 9, 5, 3, 3]],
    [B.gravel, 'shovel', [18, 9, 5, 3, 3]],
    [B.leaves, 'pickaxe', [6, 6, 6, 6, 6]],
    [B.glass, 'pickaxe', [9, 9, 9, 9, 9]],
    [B.glowstone, 'pickaxe', [9, 9, 9, 9, 9]],
    [B.wool, 'pickaxe', [24, 24, 24, 24, 24]],
    [B.torch, 'axe', [1, 1, 1, 1, 1]],
    [B.sugar_cane, 'axe', [1, 1, 1, 1, 1]],
  ];
  for (const [state, kind, ticks] of rows)
    it(STATES[state].name, () => {
      const tools = [H, ...['wooden', 'stone', 'iron', 'diamond'].map((t) => `${t}_${kind}`)];
      const measured = tools.map((t) => {
        const id = t === H ? 0 : itemId(t);
        const n = baseBreakTicks(state, id);
        return harvestable(state, id) ? n : `${n}x`;
      });
      expect(measured).toEqual(ticks);
    });

  it('gives a tool of the wrong kind the speed of a hand', () => {
    expect(baseBreakTicks(B.log, I.diamond_pickaxe)).toBe(60);
    expect(baseBreakTicks(B.stone, I.diamond_axe)).toBe(150);
  });

  it('never breaks bedrock, water or lava', () => {
    for (const s of [B.bedrock, B.water, B.lava]) {
      expect(HARDNESS10[s]).toBe(-1);
      expect(baseBreakTicks(s, I.diamond_pickaxe)).toBe(Number.POSITIVE_INFINITY);
    }
  });
});

describe('sine table', () => {
  it('equals a BigInt Taylor series at every angle of the first quarter, and its symmetries', () => {
    const ONE = 1n << 96n;
    // pi to 40 digits, scaled.
    const PI = (31415926535897932384626433832795028841971n * ONE) / 10n ** 40n;
    for (let a = 0; a <= 16384; a++) {
      const x = (2n * PI * BigInt(a)) / 65536n;
      const q = (x * x) / ONE;
      let term = x;
      let sum = x;
      for (let n = 1n; term !== 0n; n++) {
        term = (-term * q) / ONE / (2n * n * (2n * n + 1n));
        sum += term;
      }
      const rounded = Number((sum * 16384n + ONE / 2n) / ONE);
      if (sinQ14(a) !== rounded) expect(`sin(${a}) = ${sinQ14(a)}`).toBe(`sin(${a}) = ${rounded}`);
    }
    for (let a = 0; a < 65536; a += 37) {
      expect(sinQ14(65536 - a)).toBe(-sinQ14(a) + 0);
      expect(sinQ14(32768 - a)).toBe(sinQ14(a));
      expect(cosQ14(a)).toBe(sinQ14(a + 16384));
      expect(Math.abs(sinQ14(a) ** 2 + cosQ14(a) ** 2 - 2 ** 28)).toBeLessThan(40000);
    }
  });
});
