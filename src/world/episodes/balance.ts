// Conservation of matter in an episode: what is carried, what lies about and what stands in the world, counted per item before and after.
// Mining, placing, falling and popping off only move it; recipes convert it; a break with the wrong tool destroys it; nothing creates it.

import { B, DROP, isBed, isDoor, isFurnace } from '../blocks.ts';
import { harvestable } from '../breaking.ts';
import { EVENT } from '../events.ts';
import { itemName, slotCount, slotId } from '../items.ts';
import { RECIPES } from '../recipes.ts';
import { blockAt, type State, WORLD_HEIGHT } from '../state.ts';
import { E, ENT, ENT_MAX, ENT_WORDS, ENTITY, INV, P, PLAYER, SLOT } from '../state-layout.ts';
import type { EpisodeEvent } from './episode.ts';

/** Stock per item id: blocks that drop the item count as the item. Blocks of two halves and furnaces (with contents) are left out. */
export function stock(s: State): Int32Array {
  const cells = new Int32Array(256);
  for (let y = 0; y < WORLD_HEIGHT; y++) {
    for (let z = 0; z < s.sizeZ; z++) for (let x = 0; x < s.sizeX; x++) cells[blockAt(s, x, y, z)]++;
  }
  const n = new Int32Array(256);
  for (let state = 1; state < 256; state++) if (counted(state)) n[DROP[state]] += cells[state];
  const add = (slot: number) => {
    n[slotId(slot)] += slotCount(slot);
  };
  for (let i = 0; i < SLOT.count; i++) add(s.u32[INV + i]);
  add(s.u32[PLAYER + P.cursorStack]);
  for (let i = 0; i < ENT_MAX; i++) {
    const at = ENT + i * ENT_WORDS;
    if (s.i32[at + E.type] === ENTITY.item) add(s.u32[at + E.item]);
  }
  n[0] = 0;
  return n;
}

const counted = (state: number) => DROP[state] !== 0 && !isDoor(state) && !isBed(state) && !isFurnace(state);

/** Items that some counted block drops: the ones whose stock is a closed account. */
const ACCOUNTS: readonly number[] = [
  ...new Set(
    Array.from({ length: 256 }, (_, i) => i)
      .filter(counted)
      .map((i) => DROP[i]),
  ),
].filter((item) => item !== 0);

export interface Balance {
  /** Items accounted for. */
  items: number;
  /** Items that came from nowhere or went missing, with the difference. */
  wrong: { item: string; difference: number }[];
}

/**
 * Compares the change of stock with what the events explain. Drops vanish after five minutes and when 64 lie about, so with `mayVanish`
 * only gains are wrong.
 */
export function balance(
  before: Int32Array,
  after: Int32Array,
  events: readonly EpisodeEvent[],
  mayVanish: boolean,
): Balance {
  const expected = before.slice();
  for (const e of events) {
    if (e.type === EVENT.crafted) convert(expected, e.a, e.b);
    else if (e.type === EVENT.mined && counted(e.a) && !harvestable(e.a, e.b)) expected[DROP[e.a]]--;
  }
  const wrong: Balance['wrong'] = [];
  let items = 0;
  for (const item of ACCOUNTS) {
    const difference = after[item] - expected[item];
    items += after[item];
    if (difference > 0 || (difference < 0 && !mayVanish)) wrong.push({ item: itemName(item), difference });
  }
  return { items, wrong };
}

function convert(stock: Int32Array, output: number, count: number): void {
  const recipe = RECIPES.find((r) => r.output === output);
  if (!recipe) return;
  stock[output] += count;
  for (const [item, n] of recipe.needs) stock[item] -= (n * count) / recipe.count;
}

/** Smelting and the two kinds of torch are not in the books: an episode that used a furnace cannot be balanced. */
export const balanced = (events: readonly EpisodeEvent[]) =>
  !events.some(
    (e) =>
      e.type === EVENT.smeltedTaken ||
      (e.type === EVENT.placed && isFurnace(e.a)) ||
      (e.type === EVENT.mined && e.a === B.ice),
  );
