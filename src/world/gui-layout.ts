/**
 * Where GUI cells lie in the 64x48 frame of the `mini` and `ci` profiles: an 8 x 6 grid of 8-px cells, so that one 8x8 patch is one icon.
 * Pure data for the click rules, the HUD painter and the players. Bottom row = hotbar, the three rows above = main inventory, the top
 * two rows = recipe strip (currently craftable recipes in fixed order) or, at a furnace, its cells.
 */
import { GUI, SLOT } from './state-layout.ts';

export const GUI_CELL = 8;
export const GUI_COLUMNS = 8;
export const GUI_ROWS = 6;
export const GUI_WIDTH = GUI_CELL * GUI_COLUMNS;
export const GUI_HEIGHT = GUI_CELL * GUI_ROWS;

/** What a cell is: an inventory slot (index = slot), a recipe of the strip (index = position in the craftable list), a furnace slot. */
export type GuiCell =
  | { kind: 'slot'; index: number }
  | { kind: 'recipe'; index: number }
  | { kind: 'input' | 'fuel' | 'output' | 'arrow' | 'flame' }
  | { kind: 'blank' };

/** Furnace cells [column, row]; the arrow fills from left to right over two cells. */
export const FURNACE_CELLS = {
  input: [1, 0],
  flame: [2, 1],
  fuel: [1, 1],
  arrow: [3, 0],
  arrow2: [4, 0],
  output: [6, 0],
} as const;

export const RECIPE_STRIP_CELLS = 16;

const BLANK: GuiCell = { kind: 'blank' };

function build(furnace: boolean): GuiCell[] {
  const cells: GuiCell[] = [];
  for (let row = 0; row < GUI_ROWS; row++)
    for (let col = 0; col < GUI_COLUMNS; col++) {
      if (row === 5) cells.push({ kind: 'slot', index: SLOT.hotbar + col });
      else if (row >= 2) cells.push({ kind: 'slot', index: SLOT.main + (row - 2) * GUI_COLUMNS + col });
      else if (furnace) cells.push(BLANK);
      else cells.push({ kind: 'recipe', index: row * GUI_COLUMNS + col });
    }
  if (furnace)
    for (const [name, [col, row]] of Object.entries(FURNACE_CELLS))
      cells[row * GUI_COLUMNS + col] = { kind: (name === 'arrow2' ? 'arrow' : name) as 'arrow' };
  return cells;
}

const WITH_STRIP = build(false);
const WITH_FURNACE = build(true);

/** The 48 cells of an open screen, row by row from the top left. */
export const guiCells = (guiKind: number): readonly GuiCell[] => (guiKind === GUI.furnace ? WITH_FURNACE : WITH_STRIP);

/** Index 0..47 of the cell under a cursor in Q8 pixels. */
export function cellUnderCursor(cursorX: number, cursorY: number): number {
  return (cursorY >> 11) * GUI_COLUMNS + (cursorX >> 11);
}

/** Centre of a cell in Q8 pixels. */
export const cellCentre = (index: number): [number, number] => [
  ((index % GUI_COLUMNS) * GUI_CELL + GUI_CELL / 2) << 8,
  (Math.floor(index / GUI_COLUMNS) * GUI_CELL + GUI_CELL / 2) << 8,
];
