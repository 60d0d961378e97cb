/** Screens driven only by actions: cursor, clicks, recipe strip, furnace, closing. */
import { describe, expect, it } from 'vitest';
import { CAMERA_NULL, cameraClass, hotbarKey, KEY, makeAction } from '../../src/world/actions.ts';
import { B } from '../../src/world/blocks.ts';
import { setBlock } from '../../src/world/change.ts';
import { counter, EVENT, events, MILESTONES, milestoneTick } from '../../src/world/events.ts';
import { craftDirect } from '../../src/world/gui.ts';
import { cellCentre, cellUnderCursor, FURNACE_CELLS, GUI_COLUMNS, guiCells } from '../../src/world/gui-layout.ts';
import { countItem } from '../../src/world/inventory.ts';
import { I, itemName, packSlot, slotId } from '../../src/world/items.ts';
import { craftable, RECIPES } from '../../src/world/recipes.ts';
import { blockAt, player, type State, slot } from '../../src/world/state.ts';
import { F, GUI, P, PLAYER, SLOT } from '../../src/world/state-layout.ts';
import { step, stepAction } from '../../src/world/step.ts';
import { FLOOR, face, flat, give, hold, tap } from './arena.ts';
import { totalItems } from './invariants.ts';

const cursor = (s: State) => [player(s, P.cursorX), player(s, P.cursorY)];
const onCursor = (s: State) => s.u32[PLAYER + P.cursorStack];

/** Walks the cursor to a cell with camera actions only, as a player would. */
function moveTo(s: State, cell: number): void {
  const [tx, ty] = cellCentre(cell);
  for (let i = 0; i < 200; i++) {
    const [x, y] = cursor(s);
    const bin = (d: number) => {
      const m = Math.abs(d);
      const k = m >= 2048 ? 5 : m >= 1024 ? 4 : m >= 512 ? 3 : m >= 256 ? 2 : m >= 128 ? 1 : 0;
      return d < 0 ? 5 - k : 5 + k;
    };
    const c = cameraClass(bin(ty - y), bin(tx - x));
    if (c === CAMERA_NULL) return;
    step(s, makeAction(0, c));
  }
  throw new Error('cursor never arrived');
}

function click(s: State, cell: number, keys: number = KEY.attack): void {
  moveTo(s, cell);
  step(s, makeAction(keys));
  step(s, makeAction(0));
}

const hotbarCell = (n: number) => 5 * GUI_COLUMNS + n;
const mainCell = (n: number) => 2 * GUI_COLUMNS + n;
const furnaceCell = (name: keyof typeof FURNACE_CELLS) => FURNACE_CELLS[name][1] * GUI_COLUMNS + FURNACE_CELLS[name][0];

/** Position in the strip of the recipe for an item. */
function stripCell(s: State, item: number): number {
  const i = craftable(s, player(s, P.guiKind) === GUI.table).findIndex((r) => RECIPES[r].output === item);
  if (i < 0) throw new Error(`${itemName(item)} is not on the strip`);
  return i;
}

function standingAt(state: number, profile: 'ci' | 'mini' = 'ci'): State {
  const s = flat(profile);
  setBlock(s, 32, FLOOR + 1, 34, state);
  face(s, 0, 40);
  return s;
}

