/**
 * Items: stack size, tool kind, tier, durability, what block they place, fuel and food values, icon name.
 * Facts (durability, fuel, food) are the documented 1.16 figures. Slot = one u32: id | count << 8 | damage << 16.
 */
import { B } from './blocks.ts';
import { I, ITEM_COUNT, type ItemName, TOOL } from './item-ids.ts';

export { I, ITEM_COUNT, type ItemName, TOOL } from './item-ids.ts';

const names: string[] = [];
for (const [name, id] of Object.entries(I)) names[id] = name;
/** Item name by id; also the icon name. 'none' for 0. */
export const ITEM_NAMES: readonly string[] = names;
export const itemName = (id: number): ItemName => (names[id] ?? 'none') as ItemName;

export const STACK_MAX = new Uint8Array(256).fill(64);
export const ITEM_TOOL = new Uint8Array(256);
/** 0 hand, 1 wood, 2 stone, 3 iron, 4 diamond. */
export const ITEM_TIER = new Uint8Array(256);
/** Uses before the tool breaks; 0 = not a tool. */
export const DURABILITY = new Uint16Array(256);
/** First block state placed by the item, 0 = not placeable. Facing, half and attachment are added by the place step. */
export const PLACES = new Uint8Array(256);
/** Burn time in ticks at 200 ticks per smelt. */
export const FUEL = new Uint16Array(256);
export const SMELTS_TO = new Uint8Array(256);
/** Food points; saturation in Q8. */
export const FOOD = new Uint8Array(256);
export const SATURATION_Q8 = new Uint16Array(256);

const USES = [0, 59, 131, 250, 1561];
for (let tier = 1; tier <= 4; tier++) {
  for (let k = 0; k < 4; k++) {
    const id = I.wooden_pickaxe + (tier - 1) * 4 + k;
    ITEM_TOOL[id] = TOOL.pickaxe + k;
    ITEM_TIER[id] = tier;
    DURABILITY[id] = USES[tier];
    STACK_MAX[id] = 1;
  }
}
for (const n of ['boat', 'bucket', 'water_bucket', 'bed', 'flint_lighter'] as const) STACK_MAX[I[n]] = 1;

for (const n of Object.keys(I) as ItemName[]) {
  const state = (B as Record<string, number>)[n];
  if (state !== undefined && state !== B.air) PLACES[I[n]] = state;
}

for (const [n, t] of [
  ['coal', 1600],
  ['charcoal', 1600],
  ['log', 300],
  ['planks', 300],
  ['crafting_table', 300],
  ['stick', 100],
] as const)
  FUEL[I[n]] = t;
for (const [from, to] of [
  ['iron_ore', 'iron_ingot'],
  ['sand', 'glass'],
  ['cobblestone', 'stone'],
  ['log', 'charcoal'],
  ['raw_meat', 'cooked_meat'],
] as const)
  SMELTS_TO[I[from]] = I[to];
for (const [n, food, sat] of [
  ['apple', 4, 614],
  ['raw_meat', 3, 461],
  ['cooked_meat', 8, 3277],
  ['rotten_flesh', 4, 205],
] as const) {
  FOOD[I[n]] = food;
  SATURATION_Q8[I[n]] = sat;
}

export const slotId = (slot: number) => slot & 255;
export const slotCount = (slot: number) => (slot >>> 8) & 255;
export const slotDamage = (slot: number) => slot >>> 16;
/** Packs a slot; a count of 0 is the empty slot whatever the id. */
export const packSlot = (id: number, count: number, damage = 0) =>
  count > 0 && id > 0 ? (id | (count << 8) | (damage << 16)) >>> 0 : 0;

/** Throws on an unknown name: a start kit or a recipe with a typing error is a programmer's mistake. */
export function itemId(name: string): number {
  const id = (I as Record<string, number>)[name];
  if (id === undefined) throw new Error(`unknown item "${name}"; known: ${ITEM_NAMES.slice(1, ITEM_COUNT).join(', ')}`);
  return id;
}
