/**
 * Recipes in the fixed order of the one-click strip. Shapes are written top to bottom; the strip only needs the totals, the 3x3 grid
 * of the `faithful` profile needs the shapes.
 */
import { countItem, fits, removeItems } from './inventory.ts';
import { I, type ItemName } from './items.ts';
import type { State } from './state.ts';

export interface Recipe {
  output: number;
  count: number;
  /** Rows of letters; '.' is empty. */
  shape: readonly string[];
  key: Readonly<Record<string, number>>;
  /** Needs a crafting table in reach: anything that does not fit 2x2. */
  table: boolean;
  /** Total ingredients [item, count]. */
  needs: readonly (readonly [number, number])[];
}

const LETTERS: Record<string, ItemName> = {
  L: 'log',
  P: 'planks',
  S: 'stick',
  C: 'cobblestone',
  I: 'iron_ingot',
  D: 'diamond',
  W: 'wool',
  G: 'glass',
  K: 'coal',
  H: 'charcoal',
  N: 'sand',
};

function recipe(output: ItemName, count: number, ...shape: string[]): Recipe {
  const key: Record<string, number> = {};
  const totals = new Map<number, number>();
  for (const letter of shape.join('')) {
    if (letter === '.') continue;
    const id = I[LETTERS[letter]];
    key[letter] = id;
    totals.set(id, (totals.get(id) ?? 0) + 1);
  }
  return {
    output: I[output],
    count,
    shape,
    key,
    table: shape.length > 2 || shape.some((row) => row.length > 2),
    needs: [...totals],
  };
}

const tools = (prefix: 'wooden' | 'stone' | 'iron' | 'diamond', m: string): Recipe[] => [
  recipe(`${prefix}_pickaxe`, 1, m + m + m, '.S.', '.S.'),
  recipe(`${prefix}_axe`, 1, m + m, `${m}S`, '.S'),
  recipe(`${prefix}_shovel`, 1, m, 'S', 'S'),
  recipe(`${prefix}_sword`, 1, m, m, 'S'),
];

export const RECIPES: readonly Recipe[] = [
  recipe('planks', 4, 'L'),
  recipe('stick', 4, 'P', 'P'),
  recipe('crafting_table', 1, 'PP', 'PP'),
  recipe('torch', 4, 'K', 'S'),
  recipe('torch', 4, 'H', 'S'),
  ...tools('diamond', 'D'),
  ...tools('iron', 'I'),
  ...tools('stone', 'C'),
  ...tools('wooden', 'P'),
  recipe('furnace', 1, 'CCC', 'C.C', 'CCC'),
  recipe('bucket', 1, 'I.I', '.I.'),
  recipe('door', 3, 'PP', 'PP', 'PP'),
  recipe('fence', 3, 'PSP', 'PSP'),
  recipe('bed', 1, 'WWW', 'PPP'),
  recipe('boat', 1, 'P.P', 'PPP'),
  recipe('glass_pane', 16, 'GGG', 'GGG'),
  recipe('iron_block', 1, 'III', 'III', 'III'),
  recipe('diamond_block', 1, 'DDD', 'DDD', 'DDD'),
  recipe('sandstone', 1, 'NN', 'NN'),
];

export const canCraft = (s: State, r: Recipe, atTable: boolean) =>
  (atTable || !r.table) && r.needs.every(([id, n]) => countItem(s, id) >= n);

/** Indices into RECIPES that could be crafted now, in fixed order: what the strip shows. */
export function craftable(s: State, atTable: boolean): number[] {
  const out: number[] = [];
  for (let i = 0; i < RECIPES.length; i++) if (canCraft(s, RECIPES[i], atTable)) out.push(i);
  return out;
}

/** Pays the ingredients; false (and nothing changed) if they are missing or the result would not fit. */
export function pay(s: State, r: Recipe, atTable: boolean): boolean {
  if (!canCraft(s, r, atTable)) return false;
  if (!fits(s, r.output, r.count)) {
    // Taking the ingredients may free the slot that the result needs; only a full inventory of other things refuses.
    const frees = r.needs.some(([id, n]) => countItem(s, id) === n);
    if (!frees) return false;
  }
  for (const [id, n] of r.needs) removeItems(s, id, n);
  return true;
}