describe('layout', () => {
  it('covers 48 cells: 32 slots at the bottom, 16 recipes or the furnace on top', () => {
    for (const kind of [GUI.inventory, GUI.table, GUI.furnace]) {
      const cells = guiCells(kind);
      expect(cells.length).toBe(48);
      const slots = cells.flatMap((c) => (c.kind === 'slot' ? [c.index] : []));
      expect(new Set(slots).size).toBe(32);
      expect(slots.slice(24)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    }
    expect(guiCells(GUI.furnace).filter((c) => c.kind === 'arrow').length).toBe(2);
    for (let i = 0; i < 48; i++) expect(cellUnderCursor(...cellCentre(i))).toBe(i);
  });
});

describe('screens', () => {
  it('open and close with the inventory key, ignore walking, and move the cursor by 1 px per small step at 10 Hz', () => {
    const s = flat('mini');
    const at = [player(s, P.x), player(s, P.z)];
    stepAction(s, makeAction(KEY.inventory));
    expect(player(s, P.guiKind)).toBe(GUI.inventory);
    const yaw = player(s, P.yaw);
    const [x, y] = cursor(s);
    expect([x, y]).toEqual([32 << 8, 24 << 8]);
    stepAction(s, makeAction(KEY.forward, cameraClass(4, 6)));
    expect(cursor(s)).toEqual([x + 256, y - 256]);
    for (let i = 0; i < 10; i++) stepAction(s, makeAction(0, cameraClass(0, 10)));
    expect(cursor(s)).toEqual([(64 << 8) - 1, 0]);
    expect(player(s, P.yaw)).toBe(yaw);
    stepAction(s, makeAction(KEY.inventory));
    expect(player(s, P.guiKind)).toBe(GUI.none);
    expect([player(s, P.x), player(s, P.z)]).toEqual(at);
    hold(s, 1);
    tap(s, 'inventory');
    tap(s, 'ESC');
    expect(player(s, P.guiKind)).toBe(GUI.none);
    expect(events(s).map((e) => e.type)).toEqual([EVENT.opened, EVENT.closed, EVENT.opened, EVENT.closed]);
  });

  it('take, put, split, place one, merge and swap stacks', () => {
    const s = flat();
    give(s, 0, 'dirt', 10);
    give(s, 1, 'sand', 3);
    tap(s, 'inventory');
    click(s, hotbarCell(0));
    expect(onCursor(s)).toBe(packSlot(I.dirt, 10));
    click(s, mainCell(5), KEY.use);
    expect(slot(s, SLOT.main + 5)).toBe(packSlot(I.dirt, 1));
    click(s, hotbarCell(1));
    expect([slot(s, 1), onCursor(s)]).toEqual([packSlot(I.dirt, 9), packSlot(I.sand, 3)]);
    click(s, hotbarCell(7));
    click(s, hotbarCell(1), KEY.use);
    expect([slot(s, 1), onCursor(s)]).toEqual([packSlot(I.dirt, 4), packSlot(I.dirt, 5)]);
    click(s, mainCell(5));
    expect([slot(s, SLOT.main + 5), onCursor(s)]).toEqual([packSlot(I.dirt, 6), 0]);
    click(s, mainCell(5), hotbarKey(0));
    expect([slot(s, SLOT.main + 5), slot(s, 0)]).toEqual([0, packSlot(I.dirt, 6)]);
    click(s, hotbarCell(0), KEY.attack | KEY.sneak);
    expect([slot(s, SLOT.main), slot(s, 0)]).toEqual([packSlot(I.dirt, 6), 0]);
    click(s, mainCell(0), KEY.drop);
    expect(countItem(s, I.dirt)).toBe(9);
  });

  it('give the cursor stack back on closing', () => {
    const s = flat();
    give(s, 0, 'dirt', 10);
    tap(s, 'inventory');
    click(s, hotbarCell(0));
    tap(s, 'inventory');
    expect(countItem(s, I.dirt)).toBe(10);
    expect(onCursor(s)).toBe(0);
  });

  it('need a new press for every click', () => {
    const s = flat();
    give(s, 0, 'log', 10);
    tap(s, 'inventory');
    moveTo(s, stripCell(s, I.planks));
    hold(s, 10, 'attack');
    expect(countItem(s, I.planks)).toBe(4);
  });

  it('close when the table is gone', () => {
    const s = standingAt(B.crafting_table);
    tap(s, 'use');
    expect(player(s, P.guiKind)).toBe(GUI.table);
    setBlock(s, 32, FLOOR + 1, 34, B.air);
    hold(s, 1);
    expect(player(s, P.guiKind)).toBe(GUI.none);
  });
});

describe('crafting', () => {
  it('climbs from logs to a stone pickaxe by clicks', () => {
    const s = standingAt(B.crafting_table);
    give(s, 0, 'log', 4);
    give(s, 1, 'cobblestone', 3);
    tap(s, 'inventory');
    click(s, stripCell(s, I.planks));
    click(s, stripCell(s, I.planks));
    click(s, stripCell(s, I.stick));
    expect([countItem(s, I.log), countItem(s, I.planks), countItem(s, I.stick)]).toEqual([2, 6, 4]);
    expect(() => stripCell(s, I.wooden_pickaxe)).toThrow(/not on the strip/);
    tap(s, 'inventory');
    tap(s, 'use');
    click(s, stripCell(s, I.wooden_pickaxe));
    click(s, stripCell(s, I.stone_pickaxe));
    expect([countItem(s, I.wooden_pickaxe), countItem(s, I.stone_pickaxe), countItem(s, I.cobblestone)]).toEqual([
      1, 1, 0,
    ]);
    expect(counter(s, 'crafted', I.planks)).toBe(8);
    expect(counter(s, 'crafted', I.stone_pickaxe)).toBe(1);
    expect(milestoneTick(s, 6)).toBeGreaterThan(0);
  });

  it('crafts as often as possible with sneak', () => {
    const s = flat();
    give(s, 0, 'log', 5);
    tap(s, 'inventory');
    click(s, stripCell(s, I.planks), KEY.attack | KEY.sneak);
    expect([countItem(s, I.log), countItem(s, I.planks)]).toEqual([0, 20]);
  });

  it('refuses what does not fit, and never loses ingredients', () => {
    const s = flat();
    for (let i = 0; i < 8; i++) give(s, i, 'stone', 64);
    for (let i = 0; i < 24; i++) give(s, SLOT.main + i, 'stone', 64);
    give(s, 0, 'log', 2);
    tap(s, 'inventory');
    click(s, 0);
    expect([countItem(s, I.log), countItem(s, I.planks)]).toEqual([2, 0]);
    give(s, 0, 'log', 1);
    click(s, 0);
    expect([countItem(s, I.log), countItem(s, I.planks)]).toEqual([0, 4]);
  });

  it('knows every recipe of the ladder with the right cost', () => {
    const cost = (item: number) =>
      Object.fromEntries(
        (RECIPES.find((r) => r.output === item) as (typeof RECIPES)[0]).needs.map(([k, n]) => [itemName(k), n]),
      );
    expect(cost(I.crafting_table)).toEqual({ planks: 4 });
    expect(cost(I.furnace)).toEqual({ cobblestone: 8 });
    expect(cost(I.diamond_pickaxe)).toEqual({ diamond: 3, stick: 2 });
    expect(cost(I.stone_axe)).toEqual({ cobblestone: 3, stick: 2 });
    expect(cost(I.torch)).toEqual({ coal: 1, stick: 1 });
    expect(cost(I.door)).toEqual({ planks: 6 });
    expect(RECIPES.filter((r) => !r.table).map((r) => itemName(r.output))).toEqual([
      'planks',
      'stick',
      'crafting_table',
      'torch',
      'torch',
      'sandstone',
    ]);
    for (const r of RECIPES) {
      const s = flat();
      r.needs.forEach(([id, n], i) => {
        give(s, i, itemName(id), n);
      });
      const at = RECIPES.indexOf(r);
      expect(craftDirect(s, at)).toBe(true);
      expect(totalItems(s)).toEqual(new Map([[r.output, r.count]]));
      expect(craftDirect(s, at)).toBe(false);
    }
  });
});

describe('the upper ladder, from raw materials, by actions alone', () => {
  it('smelts iron in a furnace of its own and crafts an iron and a diamond pickaxe', () => {
    const s = standingAt(B.crafting_table, 'mini');
    ['log', 'cobblestone', 'iron_ore', 'coal', 'diamond'].forEach((name, i) => {
      give(s, i, name, [2, 8, 3, 1, 3][i]);
    });
    const made = () => [I.furnace, I.iron_ingot, I.iron_pickaxe, I.diamond_pickaxe].map((id) => countItem(s, id));
    tap(s, 'use');
    expect(player(s, P.guiKind)).toBe(GUI.table);
    click(s, stripCell(s, I.planks));
    click(s, stripCell(s, I.stick));
    click(s, stripCell(s, I.furnace));
    expect(() => stripCell(s, I.iron_pickaxe)).toThrow(/not on the strip/);
    tap(s, 'inventory');
    expect(made()).toEqual([1, 0, 0, 0]);
    // A quarter turn to the right, then the furnace onto the floor there.
    const quarter = (yawBin: number) => {
      for (let i = 0; i < 9; i++) step(s, makeAction(0, cameraClass(5, yawBin)));
    };
    quarter(10);
    const held = [0, 1, 2, 3, 4, 5, 6, 7].find((i) => slotId(slot(s, i)) === I.furnace) as number;
    step(s, makeAction(hotbarKey(held)));
    tap(s, 'use');
    expect(made()).toEqual([0, 0, 0, 0]);
    tap(s, 'use');
    expect(player(s, P.guiKind)).toBe(GUI.furnace);
    const cellOf = (id: number) =>
      hotbarCell([0, 1, 2, 3, 4, 5, 6, 7].find((i) => slotId(slot(s, i)) === id) as number);
    click(s, cellOf(I.iron_ore));
    click(s, furnaceCell('input'));
    click(s, cellOf(I.coal));
    click(s, furnaceCell('fuel'));
    hold(s, 3 * 100);
    click(s, furnaceCell('output'), KEY.attack | KEY.sneak);
    tap(s, 'inventory');
    expect(made()).toEqual([0, 3, 0, 0]);
    quarter(0);
    tap(s, 'use');
    expect(player(s, P.guiKind)).toBe(GUI.table);
    click(s, stripCell(s, I.iron_pickaxe));
    expect(made()).toEqual([0, 0, 1, 0]);
    click(s, stripCell(s, I.diamond_pickaxe));
    tap(s, 'inventory');
    expect(made()).toEqual([0, 0, 1, 1]);
    expect([I.stick, I.diamond, I.cobblestone, I.coal, I.iron_ore].map((id) => countItem(s, id))).toEqual([
      0, 0, 0, 0, 0,
    ]);
    expect([I.iron_ingot, I.iron_pickaxe, I.diamond_pickaxe].map((id) => counter(s, 'crafted', id))).toEqual([3, 1, 1]);
    const [furnace, ingot, pickaxe] = ([I.furnace, I.iron_ingot, I.iron_pickaxe] as const).map((id) =>
      milestoneTick(s, MILESTONES.indexOf(id)),
    );
    expect(furnace).toBeGreaterThan(0);
    expect(ingot).toBeGreaterThan(furnace + 3 * 100);
    expect(pickaxe).toBeGreaterThan(ingot);
  });
});

describe('furnace', () => {
  const furnace = () => {
    const s = standingAt(B.furnace, 'mini');
    give(s, 0, 'iron_ore', 3);
    give(s, 1, 'coal', 2);
    give(s, 2, 'dirt', 1);
    tap(s, 'use');
    expect(player(s, P.guiKind)).toBe(GUI.furnace);
    return s;
  };
  const entry = (s: State) => player(s, P.guiBlockEntity) - 1;

  it('smelts ore with coal, lights up, and gives the ingots by a click', () => {
    const s = furnace();
    click(s, hotbarCell(0));
    click(s, furnaceCell('input'));
    click(s, hotbarCell(1));
    click(s, furnaceCell('fuel'));
    const be = entry(s);
    expect(s.u32[be + F.input]).toBe(packSlot(I.iron_ore, 3));
    expect(blockAt(s, 32, FLOOR + 1, 34)).toBe(B.furnace + 1);
    // 100 ticks per item in mini, coal burns 800.
    hold(s, 99);
    expect(s.u32[be + F.output]).toBe(packSlot(I.iron_ingot, 1));
    expect(s.i32[be + F.burnTotal]).toBe(800);
    hold(s, 201);
    expect([s.u32[be + F.input], s.u32[be + F.output]]).toEqual([0, packSlot(I.iron_ingot, 3)]);
    click(s, furnaceCell('output'));
    click(s, hotbarCell(5));
    expect(slot(s, 5)).toBe(packSlot(I.iron_ingot, 3));
    expect(counter(s, 'crafted', I.iron_ingot)).toBe(3);
    expect(milestoneTick(s, 9)).toBeGreaterThan(0);
    hold(s, 800);
    expect(blockAt(s, 32, FLOOR + 1, 34)).toBe(B.furnace);
    expect(s.u32[be + F.fuel]).toBe(packSlot(I.coal, 1));
  });

  it('takes only what smelts or burns, and puts nothing into the output', () => {
    const s = furnace();
    click(s, hotbarCell(2));
    for (const name of ['input', 'fuel', 'output'] as const) click(s, furnaceCell(name));
    expect(onCursor(s)).toBe(packSlot(I.dirt, 1));
  });

  it('sorts by quick move and keeps its contents when closed; breaking it drops them', () => {
    const s = furnace();
    click(s, hotbarCell(0), KEY.attack | KEY.sneak);
    click(s, hotbarCell(1), KEY.attack | KEY.sneak);
    const be = entry(s);
    expect([s.u32[be + F.input], s.i32[be + F.burnLeft] > 0]).toEqual([packSlot(I.iron_ore, 3), true]);
    tap(s, 'inventory');
    give(s, 0, 'iron_pickaxe');
    hold(s, 30, 'attack');
    expect(blockAt(s, 32, FLOOR + 1, 34)).toBe(B.air);
    hold(s, 40, 'forward');
    expect([countItem(s, I.iron_ore), countItem(s, I.coal), countItem(s, I.furnace)]).toEqual([3, 1, 1]);
  });
});
